"""Executed notebooks as a run leaves them, built without a kernel.

`incident` has the shape of a house notebook; `scratch` is what a data scientist writes on a
Tuesday afternoon. Both are made of seeded numbers.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from markupsafe import Markup
from nbformat import NotebookNode, v4

from trustlib.core import Check, Estimate, Results

TITLE = "Blizzard of January 2015: how many trips were lost?"
CHECKS = (
    ("placebo_windows", "pass", "outside every placebo window", "0 of 11 earlier windows do."),
    ("two_methods_agree", "pass", "two methods agree", "The same hours give −715,000."),
    ("holidays", "warn", "holidays in the history", "Martin Luther King Day was left out."),
    ("control_usable", "not_run", "no control series", "No control column was given."),
)
COLOURS = {
    "actual": "#0b5cad",
    "expected": "#70757d",
    "harm": "#b3421f",
    "rule": "#dfdfd9",
    "muted": "#5d6067",
    "ink": "#000000",
}
SIGNS = {"pass": "✓", "warn": "!", "fail": "✗", "not_run": "–"}


def context(**changes: Any) -> dict[str, Any]:
    """What the runner hands to the page for `incident`."""
    base: dict[str, Any] = {
        "notebook": "incident_sizing",
        "slug": "nyc-blizzard",
        "run_id": "20150201T103104Z-1a2b3c",
        "title": TITLE,
        "owner": "Marketplace Integrity",
        "as_of": "2015-02-01T00:00:00+00:00",
        "timezone": "America/New_York",
        "status": "complete",
        "results": results().to_json(),
        "page": {"period": "26 Jan, 12:00 – 28 Jan 2015, 00:00 New York (17:00 – 05:00 UTC)"},
        "started_at": "2015-02-01T10:31:04+00:00",
        "revision": 2,
        "revisions": [
            {
                "run_id": "20150130T090000Z-0f0f0f",
                "ran_at": "2015-01-30T09:00:00+00:00",
                "as_of": "2015-01-30T00:00:00+00:00",
                "headline": "−702,000 trips (95 % interval −790,000 to −611,000)",
                "estimates": {},
                "verdict": "incident confirmed",
            }
        ],
        "manifest": {
            "params": {"title": TITLE, "owner": "Marketplace Integrity"},
            "params_sha256": "b1" * 32,
            "code": {"commit": "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d", "dirty": False},
            "lock_sha256": "77e0" * 16,
            "python": "CPython 3.11.2",
            "packages": {"trustlib": "0.1.0"},
            "snapshots": [{"source": "nyc_taxi.csv", "rows": 10320, "sha256": "6f2a" * 16}],
            "command": "trustlib run params/incident_sizing/nyc_blizzard.yaml",
        },
    }
    return base | changes


def results() -> Results:
    """The results that `incident` carries."""
    number = Estimate(
        point=-719_000.0, low=-783_000.0, high=-655_000.0, level=0.95, unit="trips",
        method="GLM", n=1000,
    )  # fmt: skip
    return Results(
        notebook="incident_sizing",
        headline="Riders took 719,000 fewer trips than expected (655,000 to 783,000).",
        verdict="incident confirmed",
        estimates={"excess": number},
        checks=[Check(name=n, verdict=v, label=label, text=t) for n, v, label, t in CHECKS],  # type: ignore[arg-type]
    )


def html(fragment: str) -> NotebookNode:
    return v4.new_output("display_data", {"text/html": fragment, "text/plain": "…"})


def code(source: str, *outputs: NotebookNode, tags: tuple[str, ...] = ()) -> NotebookNode:
    cell = v4.new_code_cell(source, outputs=list(outputs), execution_count=1)
    if tags:
        cell.metadata["tags"] = list(tags)
    return cell


def text(source: str) -> NotebookNode:
    return v4.new_markdown_cell(source)


def book(*cells: NotebookNode) -> NotebookNode:
    for i, cell in enumerate(cells):
        cell["id"] = f"cell-{i}"
    return v4.new_notebook(cells=list(cells))


def incident() -> NotebookNode:
    """Headline, four pieces of evidence, checks, assumptions, appendix."""
    hours = pd.date_range("2015-01-26", periods=84, freq="h")
    return book(
        text("# How many trips did the blizzard cost, and how sure are we?"),
        code("source = 'nyc_taxi.csv'\nlevel = 0.95", tags=("parameters",)),
        text("## Set-up\n\nThe parameters are checked before anything is read."),
        code("params = IncidentSizingParams.from_notebook(globals())"),
        text("## Estimate\n\nThe counterfactual comes from eight comparable weeks."),
        code("result = incidents.sizing(data.read_counts(params.counts_query()).frame)"),
        text("## Answer"),
        code("narrative.headline(result)", html(headline())),
        text("## What happened\n\nWithout an incident the blue line stays inside the grey band."),
        code(
            "figures.counterfactual(result)",
            html(
                finding("Trips fell to almost nothing overnight and were back within a day")
                + figure(*_counterfactual(hours))
            ),
        ),
        text("## How it added up\n\nThe end of this curve is the number in the headline."),
        code(
            "figures.cumulative(result)",
            html(finding("Half of the loss came before the travel ban was lifted")),
            html(figure(*_cumulative(hours))),
        ),
        text("## Where it fell\n\nEvery borough should show it, the outer ones most."),
        code(
            "tables.segments(result)",
            html(finding("Manhattan lost most, Staten Island the largest share") + segments()),
        ),
        text("## Can we believe it"),
        code(
            "tables.checks(result)",
            html(finding("Two of four checks pass; one needs a reader’s judgement") + checks()),
        ),
        text(
            "## Assumptions and limits\n\n"
            "| Assumption | Evidence | If wrong |\n|---|---|---|\n"
            "| Demand would have followed the season | strong | total moves by under 5 % |\n"
            "| Recorded trips are all trips | medium | the shortfall includes lost records |\n\n"
            "### Not in this number\n\nTrips *postponed* to the next week are counted as lost."
        ),
        text("## Actions\n\n1. Refund decision by Friday.\n2. Ask the meter vendor for outages."),
        text("## Appendix"),
        code(
            "narrative.definitions(result)",
            html(
                "<details><summary>Definitions</summary><dl><dt>Excess</dt><dd>actual − expected"
                "</dd></dl></details><details><summary>SQL that ran</summary><pre>SELECT "
                "date_trunc('hour', timestamp) AS bucket_start_at, sum(value) AS count\nFROM "
                "read_csv('nyc_taxi.csv') WHERE timestamp &lt; TIMESTAMP '2015-02-01' GROUP BY 1 "
                "ORDER BY 1 -- one row per bucket, whole grid, ascending, ambiguous hours flagged"
                "</pre></details>"
            ),
        ),
        code("results", v4.new_output("display_data", dict(results()._repr_mimebundle_()))),
    )


def headline() -> str:
    marks = "".join(f'<li class="{v}">{SIGNS[v]} {label}</li>' for _, v, label, _ in CHECKS)
    return (
        '<section class="headline" aria-label="Answer"><p class="figure">−719,000 trips</p>'
        '<p class="interval">95 % interval −783,000 to −655,000 · 65 % below expected</p>'
        "<p>Over 36 hours, riders took 392,000 trips where 1.11 million were expected.</p><ul>"
        "<li>Nothing in eight comparable weeks comes near it.</li><li>Service was back inside its "
        "normal band by 28 January, 08:00.</li><li>Estimated onset is 26 January, 13:00, one hour "
        f'after the stated one.</li></ul><ul class="strip" aria-label="Checks">{marks}</ul>'
        '</section><div class="ask"><p><strong>What we ask of you.</strong> Decide by Friday '
        "whether to refund subscribers for 27 January (about 41,000 accounts, $0.9–1.1 million)."
        "</p></div>"
    )


def finding(sentence: str) -> str:
    return str(Markup('<p class="finding">{}</p>').format(sentence))


def figure(svg: str, caption: str, rows: pd.DataFrame, name: str) -> str:
    link = "data:text/csv;charset=utf-8," + quote(rows.to_csv(index=False))
    return (
        f'<figure>{svg}<figcaption>{caption} <a href="{link}" download="{name}.csv">Data (CSV)'
        "</a></figcaption></figure>"
    )


def segments() -> str:
    rows = (
        ("Manhattan", "−402,000", "−440,000 to −364,000", "−58 %"),
        ("Brooklyn", "−168,000", "−190,000 to −146,000", "−71 %"),
        ("Queens", "−121,000", "−139,000 to −103,000", "−74 %"),
        ("Staten Island", "−28,000", "−34,000 to −22,000", "−83 %"),
    )
    body = "".join(
        f'<tr><th scope="row">{a}</th><td class="n">{b}</td><td class="n">{c}</td>'
        f'<td class="n">{d}</td></tr>'
        for a, b, c, d in rows
    )
    return (
        '<div class="scroll"><table><caption>Shortfall by borough; rows add up to the total'
        '</caption><thead><tr><th scope="col">Borough</th><th scope="col" class="n">Excess</th>'
        '<th scope="col" class="n">95 % interval</th><th scope="col" class="n">Relative</th></tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def checks() -> str:
    body = "".join(
        f'<tr><th scope="row">{n.replace("_", " ").capitalize()}</th><td class="{v}">{SIGNS[v]} '
        f"{v.replace('_', ' ')}</td><td>{t}</td></tr>"
        for n, v, _, t in CHECKS
    )
    return (
        '<div class="scroll"><table><caption>Every check, the worst first</caption><thead><tr>'
        '<th scope="col">Check</th><th scope="col">Verdict</th><th scope="col">Why</th></tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def _expected(hours: pd.DatetimeIndex) -> np.ndarray:
    return 28 + 18 * np.sin((hours.hour.to_numpy() - 8) / 24 * 2 * np.pi)


def _counterfactual(hours: pd.DatetimeIndex) -> tuple[str, str, pd.DataFrame, str]:
    expected = _expected(hours)
    lost = np.exp(-(((np.arange(84) - 27) / 12) ** 2))
    actual = expected * (1 - 0.97 * lost) + np.random.default_rng(3).normal(0, 1, 84)

    def draw(ax: Any) -> None:
        ax.fill_between(hours, expected * 0.7, expected * 1.3, color="#70757d", alpha=0.18, lw=0)
        ax.plot(hours, expected, color="#70757d", lw=1.3, ls=(0, (4, 2)))
        ax.plot(hours, actual, color="#0b5cad", lw=2.2)
        ax.axvspan(hours[12], hours[48], color="#b3421f", alpha=0.07, lw=0)
        ax.text(hours[-1], actual[-1], " actual", color="#0b5cad", weight="bold", size=11)
        ax.text(hours[12], 59, " incident window", color="#b3421f", size=10)

    rows = pd.DataFrame({"hour": hours, "actual": actual.round(2), "expected": expected.round(2)})
    svg = draw_svg(
        draw, "Line chart. Trips per hour fall to almost nothing in the incident window."
    )
    caption = "Trips per hour, thousands; band: 95 % interval for a single hour."
    return svg, caption, rows, "counterfactual"


def _cumulative(hours: pd.DatetimeIndex) -> tuple[str, str, pd.DataFrame, str]:
    total = -np.cumsum(np.full(36, 20.0))

    def draw(ax: Any) -> None:
        ax.fill_between(hours[:36], total * 0.88, total * 1.12, color="#0b5cad", alpha=0.18, lw=0)
        ax.plot(hours[:36], total, color="#0b5cad", lw=2.2)

    rows = pd.DataFrame({"hour": hours[:36], "cumulative_excess": total})
    svg = draw_svg(draw, "Line chart. The shortfall grows steadily and never touches zero.")
    return svg, "Cumulative shortfall with its 95 % interval.", rows, "cumulative"


def draw_svg(draw: Any, label: str, *, salt: str = "same") -> str:
    """A stock matplotlib SVG (its ids repeat between figures), coloured by page variables."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings = {"svg.hashsalt": salt, "svg.fonttype": "none", "text.parse_math": False}
    with mpl.rc_context(settings):
        fig = Figure(figsize=(8.6, 3.3), layout="constrained")
        FigureCanvasSVG(fig)
        ax = fig.add_subplot()
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.grid(axis="y", color="#dfdfd9", lw=0.7)
        ax.tick_params(length=0, colors="#5d6067", labelsize=11)
        draw(ax)
        out = io.StringIO()
        fig.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    for name, code_ in COLOURS.items():
        svg = svg.replace(f": {code_}", f": var(--{name},{code_})")
    size = svg[svg.index(' width="') : svg.index(' viewBox="')]
    return svg.replace(size, f' role="img" aria-label="{label}"', 1)


