"""The lists of raw ids: what is on them, who may read them, and what is said when they shrink."""

from __future__ import annotations

import csv
import hashlib
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from tests.data.incident_tables import QUERY, made, save
from trustlib.core import Refusal, RunFailed
from trustlib.data import RestrictedList, draft_lists, put_lists, read_affected, write_lists
from trustlib.data.restricted_folder import folder_for_lists


def cases(n: int = 6) -> dict:
    """Wrongly actioned and missed, `n` of each, with labels of some."""
    affected = pd.DataFrame(
        {
            "item_id": [f"o{i}" for i in range(n)] + [f"u{i}" for i in range(n)],
            "case_at": "2026-03-17 15:00",
            "actioned": [1] * n + [0] * n,
            "suspect": 1,
            "account_id": [f"a{i}" for i in range(2 * n)],
            "resolved_at": None,
        }
    ).astype({"resolved_at": "object"})
    labels = pd.DataFrame({"item_id": ["o0", "o1", "u0", "u1"], "label": [0, 1, 0, 1]})
    return {"affected": affected, "labels": labels.assign(labelled_at="2026-03-20")}


@pytest.fixture
def write(here):
    def _write(tables, folder="lists", **changes) -> dict[str, RestrictedList]:
        query = replace(QUERY, sources=save(tables, here), segments=(), **changes)
        return {one.name: one for one in write_lists(read_affected(query), folder)}

    return _write


def ids(path: str | Path) -> list[str]:
    with Path(path).open(newline="") as file:
        return [row["item_id"] for row in csv.DictReader(file)]


def names(folder: str | Path) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def mode(path: str | Path) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def test_what_is_on_the_lists(write):
    found = write(cases())
    assert list(found) == ["clean-up", "back-fill"]
    clean, back = found["clean-up"], found["back-fill"]
    text = Path("lists/clean-up.csv").read_text()
    assert text.splitlines()[:2] == [
        '"item_id","account_id","case_at"', '"o0","a0","2026-03-17T15:00:00Z"',
    ]  # fmt: skip
    assert ids("lists/clean-up.csv") == ["o0", "o2", "o3", "o4", "o5"]  # o1: judged violating
    assert ids("lists/back-fill.csv") == ["u1", "u2", "u3", "u4", "u5"]  # u0: judged benign
    for one in (clean, back):
        assert one.path == f"lists/{one.name}.csv"
        assert one.sha256 == hashlib.sha256(Path(one.path).read_bytes()).hexdigest()
        assert (one.rows, one.labelled_wrong, one.unlabelled) == (5, 1, 4)
        assert (one.before, one.left) == (None, 0)
        assert mode(one.path) == 0o600
    assert mode("lists") == 0o700
    assert len(names("lists")) == 2


def test_resolved_and_unsuspected_cases_and_ties(write):
    tables = made()
    tables["labels"]["label"] = [0, 1, 1, 1, 0, 1, 1, 0, 1, 1]
    found = write(tables)
    # i1 is resolved, i2 judged violating, i3 and i7 are not suspect, i6 judged benign.
    assert ids("lists/clean-up.csv") == ["i6"]
    assert ids("lists/back-fill.csv") == ["i4", "i5"]
    assert (found["clean-up"].labelled_wrong, found["clean-up"].unlabelled) == (1, 0)
    assert (found["back-fill"].labelled_wrong, found["back-fill"].unlabelled) == (1, 1)
    early = datetime(2026, 3, 18, 23, tzinfo=UTC)
    write(tables, "early", as_of=early)
    assert ids("early/clean-up.csv") == ["i1", "i2", "i6"]  # nothing resolved or judged by then


def test_a_second_run_leaves_the_files_as_they_are(write):
    write(cases())
    paths = [Path("lists/clean-up.csv"), Path("lists/back-fill.csv")]
    before = [(p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_ino) for p in paths]
    paths[0].chmod(0o644)
    Path("lists").chmod(0o755)
    tables = cases()
    tables["affected"] = pd.concat([tables["affected"]] * 2).sample(frac=1, random_state=2)
    found = write(tables)
    assert [(p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_ino) for p in paths] == before
    assert (found["clean-up"].before, found["clean-up"].left) == (5, 0)
    assert (mode(paths[0]), mode("lists")) == (0o600, 0o700)
    assert len(names("lists")) == 2


