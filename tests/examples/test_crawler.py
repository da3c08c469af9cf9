"""The crawler example, on sites of its own on this machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from examples.crawler import LIMITS, ROUNDS, SITE, Busy, Crawl, Found, Gone, Page, crawler, fetch, merge, serving
from orchestration import Err, Failed, Failure, LocalEngine, Ok, Outcome, Succeeded
from orchestration.testing import FakeHandler, answers

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME = "http://shop/"


def crawled(site: Mapping[str, str], busy: str = "", most: int = 100) -> tuple[str, Outcome[Found]]:
    """Crawl a site that is served; return its address as well."""
    with serving(site, busy) as start:
        engine = LocalEngine(limits=LIMITS, validate="all")
        return start, asyncio.run(engine.execute(crawler, Crawl(start, most)))


def test_all_pages_are_found_once_and_what_is_missing_is_told() -> None:
    """S17, S18: rounds until nothing is new; a page that is gone is no failure of the crawl; other sites are left."""
    start, outcome = crawled(SITE, busy="/tea")
    assert isinstance(outcome, Succeeded), outcome
    titles = {"": "Home", "tea": "Tea", "mugs": "Mugs", "mugs/blue": "The blue one"}
    assert outcome.value.titles == {f"{start}{path}": title for path, title in titles.items()}
    assert outcome.value.missing == {f"{start}coffee": "404 Not Found"}


def test_a_crawl_asks_for_no_more_pages_than_it_may() -> None:
    """The bound counts pages, had or not."""
    _, outcome = crawled(SITE, most=3)
    assert isinstance(outcome, Succeeded), outcome
    assert len(outcome.value.titles) + len(outcome.value.missing) == 3


def test_a_server_that_is_busy_is_asked_when_it_wants_to_be() -> None:
    """S9: the delay before the next attempt is not shorter than what the error asks for."""
    world = FakeHandler().on(fetch, each=[Busy(HOME, retry_after=120), Page(HOME, "Home", ())])
    trace = world.run(crawler, Crawl(HOME))
    assert trace.value.titles == {HOME: "Home"}
    assert trace.seconds >= 120


def test_a_page_that_stays_busy_is_told_as_missing() -> None:
    """S9: after five attempts it is given up, and the crawl goes on."""
    trace = FakeHandler().on(fetch, Busy(HOME, retry_after=1)).run(crawler, Crawl(HOME))
    assert trace.ran(fetch, times=5)
    assert trace.value.missing == {HOME: f"{HOME} wants to be asked again in 1 s"}


def test_a_page_that_is_gone_is_asked_for_once() -> None:
    """S9: only what may be different the next time is tried again."""
    trace = FakeHandler().on(fetch, Gone("404 Not Found")).run(crawler, Crawl(HOME))
    assert trace.ran(fetch, times=1)


def test_a_site_without_an_end_ends_the_crawl() -> None:
    """S17: a loop has a bound, and says that it was met."""
    deeper = answers(does=lambda url: Page(url, "", (f"{url}x",)))
    trace = FakeHandler().on(fetch, deeper).run(crawler, Crawl(HOME, most=1000))
    assert isinstance(trace.outcome, Failed)
    assert trace.failure.kind == "orchestration.errors.LoopLimitExceeded"
    assert trace.ran(fetch, times=ROUNDS)


def test_what_is_asked_for_next_is_what_is_new() -> None:
    """The decision is a function of what was found: no network is needed to try it."""
    found = Found(Crawl(HOME), (HOME, f"{HOME}b"), {f"{HOME}a": "A"})
    page = Page(HOME, "Home", (f"{HOME}a", f"{HOME}b", f"{HOME}c", f"{HOME}c", "http://elsewhere/"))
    after = merge(found, [Ok(page), Err(Failure.of(Gone("404"), "fetch"))])
    assert after.next == (f"{HOME}c",)
    assert after.missing == {f"{HOME}b": "404"}
