"""The gate: what comes out of a cell, and what may stand on a page."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from tests.report import audit, payloads, sample
from trustlib.report import page
from trustlib.report.allowed import allow
from trustlib.report.gate import Gate


@pytest.mark.parametrize("payload", payloads.PAYLOADS, ids=range(len(payloads.PAYLOADS)))
def test_no_payload_leaves_anything_that_could_run_in_any_channel(payload: str) -> None:
    text = page.render(payloads.notebook(payload), context=payloads.context(payload))
    assert audit.problems(text) == []
    assert audit.problems(page.failure(payloads.failed(payload))) == []


def test_the_audit_sees_what_it_must_see() -> None:
    raw = "<!doctype html><html><body>{}</body></html>"
    missed = [p for p in payloads.PAYLOADS[:42] if not audit.problems(raw.format(p))]
    assert missed == []


@pytest.mark.parametrize("payload", payloads.PAYLOADS, ids=range(len(payloads.PAYLOADS)))
def test_a_second_pass_of_the_allow_list_changes_nothing(payload: str) -> None:
    for fragment in (payload, sample.headline() + payload, f"<p>{payload}", f"<svg>{payload}"):
        once = str(Gate().html(fragment))
        assert _ordered(allow(once)) == _ordered(once)


def _ordered(markup: str) -> str:
    """Attributes in the order of their names: a dropped one changes the order of the rest."""
    return re.sub(
        r'((?: [\w:-]+="[^"]*")+)',
        lambda found: "".join(sorted(re.findall(r' [\w:-]+="[^"]*"', found[0]))),
        markup,
    )


def test_the_house_vocabulary_survives() -> None:
    for fragment in (sample.headline(), sample.segments(), sample.checks()):
        kept = str(Gate().html(fragment))
        assert kept == re.sub(r"&(?!\w+;)", "&amp;", fragment)


def test_svg_keeps_case_references_and_paint_and_loses_the_rest() -> None:
    svg = (
        '<svg viewBox="0 0 9 9" role="img" aria-label="a line"><metadata>made by</metadata>'
        '<defs><style>*{a:b}</style><clipPath id="c"><rect width="9" height="9"/></clipPath></defs>'
        '<g id="xtick_1"><text style="font-size:11px;position:fixed">1</text></g>'
        '<g id="figure_1" clip-path="url(#c)"><path id="m" d="M 0 0 L 1 1"/>'
        '<use xlink:href="#m" x="2" style="fill: none; stroke: var(--rule,#ccc)"/></g></svg>'
    )
    assert str(Gate().html(svg)) == (
        '<svg viewBox="0 0 9 9" role="img" aria-label="a line">'
        '<defs><clipPath id="s1-c"><rect width="9" height="9"></rect></clipPath></defs>'
        '<g class="xtick"><text style="font-size:11px">1</text></g>'
        '<g clip-path="url(#s1-c)"><path id="s1-m" d="M 0 0 L 1 1"></path>'
        '<use xlink:href="#s1-m" x="2" style="fill:none;stroke:var(--rule,#ccc)"></use></g></svg>'
    )


def test_ids_of_several_figures_never_meet_and_keep_their_references() -> None:
    gate = Gate()
    svg = '<svg><path id="m" d="M 0 0"/><path id="m" d="M 1 1"/><use href="#m"/></svg>'
    both = gate.html(svg + svg) + gate.html(svg)
    assert re.findall(r' id="([^"]+)"', both) == ["s1-m", "s2-m", "s3-m"]
    assert re.findall(r'href="#([^"]+)"', both) == ["s1-m", "s2-m", "s3-m"]


@pytest.mark.parametrize(
    "declaration",
    [
        "fill:url(https://evil.invalid/)",
        "fill:url('//evil.invalid/')",
        "fill:u\\72l(x)",
        "stroke:expression(alert(1))",
        "fill:red;}*{color:red",
        "background:red",
        "fill:image-set('x' 1x)",
        "fill:/**/url(x)",
        "fill:var(--x,url(x))",
        "-moz-binding:url(#x)",
    ],
)
def test_style_admits_paint_only(declaration: str) -> None:
    kept = str(Gate().html(f'<svg><rect style="{declaration}"/></svg>'))
    assert "evil" not in kept
    assert re.findall(r'style="([^"]*)"', kept) in ([], ["fill:red"])


def test_style_attributes_outside_figures_go() -> None:
    assert str(Gate().html('<p style="position:fixed">a</p>')) == "<p>a</p>"


@pytest.mark.parametrize(
    ("href", "kept"),
    [
        ("https://example.org/a?b=c", True),
        ("mailto:a@example.org", True),
        ("#here", True),
        ("data:text/csv;charset=utf-8,a%2Cb", True),
        ("data:text/html,a", False),
        ("data:text/csv,<b>", False),
        ("javascript:alert(1)", False),
        ("//example.org", False),
        ("relative/page.html", False),
        ("file:///etc/passwd", False),
    ],
)
def test_links_lead_where_they_may(href: str, kept: bool) -> None:
    assert ("href=" in Gate().html(f'<a href="{href}" download="x.csv">a</a>')) is kept


def test_a_download_has_a_plain_name() -> None:
    link = '<a href="data:text/csv,a" download="../../etc/a b;c.csv">x</a>'
    assert ' download="etc-a-b-c.csv"' in Gate().html(link)
    assert ' download="data.csv"' in Gate().html('<a href="data:text/csv,a">x</a>')


def test_images_are_in_the_file_and_described() -> None:
    gate = Gate()
    good = gate.html('<img src="data:image/png;base64,AAAA" alt="A line">')
    assert good == '<img src="data:image/png;base64,AAAA" alt="A line">'
    assert 'alt="Figure without description"' in gate.image("AAAA", kind="png")
    assert 'alt="What &lt;b&gt; shows"' in gate.image("AAAA", kind="png", label="What <b> shows")
    assert "left out" in gate.html('<img src="https://example.org/a.png" alt="a">')
    assert gate.page.without_description == 1


def test_an_svg_without_a_description_takes_the_given_one() -> None:
    svg = "<?xml version='1.0'?><!DOCTYPE svg><svg viewBox='0 0 1 1'></svg>"
    given = '" onload="alert(1)'
    assert 'aria-label="Figure without description"' in Gate().svg(svg)
    assert 'aria-label="&quot; onload=&quot;alert(1)"' in Gate().svg(svg, label=given)


def test_pandas_frames_get_scope_a_scroll_box_and_aligned_numbers() -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "n": [1, 23], "share": [0.5, float("nan")]})
    kept = str(Gate().html(frame.to_html()))
    assert kept.startswith('<div class="scroll"><table class="dataframe">')
    assert kept.count('scope="col"') == 4
    assert kept.count('scope="row"') == 2
    assert '<th class="n" scope="col">share</th>' in kept
    assert '<td class="n">NaN</td>' in kept
    assert "<td>a</td>" in kept


def test_a_frame_with_two_header_rows_is_left_as_it_is() -> None:
    columns = pd.MultiIndex.from_product([["x"], ["a", "b"]])
    kept = str(Gate().html(pd.DataFrame([[1, 2]], columns=columns).to_html()))
    assert '<td class="n">1</td>' in kept
    assert audit.problems(f"<!doctype html><body>{kept}</body>") == []


def test_headings_keep_their_order_below_the_section() -> None:
    gate = Gate()
    gate.under(2)
    kept = gate.html("<h1>a</h1><h5>b</h5><h2>c</h2>")
    assert kept == "<h3>a</h3><h4>b</h4><h3>c</h3>"


def test_markdown_becomes_html_and_a_missing_attachment_costs_nothing() -> None:
    gate = Gate()
    table = gate.markdown("| a | b |\n|---|---|\n| *x* | 1 |")
    assert "<em>x</em>" in table
    assert table.count('scope="col"') == 2
    picture = {"p.png": {"image/png": "AAAA"}}
    assert 'src="data:image/png;base64,AAAA"' in gate.markdown("![A](attachment:p.png)", picture)
    assert gate.markdown("![A](attachment:q.png)") == "<pre>![A](attachment:q.png)</pre>"


def test_prices_are_not_mathematics() -> None:
    assert Gate().markdown("from $5 to $6 each") == "<p>from $5 to $6 each</p>\n"


def test_deep_nesting_ends_as_text_or_markup_but_ends() -> None:
    assert Gate().markdown(">" * 3000 + " a")
    assert Gate().html("<div>" * 5000 + "a" + "</div>" * 5000)


def test_plain_text_is_escaped_and_loses_terminal_codes() -> None:
    assert Gate().plain("\x1b[31ma<b>\x1b[0m\n") == "<pre>a&lt;b&gt;</pre>"
    assert Gate().plain("\n \n") == ""


def test_headings_take_inline_markdown_only() -> None:
    gate = Gate()
    assert gate.heading("What *happened* in `x`") == "What <em>happened</em> in <code>x</code>"
    assert gate.heading("a <b> & `c`") == "a &lt;b&gt; &amp; <code>c</code>"
    assert "<img" not in gate.heading("![a](https://example.org/a.png) b")
    assert gate.inline('<p class="x">a <a href="https://example.org">b</a></p>') == "a b"