def test_a_list_says_what_left_it_and_keeps_the_earlier_file(write):
    before = write(cases())["clean-up"]
    old = Path(before.path).read_bytes()
    tables = cases()
    affected = tables["affected"]
    affected.loc[affected["item_id"].isin(["o0", "o2"]), "resolved_at"] = "2026-03-21"
    tables["affected"] = affected[affected["item_id"] != "o5"]
    more = pd.DataFrame(
        {"item_id": ["o3", "o2"], "label": 1, "labelled_at": "2026-03-21"}
    )  # o2: resolved before it is judged
    tables["labels"] = pd.concat([tables["labels"], more])
    found = write(tables)
    clean = found["clean-up"]
    assert ids(clean.path) == ["o4"]
    assert (clean.before, clean.left, clean.left_resolved, clean.left_judged) == (5, 4, 2, 1)
    kept = Path(f"lists/clean-up.{before.sha256[:12]}.csv")
    assert kept.read_bytes() == old
    assert mode(kept) == mode(clean.path) == 0o600
    assert found["back-fill"].left == 0
    assert names("lists") == sorted(
        ["back-fill.csv", "clean-up.csv", kept.name]
    )  # fmt: skip
    again = write(tables)["clean-up"]
    assert (again.before, again.left) == (1, 0)
    grown = write(cases())["clean-up"]  # nothing leaves, so that nothing is kept
    assert (grown.before, grown.left, grown.rows) == (1, 0, 5)
    assert len(names("lists")) == 3


def test_a_case_that_changes_sides_left_since_the_sources_changed(write):
    write(cases())
    tables = cases()
    tables["affected"].loc[2, "actioned"] = 0
    clean = write(tables)["clean-up"]
    assert (clean.left, clean.left_resolved, clean.left_judged) == (1, 0, 0)


def test_a_list_on_which_nothing_is_left_has_a_header(write):
    tables = cases()
    tables["affected"]["resolved_at"] = "2026-03-21"
    found = write(tables)
    assert [one.rows for one in found.values()] == [0, 0]
    assert Path("lists/clean-up.csv").read_text() == '"item_id","account_id","case_at"\n'


def test_a_side_without_cases_has_no_list_and_leaves_anothers_alone(write):
    write(cases())
    before = Path("lists/back-fill.csv").read_bytes()
    tables = cases()
    tables["affected"] = tables["affected"].iloc[:6]
    assert list(write(tables)) == ["clean-up"]
    assert Path("lists/back-fill.csv").read_bytes() == before
    assert list(write(tables, "other")) == ["clean-up"]
    assert names("other") == ["clean-up.csv"]


def test_no_folder_or_no_cases_no_lists(write, here):
    assert write(cases(), None) == {}
    tables = cases()
    tables["affected"]["case_at"] = "2026-05-01"
    assert write(tables, "never") == {}
    assert not Path("never").exists()


def test_ids_are_never_formulas_and_come_back(write):
    odd = ["=1+1", "+1", "-1", "@a", "'b", 'q"x', "a,b", "ü", "a\nb", "＝1", "plain", "z"]
    tables = cases()
    tables["affected"]["item_id"] = odd
    del tables["labels"], tables["affected"]["account_id"]
    tables["affected"]["actioned"] = 1
    first = write(tables)["clean-up"]
    written = ids(first.path)
    assert sorted(text.removeprefix("'") for text in written) == sorted(odd)
    assert not [text for text in written if text[0] in "=+-@＝"]
    assert Path(first.path).read_text().startswith('"item_id","case_at"\n')
    assert first.before is None
    again = write(tables)["clean-up"]
    assert (again.before, again.left) == (12, 0)
    tables["affected"].loc[0, "resolved_at"] = "2026-03-21"
    shrunk = write(tables)["clean-up"]
    assert (shrunk.before, shrunk.left, shrunk.left_resolved) == (12, 1, 1)


