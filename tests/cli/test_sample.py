"""`trustlib sample`: from a file of scored items to a worklist."""

from __future__ import annotations

import stat

import numpy as np
import pandas as pd
import pytest

from trustlib.cli import command
from trustlib.harm.keyed import item_ids, keyed_ids

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def items(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRUSTLIB_SAMPLE_KEY", KEY)
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "item_id": [f"user{i}@example.com" for i in range(4000)],
            "score": random.beta(0.3, 12, 4000),
            "views": random.integers(0, 50, 4000),
            "note": "not asked for",
        }
    )
    frame.to_csv("items.csv", index=False)
    return frame


def said(capsys, *words: object) -> tuple[int, str]:
    try:
        code = command([str(word) for word in words])
    except SystemExit as stop:
        code = stop.code
    out = capsys.readouterr()
    return code, (out.out + out.err).replace("\u00a0", " ")


def test_a_worklist_for_its_owner_alone(items, tmp_path, capsys):
    code, text = said(capsys, "sample", "items.csv", "--votes", 550, "--out", "work.csv",
                      "--ids", "ids.csv")  # fmt: skip
    assert code == 0, text
    for name in ("work.csv", "ids.csv"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    work, ids = pd.read_csv("work.csv"), pd.read_csv("ids.csv")
    assert list(work) == ["item_key", "stratum", "inclusion_probability", "double_rated"]
    assert (len(work), work["double_rated"].sum()) == (500, 50)
    assert (1 / work["inclusion_probability"]).sum() == pytest.approx(4000)
    assert "example.com" not in (tmp_path / "work.csv").read_text() + text
    assert list(ids["item_key"]) == list(work["item_key"])
    assert keyed_ids(item_ids(ids["item_id"]), key=KEY.encode()) == list(ids["item_key"])
    assert "> 550" in text
    assert "work.csv  (500 items, for its owner alone)" in text


def test_the_same_rows_the_same_worklist(items, tmp_path, capsys):
    items.sample(frac=1, random_state=2).to_parquet("other.parquet")
    (tmp_path / "query.sql").write_text(
        "SELECT 'user' || i || '@example.com' AS item_id, i / 4000.0 AS score FROM range(4000) t(i)"
    )
    for source, out in (("items.csv", "a"), ("other.parquet", "b"), ("query.sql", "c")):
        assert said(capsys, "sample", source, "--votes", 550, "--out", out)[0] == 0
    assert said(capsys, "sample", "items.csv", "--votes", 550, "--seed", 1, "--out", "d")[0] == 0
    texts = {name: (tmp_path / name).read_text() for name in "abcd"}
    assert texts["a"] == texts["b"]
    assert len(set(texts.values())) == 3


def test_without_out_nothing_is_drawn(items, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("TRUSTLIB_SAMPLE_KEY")
    before = {path.name for path in tmp_path.iterdir()}
    code, text = said(capsys, "sample", "items.csv", "--votes", 1100, "--of", "views",
                      "--prevalence", 0.01)  # fmt: skip
    assert code == 0
    assert {path.name for path in tmp_path.iterdir()} - before <= {".trustlib"}
    lines = text.splitlines()
    assert lines[0].split() == ["stratum", "items", "expected", "labels", "rated", "twice",
                                "positives"]  # fmt: skip
    budgets = [line for line in lines if line.strip(" >")[:1].isdigit() and "%" in line]
    assert [line.strip(" >").split()[0] for line in budgets] == ["550", "1,100", "2,200"]
    assert all(line.split()[3:5] == ["1", "%"] for line in (b.replace(">", " ") for b in budgets))
    assert "fewer than 10 positive" not in text
    assert "nothing was drawn" in text
    assert "fewer than 10 positive" in said(capsys, "sample", "items.csv", "--votes", 550,
                                            "--prevalence", 0.001)[1]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--out", "items.csv"], "nothing is overwritten"),
        (["--out", "no/work.csv"], "folder to write to does not exist"),
        (["--out", "w.csv", "--ids", "w.csv"], "the same file"),
        (["--out", "w.csv", "--key", "NOT_SET"], "is not set"),
        (["--out", "w.csv", "--key", "SHORT"], "16 bytes"),
        (["--score-column", "scores"], "nearest: score"),
        (["--item-column", "itemid"], "nearest: item_id"),
        (["--score-column", "note"], "4,000 of 4,000 values are no finite number"),
        (["--cuts", "0.5", "0.2"], "do not rise"),
        (["--floor", "1"], "2 or more"),
        (["--level", "1"], "between 0 and 1"),
        (["--cuts", "nan"], "a number is needed"),
        (["--floor", "200"], "fewer than the floors need"),
    ],
)
def test_refusals_exit_2_and_write_nothing(items, tmp_path, monkeypatch, capsys, words, what):
    monkeypatch.setenv("SHORT", "secret")
    given = (tmp_path / "items.csv").read_bytes()
    code, text = said(capsys, "sample", "items.csv", "--votes", 550, *words)
    assert code == 2, text
    assert what in text
    assert "example.com" not in text
    assert "secret" not in text.replace("import secrets", "").replace("secrets.token", "")
    assert not (tmp_path / "w.csv").exists()
    assert (tmp_path / "items.csv").read_bytes() == given


@pytest.mark.parametrize(
    ("change", "words", "code", "what"),
    [
        (lambda f: f[:0], [], 3, "no rows"),
        (lambda f: f.assign(score=np.nan), [], 3, "no item has a score"),
        (lambda f: f.assign(score=0.0), [], 2, "no violating item is expected"),
        (lambda f: f.assign(score=5.0), [], 2, "score_mean cannot be used"),
        (lambda f: f.assign(score=0.0), ["--prevalence", 0.1], 2, "cannot be scaled"),
        (lambda f: f.assign(item_id="a"), ["--out", "w.csv"], 2, "there before"),
        (lambda f: f.assign(item_id=None), [], 2, "4,000 items without an id"),
        (lambda f: f.assign(views=-1), ["--of", "views"], 2, "4,000 below 0"),
        (lambda f: f.assign(views=None), ["--of", "views"], 2, "4,000 are empty"),
    ],
)
def test_items_that_do_not_fit_are_refused(items, capsys, change, words, code, what):
    change(items).to_csv("items.csv", index=False)
    found, text = said(capsys, "sample", "items.csv", "--votes", 550, *words)
    assert found == code, text
    assert what in text
    assert "example.com" not in text
