"""The page in a real browser: nothing runs, nothing is asked for, and it fits the reader."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report import payloads, sample, test_gallery
from tests.report.browser import CHROMIUM, Browser
from trustlib.report import gallery, page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

ALL = "\n".join(payloads.PAYLOADS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as running:
        running.device(width=1280, height=844, phone=False, scheme="light")
        yield running


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every page of ours, full of payloads: one by one in the cells, together in each text."""
    folder = tmp_path_factory.mktemp("hostile")
    cells = [cell for payload in payloads.PAYLOADS for cell in payloads.notebook(payload).cells]
    notebook = sample.book(*cells)
    (folder / "report.html").write_text(page.render(notebook, context=payloads.context(ALL)))
    (folder / "failure.html").write_text(page.failure(payloads.failed(ALL)))
    for i, payload in enumerate(payloads.PAYLOADS):
        params = dict.fromkeys(("title", "owner", "as_of"), payload)
        run_id = f"20150201T{i:06}Z-aaaaaa"
        test_gallery.put(folder, f"r{i}", run_id, params=params, headline=payload, verdict=payload)
    gallery.write(folder)
    return folder


def provoked(browser: Browser, path: Path) -> dict[str, object]:
    """What happened when the page was opened and everything on it was opened and focused."""
    browser.open(path)
    browser.script(
        "document.querySelectorAll('details').forEach(d => d.open = true);"
        "document.querySelectorAll('a:not([href^=http]):not([href$=\".html\"])')"
        ".forEach(a => { a.focus(); a.dispatchEvent(new MouseEvent('mouseover')) });"
        "document.querySelectorAll('svg a, [tabindex], input').forEach(e => e.focus())"
    )
    browser.settle(0.3)
    requested = [event["request"]["url"] for event in browser.seen("Network.requestWillBeSent")]
    return {
        "dialogs": len(browser.seen("Page.javascriptDialogOpening")),
        "asked": [url[:80] for url in requested if not url.startswith(("file:", "data:image/"))],
        "marked": browser.script("document.documentElement.hasAttribute('data-pwned')"),
        "moved": browser.script("location.href") != path.resolve().as_uri(),
        "frames": browser.script("window.length"),
    }


CALM = {"dialogs": 0, "asked": [], "marked": False, "moved": False, "frames": 0}


@pytest.mark.parametrize("name", ["report.html", "failure.html", "index.html"])
@pytest.mark.parametrize("policy", [True, False], ids=["with policy", "without policy"])
def test_nothing_runs_and_nothing_is_asked_for(
    browser: Browser, hostile: Path, name: str, policy: bool
) -> None:
    text = (hostile / name).read_text()
    path = hostile / f"{policy}-{name}"
    # The gate must hold alone; the policy is a second wall, not the first.
    path.write_text(text if policy else re.sub(r"<meta http-equiv=[^>]*>", "", text))
    assert provoked(browser, path) == CALM