def test_whole_numbers_are_sorted_as_numbers(write):
    tables = cases()
    tables["affected"]["item_id"] = [10, 9, 100, 1, 2, 3, *range(200, 206)]
    del tables["labels"]
    write(tables)
    assert ids("lists/clean-up.csv") == ["1", "2", "3", "9", "10", "100"]


DAMAGES = (
    lambda path: path.write_bytes(path.read_bytes()[:-20]),
    lambda path: path.write_bytes(path.read_bytes() + b'"o9"\n'),
    lambda path: path.write_bytes(path.read_bytes() + path.read_bytes().split(b"\n")[1] + b"\n"),
    lambda path: path.write_bytes(b"\xff" + path.read_bytes()),
    lambda path: path.write_text("id\no1\n"),
    lambda path: path.write_text(""),
    lambda path: path.write_text(path.read_text() + '"o9","a9","yesterday"\n'),
    lambda path: (path.unlink(), path.mkdir()),
    lambda path: (path.rename("moved.csv"), path.symlink_to("../moved.csv")),
)


def test_a_damaged_earlier_list_is_refused_and_nothing_is_written(here):
    rows = lists_of(here)
    write_lists(rows, "lists")
    path, clean = here / "lists/back-fill.csv", here / "lists/clean-up.csv"
    whole, before = path.read_bytes(), clean.stat().st_mtime_ns
    for damage in DAMAGES:
        damage(path)
        with pytest.raises(Refusal) as caught:
            write_lists(rows, "lists")
        assert caught.value.where == "lists_folder, back-fill.csv"
        assert "move it away" in caught.value.next_step
        assert "o9" not in str(caught.value)
        assert clean.stat().st_mtime_ns == before
        assert names("lists") == ["back-fill.csv", "clean-up.csv"]
        path.rmdir() if path.is_dir() else path.unlink()
        path.write_bytes(whole)


def lists_of(here):
    return read_affected(replace(QUERY, sources=save(cases(), here), segments=()))


def test_folders_that_cannot_hold_lists_are_refused(here, monkeypatch):
    (here / "file").write_text("x")
    (here / "reports").mkdir()
    (here / "link").symlink_to("reports", target_is_directory=True)
    (here / "shared").mkdir()
    (here / "shared").chmod(0o1777)
    monkeypatch.setenv("HOME", str(here / "home"))
    for folder, what in (
        ("file", "is a file"), ("reports", "folder of reports"),
        ("reports/x/lists", "folder of reports"), ("./a/../reports/y", "folder of reports"),
        ("link/lists", "folder of reports"), (str(here / "reports" / "z"), "folder of reports"),
        (".", "that others need"), ("..", "that others need"), (str(here / "home"), "others need"),
        ("shared", "that others need"), ("file/lists", "cannot be written to"),
        ("/proc/lists", "cannot be written to"),
    ):  # fmt: skip
        with pytest.raises(Refusal) as caught:
            folder_for_lists(folder)
        assert what in caught.value.what, folder
        assert caught.value.where == f"lists_folder: {folder}"
        assert caught.value.next_step
        assert caught.value.exit_code == 2
    assert stat.S_IMODE((here / "shared").stat().st_mode) == 0o1777
    assert names("reports") == []
    (here / "open").mkdir(mode=0o755)
    (here / "open/clean-up.csv").write_text("x")
    (here / "open/.hidden").write_text("x")
    with pytest.raises(Refusal, match="holds other files") as caught:
        folder_for_lists("open")
    assert "a new folder" in caught.value.next_step
    assert mode("open") == 0o755
    assert names("open") == [".hidden", "clean-up.csv"]
    (here / "open").chmod(0o700)  # closed already: nobody loses anything
    folder_for_lists("open")
    (here / "ours").mkdir(mode=0o755)
    for name in ("clean-up.csv", "back-fill.0123456789ab.csv", ".back-fill.csv.draft"):
        (here / "ours" / name).write_text("x")
    folder_for_lists("ours")
    assert mode("ours") == 0o700
    (here / "reports-lists").mkdir(mode=0o755)
    folder_for_lists("reports-lists")
    assert mode("reports-lists") == 0o700
    assert names("reports-lists") == []


