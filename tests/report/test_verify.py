"""verify finds every changed byte, and every file too many or too few."""

from __future__ import annotations

import json
import random
import shutil

import pytest

from trustlib.report import manifest, publish, verify


def all_files(folder):
    """Every real file of the report but its lock, once each."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file() and not _through_link(file, folder) and file.name != ".lock"
    )


def _through_link(file, folder):
    return any(
        step.is_symlink() for step in (file, *file.parents) if folder in (step, *step.parents)
    )


def test_an_untouched_report_has_no_findings(copied):
    assert verify(["reports"]) == []
    assert verify([copied.folder("one")]) == []
    assert verify([copied.folder("one") / "report.html"]) == []


def test_there_are_files_of_both_runs_and_of_the_attempt(copied):
    names = [file.name for file in all_files(copied.folder("one"))]

    assert sorted(names) == sorted([*publish.FILES * 2, *publish.ATTEMPT_FILES])


def test_every_kind_of_one_byte_change_is_found_in_every_file(copied):
    rng = random.Random(11)
    folder = copied.folder("one")
    tried = 0
    for file in all_files(folder):
        data = file.read_bytes()
        small = file.name in ("manifest.json", "results.json")
        # All bytes of the files with structure, a sample of the large ones.
        places = range(len(data)) if small else sorted(rng.sample(range(len(data)), 40))
        step = 13 if small else 1
        for place in places[::step]:
            flipped = bytes([data[place] ^ (1 << rng.randrange(8))])
            file.write_bytes(data[:place] + flipped + data[place + 1 :])
            findings = verify([folder])
            assert any(str(file.name) in finding for finding in findings), (file, place)
            tried += 1
        file.write_bytes(data)

    assert tried > 500
    assert verify([folder]) == []


@pytest.mark.slow
def test_every_bit_of_the_manifest_counts(copied):
    folder = copied.folder("one")
    file = (folder / "manifest.json").resolve()
    data = file.read_bytes()
    for place in range(len(data)):
        for bit in range(8):
            flipped = bytes([data[place] ^ (1 << bit)])
            file.write_bytes(data[:place] + flipped + data[place + 1 :])
            assert verify([folder]), (place, bit)
    file.write_bytes(data)


def test_a_manifest_that_only_looks_different_is_found(copied):
    file = (copied.folder("one") / "manifest.json").resolve()
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document))

    assert any("manifest.json: was changed" in finding for finding in verify(["reports"]))


def test_a_manifest_sealed_again_is_found_in_an_earlier_run(copied):
    folder = copied.folder("one")
    current = publish.current_run(folder)
    (earlier,) = [entry for entry in (folder / "runs").iterdir() if entry.name != current]
    document = json.loads((earlier / "manifest.json").read_text())
    document["owner"] = "somebody else"
    (earlier / "manifest.json").write_bytes(manifest.sealed(document))

    assert any("vouches" in finding for finding in verify([folder]))


@pytest.mark.parametrize("name", publish.FILES)
def test_a_missing_file_is_found(copied, name):
    (copied.folder("one") / name).resolve().unlink()

    assert any(name in finding for finding in verify(["reports"]))


def test_a_missing_link_a_missing_run_and_extra_files_are_found(copied):
    folder = copied.folder("one")
    current = publish.current_run(folder)
    (earlier,) = [entry for entry in (folder / "runs").iterdir() if entry.name != current]
    shutil.rmtree(earlier)
    (folder / "report.html").unlink()
    (folder / "notes.txt").write_text("x")
    (folder / "runs" / current / "more.csv").write_text("x")
    findings = "\n".join(verify([folder]))

    for found in (f"{earlier.name}: is missing", "report.html: is not", "notes.txt", "more.csv"):
        assert found in findings


def test_a_link_to_an_earlier_run_is_found(copied):
    folder = copied.folder("one")
    current = publish.current_run(folder)
    (earlier,) = [entry for entry in (folder / "runs").iterdir() if entry.name != current]
    (folder / "report.html").unlink()
    (folder / "report.html").symlink_to(earlier / "report.html")

    assert any("is not the current run's file" in finding for finding in verify([folder]))


def test_an_earlier_run_made_current_again_is_found(copied):
    folder = copied.folder("one")
    current = publish.current_run(folder)
    (earlier,) = [entry for entry in (folder / "runs").iterdir() if entry.name != current]
    (folder / "current").unlink()
    (folder / "current").symlink_to(f"runs/{earlier.name}")

    assert any(current in finding for finding in verify([folder]))


def test_a_place_without_reports_is_a_finding(tmp_path):
    assert verify([tmp_path]) == [f"{tmp_path}: there is no report here"]


def test_a_sealed_manifest_of_another_shape_is_found(copied):
    folder = copied.folder("one")
    path = folder / "manifest.json"
    document = json.loads(path.read_bytes())
    for wrong in (5, {}, [5], [{}], [{"run_id": "../../one"}], [{"run_id": "a", "seal": 5}]):
        path.write_bytes(manifest.sealed(document | {"earlier_runs": wrong}))
        assert publish.read_manifest(folder, document["run_id"]) is None
        assert any("manifest.json: was changed" in finding for finding in verify([folder]))


def test_links_in_a_circle_are_found(copied):
    folder = copied.folder("one")
    (folder / "current").unlink()
    (folder / "current").symlink_to("current")
    assert any("report.html: is not the current run's file" in one for one in verify([folder]))


def test_a_whole_report_in_the_place_of_another_is_found(copied):
    folder = copied.folder("one")
    shutil.copytree(folder, copied.folder("two"), symlinks=True)
    findings = verify(["reports"])
    # Two runs and an attempt.
    assert sum("belongs to another report, small/one" in finding for finding in findings) == 3
    shutil.rmtree(copied.folder("two"))
    folder.parent.rename(folder.parent.with_name("large"))
    assert len(verify(["reports"])) == 3
    # Sent alone, it is in nobody else's place.
    assert verify([folder.parent.with_name("large") / "one"]) == []


def test_a_file_or_a_run_replaced_by_a_link_is_found(copied):
    folder = copied.folder("one")
    run = folder / "runs" / publish.current_run(folder)
    shutil.copy(run / "report.html", "elsewhere.html")
    (run / "report.html").unlink()
    (run / "report.html").symlink_to((copied.path / "elsewhere.html").resolve())
    assert verify([folder]) == [f"{run / 'report.html'}: was replaced by a link"]
    shutil.copy("elsewhere.html", run / "kept")
    (run / "report.html").unlink()
    (run / "kept").rename(run / "report.html")
    assert verify([folder]) == []
    run.rename("moved")
    run.symlink_to((copied.path / "moved").resolve())
    assert f"{run}: was replaced by a link" in verify([folder])
