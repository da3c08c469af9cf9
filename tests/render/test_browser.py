"""The report in a real browser, at two widths, in the light and in the dark, with the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mkdocs_pictures import failed_checkout
from orchestration.render import html
from tests.render.browser import ENTER, TAB, Browser, found
from tests.render.runs import failed_trip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = found()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
# Each text of a card, as wide as the browser draws it, with the right edge of the card.
TEXTS = """
[...document.querySelectorAll('svg.plan g')].filter(g => g.querySelector(':scope > rect.card')).flatMap(g => {
  const card = g.querySelector(':scope > rect.card').getBBox()
  return [...g.querySelectorAll(':scope > text')].map(text => {
    const box = text.getBBox()
    return [text.textContent, box.x - card.x, card.x + card.width - box.x - box.width]
  })
})
"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUS = "document.activeElement.getAttribute('href') || document.activeElement.tagName.toLowerCase()"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Give a browser, the same for all tests: it takes a second to start."""
    assert PROGRAM is not None
    one = Browser(PROGRAM, tmp_path_factory.mktemp("browser"))
    yield one
    one.close()


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Give the report of a trip that has failed."""
    path = tmp_path / "report.html"
    path.write_text(html(failed_trip()), encoding="utf-8")
    return path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390], ids=["wide", "narrow"])
def test_a_report_fits_the_window(browser: Browser, page: Path, width: int, *, dark: bool) -> None:
    """The page does not scroll sideways, follows the scheme, shows something, and fetches nothing but itself."""
    browser.asked_for.clear()
    browser.open(page, width, dark=dark)
    assert browser.evaluate(SIDEWAYS) <= 0
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")
    assert browser.asked_for == [page.as_uri()]
    assert len(browser.photograph()) > 20_000


def test_the_words_of_a_picture_fit_their_cards(browser: Browser, page: Path, tmp_path: Path) -> None:
    """What was measured without a browser is as wide as the browser draws it: no word leaves its card."""
    checkout = tmp_path / "checkout.html"
    checkout.write_text(html(failed_checkout()), encoding="utf-8")
    for one in (page, checkout):
        browser.open(one, 1200)
        texts = browser.evaluate(TEXTS)
        assert len(texts) > 12
        for text, left, right in texts:
            assert left >= 8, text
            assert right >= 4, text


def test_a_report_can_be_read_with_the_keys(browser: Browser, page: Path) -> None:
    """Tab leads to the link that skips, to the parts, to what scrolls and to what opens; Enter opens it."""
    browser.open(page, 1200)
    reached = []
    while "summary" not in reached and len(reached) < 30:
        browser.press(TAB)
        reached.append(browser.evaluate(FOCUS))
    assert reached[0] == "#main"
    assert {"#failure", "#rollback", "#plan", "#timeline", "#steps", "div", "summary"} <= set(reached)
    assert browser.evaluate("document.activeElement.parentElement.open") is False
    browser.press(ENTER)
    assert browser.evaluate("document.activeElement.parentElement.open") is True


def test_hostile_text_runs_nothing(browser: Browser, page: Path) -> None:
    """S33: a message that looks like a script is shown, and there is no script in the page."""
    browser.open(page, 1200)
    assert browser.evaluate("document.scripts.length") == 0
    assert "<script>alert('x')</script>" in browser.evaluate("document.querySelector('#failure').innerText")