def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_read(here, monkeypatch):
    (here / "lists").mkdir()
    real = os.open

    def refuse(path, flags, *rest, **named):
        if flags & os.O_CREAT and "lists" in str(path):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *rest, **named)

    rows = lists_of(here)
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Refusal, match="cannot be written to: Permission denied"):
        write_lists(rows, "lists")


def test_a_folder_of_somebody_else_is_refused(here, monkeypatch):
    (here / "lists").mkdir(mode=0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(Refusal, match="belongs to another user"):
        folder_for_lists("lists")
    assert mode("lists") == 0o755


def test_a_snapshot_that_is_not_what_was_read_fails(here):
    rows = lists_of(here)
    path = Path(rows.snapshots["labels"].path)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(RunFailed, match="snapshot") as caught:
        write_lists(rows, "lists")
    assert "labels_source" in caught.value.where
    assert names("lists") == []


def test_drafts_of_killed_runs_are_removed(here):
    (here / "lists").mkdir()
    (here / "lists/.draft-1-ab.csv").write_text("left")
    write_lists(lists_of(here), "lists")
    assert names("lists") == ["back-fill.csv", "clean-up.csv"]


def test_a_full_disk_leaves_the_earlier_lists(here, monkeypatch):
    rows = lists_of(here)
    write_lists(rows, "lists")
    (here / "lists/back-fill.csv").unlink()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunFailed, match="No space left on device"):
        write_lists(rows, "lists")
    assert names("lists") == ["clean-up.csv"]


def test_drafts_leave_what_stands_until_they_are_put(here):
    rows = lists_of(here)
    first = draft_lists(rows, "lists")
    assert names("lists") == [".back-fill.csv.draft", ".clean-up.csv.draft"]
    assert {mode(f"lists/{name}") for name in names("lists")} == {0o600}
    put_lists(first)
    standing = {name: Path("lists", name).read_bytes() for name in names("lists")}
    tables = cases()
    tables["affected"].loc[0, "resolved_at"] = "2026-03-21"
    fewer = read_affected(replace(QUERY, sources=save(tables, here), segments=()))
    for _ in range(2):  # a run that fails after its drafts, and the next
        second = draft_lists(fewer, "lists")
        assert (second[0].before, second[0].left, second[0].left_resolved) == (5, 1, 1)
        assert {name: Path("lists", name).read_bytes() for name in standing} == standing
    kept = f"clean-up.{first[0].sha256[:12]}.csv"
    for _ in range(2):
        put_lists(second)
        assert names("lists") == sorted(["back-fill.csv", "clean-up.csv", kept])
        assert Path("lists", kept).read_bytes() == standing["clean-up.csv"]
        assert ids("lists/clean-up.csv") == ["o2", "o3", "o4", "o5"]
        assert hashlib.sha256(Path(second[0].path).read_bytes()).hexdigest() == second[0].sha256
    put_lists(())


def test_drafts_that_are_not_what_was_written_are_not_put(here):
    rows = lists_of(here)
    write_lists(rows, "lists")
    lists = draft_lists(rows, "lists")
    Path("lists/clean-up.csv").write_text("another")  # putting a draft there would be seen
    draft = Path("lists/.back-fill.csv.draft")
    for damage in (
        lambda: (draft.rename("moved"), draft.symlink_to("../moved")),
        lambda: draft.write_bytes(draft.read_bytes() + b"x"),
        lambda: (draft.unlink(), Path("lists/back-fill.csv").unlink()),
    ):
        damage()
        with pytest.raises(RunFailed, match="is not what this run wrote") as caught:
            put_lists(lists)
        assert caught.value.where == "lists_folder, .back-fill.csv.draft"
        assert "run it again" in caught.value.next_step
        assert Path("lists/clean-up.csv").read_text() == "another"
    Path("lists").rename("away")
    with pytest.raises(RunFailed, match="No such file"):
        put_lists(lists)
