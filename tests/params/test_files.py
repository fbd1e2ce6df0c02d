"""Finding the notebook and the slug; what a valid file gives."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.params.conftest import VALID, Write, as_yaml
from trustlib import params
from trustlib.core import Refusal

ROOT = Path(__file__).resolve().parents[2]


def test_values_are_typed_and_in_utc(write: Write) -> None:
    found = params.read(write(VALID))
    asked = found.params
    assert isinstance(asked, params.IncidentSizingParams)
    assert (found.notebook, found.slug) == ("incident_sizing", "snow")
    assert asked.incident_start == datetime(2015, 1, 26, 17, tzinfo=UTC)
    assert asked.exclude_windows == (
        (datetime(2014, 11, 27, 5, tzinfo=UTC), datetime(2014, 11, 28, 5, tzinfo=UTC)),
    )
    assert asked.level == 0.9


def test_plain_values_give_the_same_params_again(write: Write) -> None:
    found = params.read(write(VALID))
    again = params.read(write(found.values, "again"))
    assert again.params == found.params
    assert again.sha256 == found.sha256
    other = params.read(write(VALID), ["seed=8"])
    assert other.sha256 != found.sha256


def test_the_hash_does_not_depend_on_the_order_of_lines(write: Write) -> None:
    turned = dict(reversed(VALID.items()))
    assert params.read(write(turned, "turned")).sha256 == params.read(write(VALID)).sha256


def test_defaults(write: Write) -> None:
    needed = ("source", "time_column", "incident_start", "incident_end")
    asked = params.load(write({name: VALID[name] for name in needed}))
    assert asked.to_plain() | dict.fromkeys(needed) == {
        "title": "Untitled report", "owner": "unassigned", "source": None, "connection": None,
        "timezone": "UTC", "as_of": None, "level": 0.95, "seed": 0, "time_column": None,
        "count_column": None, "segment_column": None, "control_column": None,
        "incident_start": None, "incident_end": None, "history_start": None, "bucket": "1h",
        "exclude_windows": [], "direction": "either", "unit_label": "events",
        "unit_cost_usd": None,
    }  # fmt: skip


def test_frozen(write: Write) -> None:
    asked = params.load(write(VALID))
    with pytest.raises(ValueError, match="frozen"):
        asked.level = 0.5


def test_overrides_win_and_are_checked(write: Write) -> None:
    path = write(VALID)
    asked = params.read(path, ["level=0.8", "bucket=1h", "as_of=null", "title=a: b"]).params
    assert (asked.level, asked.as_of, asked.title) == (0.8, None, "a: b")
    with pytest.raises(Refusal) as caught:
        params.read(path, ["levle=0.8"])
    assert caught.value.nearest == "level"
    assert "--set levle" in str(caught.value.where)
    with pytest.raises(Refusal):
        params.read(path, ["incident_end=2015-01-25T00:00:00-05:00"])


def test_an_override_can_mend_a_line(write: Write) -> None:
    assert params.load(write({**VALID, "level": 95}), ["level=0.95"]).level == 0.95


def test_windows_may_be_written_as_mappings(write: Write) -> None:
    start, end = VALID["exclude_windows"][0]
    mapped = {**VALID, "exclude_windows": [{"start": start, "end": end}]}
    assert params.load(write(mapped, "mapped")) == params.load(write(VALID))


@pytest.mark.parametrize(
    ("name", "better"),
    [("My Report", "my-report"), ("Ümlaut", "mlaut"), ("-x", "x"), ("a" * 65, "a" * 64),
     ("a.b", "a-b")],
)  # fmt: skip
def test_slugs(write: Write, name: str, better: str) -> None:
    with pytest.raises(Refusal) as caught:
        params.read(write(VALID, name))
    assert caught.value.nearest == f"{better}.yaml"


def test_not_a_file(tmp_path: Path, write: Write) -> None:
    write(VALID, "snow")
    for path, words in (
        (tmp_path / "params" / "incident_sizing" / "snwo.yaml", "no such params file"),
        (tmp_path / "x.toml", "not a params file"),
        (tmp_path, "not a params file"),
    ):
        with pytest.raises(Refusal) as caught:
            params.read(path)
        assert words in caught.value.what
    with pytest.raises(Refusal) as caught:
        params.read(tmp_path / "params" / "incident_sizing" / "snwo.yaml")
    assert str(caught.value.nearest).endswith("snow.yaml")
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    with pytest.raises(Refusal):
        params.read(folder)


def test_messages_show_paths_from_here(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write({**VALID, "level": 95})
    monkeypatch.chdir(path.parents[2])
    for given in (path, path.relative_to(Path.cwd())):
        with pytest.raises(Refusal) as caught:
            params.read(given)
        assert caught.value.where == "params/incident_sizing/snow.yaml, line 7"


def test_not_text(write: Write) -> None:
    path = write("")
    path.write_bytes(b"title: caf\xe9\n")
    with pytest.raises(Refusal) as caught:
        params.read(path)
    assert "not UTF-8 text (byte 11)" in caught.value.what
    path.write_bytes(b"# " + b"x" * 300_000)
    with pytest.raises(Refusal) as caught:
        params.read(path)
    assert "too large" in caught.value.what


def test_a_byte_order_mark_and_windows_line_ends(write: Write) -> None:
    path = write("")
    path.write_bytes(b"\xef\xbb\xbf" + as_yaml(VALID).replace("\n", "\r\n").encode())
    assert params.load(path).title == VALID["title"]


def test_any_folder_when_the_names_fit(tmp_path: Path) -> None:
    path = tmp_path / "snow.yaml"
    path.write_text(as_yaml(VALID), encoding="utf-8")
    assert params.read(path).notebook == "incident_sizing"
    path.write_text(as_yaml({**VALID, "titel": "x"}), encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        params.read(path)
    assert caught.value.nearest == "title"
    path.write_text("title: x\nsource: y\n", encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        params.read(path)
    assert "fit none" in caught.value.what
    path.write_text(as_yaml(VALID), encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        params.read(path, notebook="incident_sizng")
    assert caught.value.nearest == "incident_sizing"


def test_query_and_spec_carry_the_params(write: Write) -> None:
    asked = params.load(write(VALID))
    assert isinstance(asked, params.IncidentSizingParams)
    query, spec = asked.counts_query(), asked.spec()
    for name in ("source", "connection", "time_column", "count_column", "segment_column",
                 "control_column", "timezone", "bucket", "history_start", "incident_start",
                 "incident_end", "as_of"):  # fmt: skip
        assert getattr(query, name) == getattr(asked, name), name
    for name in ("history_start", "bucket", "timezone", "direction", "level", "seed", "unit_label",
                 "unit_cost_usd"):  # fmt: skip
        assert getattr(spec, name) == getattr(asked, name), name
    assert (spec.incident.start, spec.incident.end) == (asked.incident_start, asked.incident_end)
    assert [(each.start, each.end) for each in spec.exclude_windows] == list(asked.exclude_windows)


def test_every_committed_file_is_valid() -> None:
    files = sorted((ROOT / "params").glob("*/*.yaml"))
    assert {file.stem for file in files} >= {"example", "under-blocking"}
    for file in files:
        found = params.read(file)
        assert found.notebook == file.parent.name
        assert file.read_text("utf-8").startswith(
            f"# yaml-language-server: $schema=../schema/{found.notebook}.json\n"
        )
        sources = [value for name, value in found.values.items() if name.endswith("source")]
        paths = [path for path in sources if path is not None and "/" in path]
        assert paths
        assert all((ROOT / path).is_file() for path in paths)


def test_reading_params_stays_light() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from trustlib import params; "
        "params.read('params/incident_sizing/example.yaml'); "
        "print([m for m in ('pandas', 'numpy', 'duckdb', 'ibis', 'papermill') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_by_hand_nothing_unknown_is_taken() -> None:
    given = params.IncidentSizingParams.from_notebook(VALID)
    values = {name: getattr(given, name) for name in VALID}
    assert params.IncidentSizingParams(**values) == given
    with pytest.raises(ValueError, match="levle"):
        params.IncidentSizingParams(**values, levle=0.9)


@pytest.mark.parametrize("slug", ["runs", "attempts", "current"])
def test_a_report_is_not_named_as_what_stands_inside_each(write: Write, slug: str) -> None:
    with pytest.raises(Refusal, match="cannot name a report") as caught:
        params.read(write(VALID, slug))
    assert caught.value.nearest == f"my-{slug}.yaml"
    with pytest.raises(Refusal, match="cannot name a report") as caught:
        params.new("incident_sizing", slug, "nowhere")
    assert caught.value.nearest == f"my-{slug}"


def test_a_pipe_or_a_device_is_refused_at_once(write: Write) -> None:
    path = write(VALID)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Refusal, match="not a plain file"):
        params.read(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(Refusal, match="not a plain file"):
        params.read(path)


def test_a_link_to_nothing_is_not_its_own_nearest(write: Write) -> None:
    path = write(VALID)
    path.unlink()
    path.symlink_to("nothing.yaml")
    with pytest.raises(Refusal, match="no such params file") as caught:
        params.read(path)
    assert caught.value.nearest is None


def test_half_a_character_and_a_tab_are_named(write: Write) -> None:
    text = as_yaml(VALID)
    with pytest.raises(Refusal, match="half a character"):
        params.read(write(text.replace("Marketplace on-call", "\\ud83e\\udde8")))
    with pytest.raises(Refusal, match="a tab stands") as caught:
        params.read(write(text.replace("level: 0.9", "level:\t0.9")))
    assert "line 7" in str(caught.value.where)
