"""README is true: its map is the tree, its commands exist and its example runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)
    return [text for name, text in found if name == language]


def mapped() -> set[str]:
    """The paths of the map, relative to the root, folders with a slash at the end."""
    (text,) = (block for block in blocks("") if block.startswith("notebooks/"))
    stack: list[str] = []
    found = set()
    for line in text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        stack[depth:] = [line.split()[0]]
        found.add("".join(stack))
    return found


def tracked() -> set[str]:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in names.splitlines() if (ROOT / name).exists()}


def test_everything_on_the_map_exists() -> None:
    missing = [path for path in mapped() if not (ROOT / path).exists()]
    assert not missing


def test_every_room_and_notebook_is_on_the_map() -> None:
    there = tracked()
    rooms = {
        f"trustlib/{name.split('/')[1]}/" for name in there if re.match(r"trustlib/\w+/", name)
    }
    notebooks = {name for name in there if name.endswith(".ipynb") and name[0] == "n"}
    folders = {f"params/{name.split('/')[1]}/" for name in there if name.startswith("params/")}
    assert rooms | notebooks | folders <= mapped()


def test_the_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.M))
    assert {"demo", "test", "lint", "lock", "help"} <= targets
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.M)) <= targets


def test_the_files_that_are_named_exist() -> None:
    for name in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / name).exists(), name


def test_the_python_example_runs(tmp_path, monkeypatch, capsys) -> None:
    import pandas as pd

    hours = pd.date_range("2026-01-25", "2026-03-16 12:00", freq="1h", inclusive="left", tz="UTC")
    season = 100 + 30 * np.sin(2 * np.pi * hours.hour.to_numpy() / 24)
    counts = np.random.default_rng(0).poisson(season).astype(float)
    counts[-24:] *= 1.5
    frame = pd.DataFrame({"bucket_start_at": hours, "count": counts})
    frame.to_parquet(tmp_path / "counts.parquet")
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    exec(compile(code, "README.md", "exec"), {})
    assert "Estimate(point=" in capsys.readouterr().out


def test_the_least_results_are_results() -> None:
    from trustlib.core import Results

    (code,) = re.findall(r"`(Results\(.+?\))`", README)
    assert eval(code, {"Results": Results}).headline


def _own_csv(folder: Path) -> None:
    lines = ["hour,reports"]
    for day in range(75):
        for hour in range(24):
            n = 40 + 3 * hour + (5 if (day * 24 + hour) % 7 else 0)
            n += 60 if (day == 73 and hour >= 12) or (day == 74 and hour < 12) else 0
            month, date = ((1, day), (2, day - 31), (3, day - 59))[(day >= 31) + (day >= 59)]
            lines.append(f"2026-{month:02d}-{date + 1:02d} {hour:02d}:00:00,{n}")
    (folder / "my-counts.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def own_run(tmp_path_factory):
    """The section "your own CSV in five lines", typed as it stands."""
    folder = tmp_path_factory.mktemp("own")
    _own_csv(folder)
    new, run = (block for block in blocks("sh") if "my-incident" in block and "--set" not in block)
    edit = next(block for block in blocks("yaml") if "my-counts.csv" in block)
    _typed(new, folder)
    path = folder / "params/incident_sizing/my-incident.yaml"
    _edited(path, edit)
    return folder, _typed(run, folder)


def _edited(path: Path, edit: str) -> None:
    """Set each of `edit`'s lines in the params file at `path`, where its key stands."""
    text = path.read_text(encoding="utf-8")
    for line in edit.splitlines():
        key = line.split(":", 1)[0]
        text, n = re.subn(rf"^#? ?{key}:.*$", lambda _, line=line: line, text, flags=re.M)
        assert n == 1, f"{key} stands {n} times in the new file"
    path.write_text(text, encoding="utf-8")


def _typed(block: str, folder: Path) -> subprocess.CompletedProcess:
    """Run a README block in `folder`, with this environment's commands on the path."""
    words = "\n".join(line for line in block.splitlines() if not line.startswith(". .venv"))
    return subprocess.run(
        ["bash", "-euc", words],
        cwd=folder,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )


def test_your_own_csv_in_five_lines(own_run) -> None:
    folder, run = own_run
    report = folder / "reports/incident_sizing/my-incident"
    assert (report / "report.html").exists()
    last = run.stdout.rstrip().splitlines()[-1]
    assert last.strip() == str((report / "report.html").relative_to(folder))
    # 60 more in each of 24 hours were put in.
    excess = json.loads((report / "results.json").read_text("utf-8"))["estimates"]["excess"]
    assert excess["low"] <= 1440 <= excess["high"]
    assert excess["low"] > 0