def scratch() -> NotebookNode:
    """A data scientist's notebook: frames, prints, a PNG figure, notes; no house views."""
    frame = pd.DataFrame(
        {
            "market": ["DE", "FR", "US"],
            "items": [1204, 998, 15203],
            "rate": [0.0123, 0.0088, 0.0214],
        }
    )
    wide = pd.DataFrame(np.arange(60).reshape(4, 15), columns=[f"column_{i}" for i in range(15)])
    return book(
        text("# Why did reports rise in May?\n\nA quick look, not a report."),
        code("frame", html(frame.to_html())),
        text("## First look\n\n*Rates*, `per item`:\n\n- by market\n- by week\n\n> small"),
        code(
            "print(frame.shape)",
            v4.new_output("stream", name="stdout", text="(3, "),
            v4.new_output("stream", name="stdout", text="3)\n"),
            v4.new_output("stream", name="stderr", text="UserWarning: old index\n"),
        ),
        code("frame.plot()", v4.new_output(
            "display_data", {"image/png": png(), "text/plain": "<Figure size 640x480>"})),
        text("### A wide one\n\n```python\nwide.head()\n```\n"),
        code("wide", html(wide.to_html())),
        code("x", v4.new_output("execute_result", {"text/plain": "{'a': 1}"}, execution_count=5)),
    )  # fmt: skip