def test_the_browser_would_have_seen_it(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "raw.html"
    path.write_text("<!doctype html><body><img src=https://evil.invalid/x>" + payloads.PAYLOADS[3])
    seen = provoked(browser, path)
    assert seen["dialogs"]
    assert seen["marked"]
    assert seen["asked"]


def test_the_policy_is_in_force(browser: Browser, hostile: Path) -> None:
    browser.open(hostile / "report.html")
    browser.script(
        "let s = document.createElement('script'); s.textContent = "
        "\"document.documentElement.setAttribute('data-pwned','1')\"; document.body.append(s);"
        "let i = new Image(); i.src = 'https://evil.invalid/y.png'; document.body.append(i);"
    )
    browser.settle(0.2)
    assert not browser.script("document.documentElement.hasAttribute('data-pwned')")
    refused = [event["entry"]["text"] for event in browser.seen("Log.entryAdded")]
    assert any("script" in text for text in refused)
    assert any("img-src" in text for text in refused)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    text = page.render(sample.incident(), context=sample.context())
    (folder / "report.html").write_text(text)
    (folder / "scratch.html").write_text(page.render(sample.scratch(), context={}))
    (folder / "failure.html").write_text(page.failure(sample.failed()))
    test_gallery.put(folder, "one", test_gallery.FIRST)
    test_gallery.put(folder, "two", test_gallery.SECOND, verdict="no incident shown")
    gallery.write(folder)
    return folder


@pytest.mark.parametrize("name", ["report", "scratch", "failure", "index"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_page_scrolls_sideways(browser: Browser, good: Path, name: str, width: int) -> None:
    browser.device(width=width, height=844, phone=width < 700, scheme="light")
    browser.open(good / f"{name}.html")
    assert browser.script("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1280])
def test_endless_words_do_not_widen_a_page(browser: Browser, tmp_path: Path, width: int) -> None:
    word = "x" * 10_000
    cells = [
        sample.text(f"# {word}"),
        sample.text(f"## {word}\n\n{word}\n\n- {word}"),
        sample.code(word, sample.html(sample.finding(word) + f"<table><tr><td>{word}</table>")),
        sample.code(word, sample.html(f"<svg viewBox='0 0 9 9'><text>{word}</text></svg>")),
        sample.code(word, sample.html(f"<figure><figcaption>{word}</figcaption></figure>")),
    ]
    text = page.render(sample.book(*cells), context=payloads.context(word))
    (tmp_path / "report.html").write_text(text)
    (tmp_path / "failure.html").write_text(page.failure(payloads.failed(word)))
    browser.device(width=width, height=844, phone=width < 700, scheme="light")
    for name in ("report", "failure"):
        browser.open(tmp_path / f"{name}.html")
        assert browser.script("document.documentElement.scrollWidth") <= width


def test_nothing_on_the_page_is_refused_by_its_own_policy(browser: Browser, good: Path) -> None:
    for name in ("report", "scratch", "failure", "index"):
        browser.open(good / f"{name}.html")
        assert browser.seen("Log.entryAdded") == []


def test_contents_are_folded_on_a_phone_and_beside_the_text_on_a_desk(
    browser: Browser, good: Path
) -> None:
    visible = (
        "[...document.querySelectorAll('nav.toc a')].filter(a => a.checkVisibility("
        "{contentVisibilityAuto: true, visibilityProperty: true})).length"
    )
    browser.device(width=390, height=844, phone=True, scheme="light")
    browser.open(good / "report.html")
    assert browser.script(visible) == 0
    browser.script("document.querySelector('.toc.fold summary').click()")
    assert browser.script(visible) == 10
    browser.device(width=1280, height=844, phone=False, scheme="light")
    browser.open(good / "report.html")
    assert browser.script(visible) == 10
    browser.script("window.scrollTo(0, 2000)")
    assert browser.script("document.querySelector('.toc.side').getBoundingClientRect().top") > 0


def test_letters_in_figures_are_legible_on_a_phone(browser: Browser, good: Path) -> None:
    browser.device(width=390, height=844, phone=True, scheme="light")
    browser.open(good / "report.html")
    sizes = browser.script(
        "[...document.querySelectorAll('figure svg text')].filter(t => t.checkVisibility())"
        ".map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)"
    )
    assert sizes
    assert min(sizes) >= 9


def test_figures_follow_the_readers_colour_scheme(browser: Browser, good: Path) -> None:
    grounds, lines = [], []
    for scheme in ("light", "dark"):
        browser.device(width=1280, height=844, phone=False, scheme=scheme)
        browser.open(good / "report.html")
        ground = "getComputedStyle(document.documentElement).backgroundColor"
        grounds.append(browser.script(ground))
        style = "getComputedStyle(document.querySelector('path[style*=\"--actual\"]')).stroke"
        lines.append(browser.script(style))
    assert grounds == ["rgb(255, 255, 255)", "rgb(21, 23, 26)"]
    assert lines == ["rgb(11, 92, 173)", "rgb(111, 177, 242)"]


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
def test_paper_has_everything_unfolded_on_white_and_no_contents_list(
    browser: Browser, good: Path, tmp_path: Path
) -> None:
    browser.device(width=1280, height=844, phone=False, scheme="dark")
    browser.open(good / "report.html")
    printed = browser.call("Page.printToPDF", preferCSSPageSize=True)
    (tmp_path / "page.pdf").write_bytes(base64.b64decode(printed["data"]))
    done = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True
    )
    text = done.stdout
    assert "ambiguous hours flagged" in re.sub(r"\s+", " ", text)  # the end of a folded, long line
    # Pages of code are for the screen; paper says where they are.
    assert "from_notebook(globals())" not in text
    assert "The code is not printed" in text
    assert "Contents" not in text
    assert 2 <= text.count("\f") <= 6


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
def test_on_paper_an_endless_word_cuts_no_column_off_and_short_ones_stay_whole(
    browser: Browser, tmp_path: Path
) -> None:
    word = "x" * 400
    many = ("Canary", "mitigate", "supported", "30 Apr 2026", "open", word, "LASTCELL")
    tables = (
        sample.html("<table><tr>" + "".join(f"<td>{cell}" for cell in cells) + "</table>")
        for cells in (many, (word, word, "LASTTWO"))
    )
    cells = (sample.code("1", table) for table in tables)
    book = sample.book(sample.text("# T"), sample.text("## S"), *cells)
    (tmp_path / "report.html").write_text(page.render(book, context=sample.context()))
    browser.device(width=1280, height=844, phone=False, scheme="light")
    browser.open(tmp_path / "report.html")
    printed = browser.call("Page.printToPDF", preferCSSPageSize=True)
    (tmp_path / "page.pdf").write_bytes(base64.b64decode(printed["data"]))
    boxes = subprocess.run(
        ["pdftotext", "-bbox", tmp_path / "page.pdf", "-"], capture_output=True, text=True
    ).stdout
    found = re.findall(r'<word[^>]* xMax="([\d.]+)"[^>]*>([^<]*)<', boxes)
    words = {word for _, word in found}
    assert {"mitigate", "supported", "2026", "open", "LASTCELL", "LASTTWO"} <= words
    assert "".join(word for _, word in found if set(word) == {"x"}).count("x") == 1200
    points = 72 / 25.4
    assert max(float(right) for right, _ in found) <= (210 - 16) * points + 1


def test_the_search_box_filters_the_list(browser: Browser, good: Path) -> None:
    browser.device(width=1280, height=844, phone=False, scheme="light")
    browser.open(good / "index.html")
    assert browser.script("!document.getElementById('find').hidden")
    for words, shown in (("no incident", 1), ("someone", 2), ("zebra", 0), ("", 2)):
        browser.script(
            f"let w = document.getElementById('words'); w.value = {json.dumps(words)};"
            "w.dispatchEvent(new Event('input'))".replace("let ", "var ")
        )
        visible = "document.querySelectorAll('li.card:not([hidden])').length"
        assert browser.script(visible) == shown
    assert browser.script("document.getElementById('found').textContent").startswith("2 reports")