def test_closing_an_incident(tmp_path) -> None:
    """The section of that name, typed as it stands."""
    _own_csv(tmp_path)
    new, run = (block for block in blocks("sh") if "my-postmortem" in block)
    (edit,) = (block for block in blocks("yaml") if "severity_rules" in block)
    _typed(new, tmp_path)
    _edited(tmp_path / "params/incident_postmortem/my-postmortem.yaml", edit)
    _typed(run, tmp_path)
    text = (tmp_path / "reports/incident_postmortem/my-postmortem/results.json").read_text("utf-8")
    found = json.loads(text)
    assert found["estimates"]["excess"]["low"] <= 1440 <= found["estimates"]["excess"]["high"]
    assert found["verdict"] == "SEV2, incident confirmed"
    assert found["series"]["actions"][0]["owner"] == "Queue"


def _own_panel(folder: Path) -> None:
    lines = ["market,week,complaints_per_1000,warning_since"]
    for market in range(30):
        start = (5, 7, 0)[market % 3]
        for week in range(12):
            rate = 20 + market % 7 + (market * 31 + week * 17) % 13 / 10
            rate -= 2 if start and week >= start else 0
            since = f"2026-W{start + 1:02d}" if start else ""
            lines.append(f"market {market},2026-W{week + 1:02d},{rate},{since}")
    (folder / "my-panel.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_did_a_rollout_work(tmp_path) -> None:
    """The section of that name, typed as it stands."""
    _own_panel(tmp_path)
    new, run = (block for block in blocks("sh") if "my-rollout" in block)
    (edit,) = (block for block in blocks("yaml") if "my-panel.csv" in block)
    _typed(new, tmp_path)
    path = tmp_path / "params/intervention_did/my-rollout.yaml"
    _edited(path, edit)
    _typed(run, tmp_path)
    results = tmp_path / "reports/intervention_did/my-rollout/results.json"
    att = json.loads(results.read_text("utf-8"))["estimates"]["att"]
    assert att["low"] <= -2 <= att["high"] < 0


def _own_markets(folder: Path) -> None:
    trees = ("oak", "ash", "elm", "fir", "yew", "lime", "pear", "plum", "rowan", "hazel", "maple")
    rng = np.random.default_rng(3)
    trend = rng.normal(size=52).cumsum()
    lines = ["market,week,reports_per_1000"]
    for number in range(22):
        market = trees[number] if number < len(trees) else f"{trees[number - 11]}-west"
        for week in range(1, 53):
            rate = 20 + number % 5 + (0.5 + number % 3) * trend[week - 1] + rng.normal() / 4
            rate -= 3 if market == "oak" and week >= 40 else 0
            lines.append(f"{market},{week},{rate:.3f}")
    (folder / "my-markets.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_only_one_market_had_it(tmp_path) -> None:
    """The section of that name, typed as it stands."""
    _own_markets(tmp_path)
    new, run = (block for block in blocks("sh") if "my-market" in block)
    (edit,) = (block for block in blocks("yaml") if "my-markets.csv" in block)
    _typed(new, tmp_path)
    _edited(tmp_path / "params/intervention_synth/my-market.yaml", edit)
    _typed(run, tmp_path)
    results = tmp_path / "reports/intervention_synth/my-market/results.json"
    att = json.loads(results.read_text("utf-8"))["estimates"]["att"]
    assert att["low"] <= -3 <= att["high"] < 0


def _own_items(folder: Path) -> int:
    """Two weeks' worth of posts and comments, one in 25 labelled; returns how many violate."""
    rng = np.random.default_rng(11)
    items, labels, bad = ["item_id,account_id,created_at,kind"], ["item_id,label"], 0
    for n in range(12_000):
        kind = "post" if n % 3 else "comment"
        violates = rng.random() < (0.04 if kind == "post" else 0.01)
        bad += violates
        day, hour = divmod(n * 27 * 24 // 12_000, 24)
        items.append(f"i{n},a{n % 4001},2026-03-{day + 2:02d}T{hour:02d}:15:00Z,{kind}")
        if rng.random() < 0.1:
            labels.append(f"i{n},{int(violates)}")
    (folder / "my-items.csv").write_text("\n".join(items) + "\n", encoding="utf-8")
    (folder / "my-labels.csv").write_text("\n".join(labels) + "\n", encoding="utf-8")
    return bad


def test_how_much_abuse_is_there(tmp_path) -> None:
    """The section of that name, typed as it stands."""
    bad = _own_items(tmp_path)
    new, run = (block for block in blocks("sh") if "my-abuse" in block)
    (edit,) = (block for block in blocks("yaml") if "my-items.csv" in block)
    _typed(new, tmp_path)
    _edited(tmp_path / "params/abuse_deep_dive/my-abuse.yaml", edit)
    _typed(run, tmp_path)
    results = tmp_path / "reports/abuse_deep_dive/my-abuse/results.json"
    share = json.loads(results.read_text("utf-8"))["estimates"]["prevalence"]
    assert share["low"] <= bad / 12_000 <= share["high"] < 0.1