def png() -> str:
    """A small matplotlib figure in base64."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    fig = Figure(figsize=(6, 3))
    FigureCanvasAgg(fig)
    fig.add_subplot().plot([1, 3, 2])
    out = io.BytesIO()
    fig.savefig(out, format="png", metadata={"Software": None})
    return base64.b64encode(out.getvalue()).decode()


def failed(**changes: Any) -> dict[str, Any]:
    """What the runner hands to `page.failure`."""
    base: Mapping[str, Any] = {
        "notebook": "incident_sizing",
        "slug": "nyc-blizzard",
        "run_id": "20150201T104000Z-9f9f9f",
        "status": "failed",
        "title": TITLE,
        "owner": "Marketplace Integrity",
        "cell": 7,
        "heading": "Estimate",
        "error": {
            "type": "ValueError",
            "what": "The cell stopped with a ValueError.",
            "next_step": "run it again with --debug to see the message in the terminal",
        },
        "frames": [
            {"file": "cell", "line": 2, "function": "<module>", "code": "incidents.sizing(counts)"},
            {"file": "trustlib/incidents/grid.py", "line": 41, "function": "grid", "code": ""},
        ],
        "command": "trustlib run params/incident_sizing/nyc_blizzard.yaml",
        "last_good": {"run_id": "20150201T103104Z-1a2b3c", "ran_at": "2015-02-01T10:31:04+00:00"},
    }
    return dict(base) | changes
