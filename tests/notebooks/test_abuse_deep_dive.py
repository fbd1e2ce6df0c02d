"""The deep-dive's notebook: answer first, three plots, what was planted, a real sample of votes."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import nbformat
import pandas as pd
import pytest

from tests.notebooks.executing import NOTEBOOKS, ROOT, executed, html_of, results, with_params
from trustlib.core import Window
from trustlib.demo.abuse import abuse_truth
from trustlib.params import schema

NOTEBOOK = NOTEBOOKS / "abuse_deep_dive.ipynb"
VOTES = ROOT / ".." / "shared" / "realdata" / "rater_votes.csv"
PLANTED = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))
CONTRACT = (
    *("prevalence", "prevalence_views", "affected_accounts", "recall_of_controls"),
    "unseen_lower_bound",
)


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_answer_and_three_plots_come_first(notebook) -> None:
    headings = [
        line
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("## ")
    ]
    assert headings[4:8] == [
        "## Answer",
        "## Since when",
        "## Who is behind it",
        "## Where it is",
    ]
    assert headings[-1] == "## Provenance"
    assert headings.index("## Can we believe it") < headings.index("## What to do next")


def test_stock_papermill_runs_it_and_finds_what_was_planted(project) -> None:
    subprocess.run(
        [sys.executable, "-m", "papermill", "--cwd", ".", "notebooks/abuse_deep_dive.ipynb",
         "deep-dive.ipynb", "-f", "params/abuse_deep_dive/example.yaml"],
        cwd=project, check=True, capture_output=True,
    )  # fmt: skip
    document = results(nbformat.read(project / "deep-dive.ipynb", as_version=4))
    truth = abuse_truth(project / ".trustlib" / "demo", window=PLANTED)
    found = document["estimates"]
    assert set(CONTRACT) <= set(found)
    for name, right in (
        ("prevalence", truth.total.prevalence),
        ("prevalence_views", truth.total.prevalence_views),
        ("affected_accounts", truth.affected_viewers),
        ("recall_of_controls", 1 - truth.unseen / truth.total.violating_items),
    ):
        assert found[name]["low"] <= right <= found[name]["high"], name
    assert found["unseen_lower_bound"]["low"] <= truth.unseen
    assert {"trend", "segments", "actors", "clusters"} <= set(document["series"])
    segments = pd.DataFrame(document["series"]["segments"])
    market = segments[segments["segment"] == "market"].sort_values("share", ascending=False)
    assert market["value"].iloc[0] in ("unknown", truth.growing_market)
    assert document["verdict"] == "sized, growing in a segment"


def asked_of_nothing() -> dict[str, object]:
    """Every parameter at its default, not at the example's value."""
    fields = schema("abuse_deep_dive").model_fields
    return {
        name: list(field.default) if isinstance(field.default, tuple) else field.default
        for name, field in fields.items()
        if not field.is_required()
    }


@pytest.mark.skipif(not VOTES.exists(), reason="../shared/realdata is not part of the project")
def test_a_real_sample_of_votes(tmp_path, notebook) -> None:
    """One in ten of 24,783 posts with the votes on it stands for all; the others' votes are known.

    The votes name no account, no time and no view: every post is an account's of its own, and the
    sections that need more say so.
    """
    votes = pd.read_csv(VOTES)
    items = votes[["item_id"]].assign(
        account_id=votes["item_id"], created_at="2026-03-10T12:00:00Z"
    )
    items.to_csv(tmp_path / "items.csv", index=False)
    drawn = votes[votes["item_id"] % 10 == 3]
    rows = [
        (item.item_id, f"r{rater}", int(rater < item.n_hate_speech), 0.1)
        for item in drawn.itertuples()
        for rater in range(item.n_raters)
    ]
    columns = ["item_id", "rater_id", "label", "inclusion_probability"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "labels.csv", index=False)
    asked = dict(asked_of_nothing(), title="Hate speech", area="hate speech",
                 items_source="items.csv", labels_source="labels.csv",
                 window_start="2026-03-02T00:00:00+00:00",
                 window_end="2026-03-30T00:00:00+00:00")  # fmt: skip
    (tmp_path / "votes.yaml").write_text(json.dumps(asked), encoding="utf-8")
    done = executed(with_params(notebook, tmp_path / "votes.yaml"), tmp_path)
    document = results(done)
    truth = (2 * votes["n_hate_speech"] > votes["n_raters"]).mean()
    share = document["estimates"]["prevalence"]
    assert share["low"] <= truth <= share["high"]
    assert share["high"] - share["low"] < 0.03
    assert document["estimates"]["recall_of_controls"]["point"] is None
    checks = {check["name"]: check for check in document["checks"]}
    assert checks["rater_agreement"]["verdict"] in ("warn", "fail")
    page = html_of(done)
    assert "There is nothing of views" in page
    assert "There is nothing of actions" in page
    assert "NaN" not in json.dumps(document)
