"""How many accounts saw a violating item: estimators over made-up audiences, and how often right.

    python -m tests.studies.reach_coverage [--seeds 60]

writes tests/studies/reach_coverage.md beside itself. Audiences in
tests/harm/deep_dive/audiences.py: each kind with each way in which items become confirmed.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import get_args

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from tests.harm.deep_dive.audiences import LABELLED, Audience, Found, audience
from tests.harm.deep_dive.worlds import SPEC
from tests.studies.incident_coverage import markdown
from trustlib.harm.deep_dive.reach import affected_accounts
from trustlib.harm.deep_dive.samples import samples
from trustlib.harm.deep_dive.size import size

HEAD = """# Accounts that saw a violating item: which estimator covers

Made by `python -m tests.studies.reach_coverage --seeds {seeds}`; audiences in
`tests/harm/deep_dive/audiences.py`, {seeds} worlds per row, 600 violating items, about 15 % of them
labelled, 40 % found by a control; 1,200 labelled views. Ratios are medians over the truth V; the
standard error of a coverage of .95 is {error:.3f}.

- *views / V*: violating views, as estimated, for each account that saw one.
- *S₁*, *S₁ − S₂*: viewers of labelled violating items, and of two of them in common, each over
  its chance to be labelled and over the raters' sensitivity: Bonferroni's bounds.
- *pairs*: W / (1 + λ / 2), W violating views and λ from what two labelled items have in common.
- *the report's*: W / (1 + a W) from views and accounts of confirmed items; then its low and high
  end, and how often these hold the truth.
- *narrow*: how often they would, if the high end were W's high end at the confirmed items'
  accounts per view (what random confirmation would justify) and not one account
  for each other view.

"""
TAIL = """

The bounds S₁ − S₂ and S₁ hold, but as an interval they say nothing once views repeat: S₁ − S₂ falls
below 0, and both are single numbers with the error of few labels. Pairs alone are as noisy as the
square of the labelled share. The report's number is near the truth where what is confirmed is seen
as the rest is, and far from it where a few accounts see nearly everything, or where controls see
one crowd only; its ends hold in either case. The narrow high end does not where controls find what
few accounts see over and over ({narrow:.2f} at the worst), so the report keeps the wide one.
Coverage is above its level because the two ends count on the worst together: fewest views with most
repetition, most views with none.
"""


def one(seed: int, kind: Audience, found: Found) -> dict[str, float]:
    """Every estimator over the truth, in one world."""
    rows, truth = audience(seed, kind, found)
    drawn = samples(rows, SPEC)
    sizes, _ = size(rows, drawn, SPEC)
    told = affected_accounts(rows, drawn, sizes, SPEC)
    share = sizes.views_corrected.estimate
    views, most = (float(drawn.views_population.views.sum()) * x for x in (share.point, share.high))
    each = rows.viewers["viewers"].to_numpy(float)
    common = float(rows.shared_viewers["viewers"].sum())
    first, second = each.sum() / (LABELLED * 0.9), common / (LABELLED * 0.9) ** 2
    rate = 2 * common / (each.sum() ** 2 - np.sum(each**2)) * views
    known = rows.confirmed
    narrow = max(most * known.viewers / known.views, told.point)
    return {
        "accounts": truth,
        "first": first / truth,
        "second": (first - second) / truth,
        "pairs": views / (1 + rate / 2) / truth,
        "point": told.point / truth,
        "low": told.low / truth,
        "high": told.high / truth,
        "covered": float(told.low <= truth <= told.high),
        "narrow": float(told.low <= truth <= narrow),
        "views": views / truth,
    }


def study(seeds: int) -> pd.DataFrame:
    rows = []
    for kind in get_args(Audience):
        for found in get_args(Found):
            each = pd.DataFrame([one(seed, kind, found) for seed in range(seeds)])
            told = each.median().to_dict() | each[["covered", "narrow"]].mean().to_dict()
            rows.append({"audience": kind, "confirmed": found} | told)
    return pd.DataFrame(rows)


def page(found: pd.DataFrame, seeds: int) -> str:
    told = pd.DataFrame(
        {
            "audience": found["audience"],
            "confirmed": found["confirmed"],
            "V": found["accounts"].map("{:,.0f}".format),
            "views / V": found["views"].map("{:.2f}".format),
            "S₁": found["first"].map("{:.2f}".format),
            "S₁ − S₂": found["second"].map("{:.2f}".format),
            "pairs": found["pairs"].map("{:.2f}".format),
            "the report's": found["point"].map("{:.2f}".format),
            "low": found["low"].map("{:.2f}".format),
            "high": found["high"].map("{:.2f}".format),
            "coverage": found["covered"].map("{:.3f}".format),
            "narrow": found["narrow"].map("{:.3f}".format),
        }
    )
    error = (0.95 * 0.05 / seeds) ** 0.5
    head = HEAD.format(seeds=seeds, error=error)
    return head + markdown(told) + TAIL.format(narrow=found["narrow"].min())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=60)
    seeds = parser.parse_args().seeds
    text = page(study(seeds), seeds)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
