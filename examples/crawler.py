"""Crawl a site: follow its links, be polite, and say of each page what it has or why it could not be had.

    python examples/crawler.py

It serves a small site on this machine, of which one page is gone and one wants to be asked later, and crawls it.

What it teaches: a loop whose value is what was found so far, each round a `map` over the pages that are new; failures
that belong to one page and not to the crawl (`on_error="collect"`); a *named limit* that holds for all runs together;
and a server's own pace: an error that carries `retry_after` lengthens the delay before the next attempt. What a crawl
should do next is computed by plain functions of what it has found, which are tested without a network.
"""

import asyncio
import threading
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urldefrag, urljoin

from pydantic import PositiveInt

from orchestration import Err, LocalEngine, Ok, Retry, Succeeded, Workflow, step

TOO_MANY_REQUESTS = 429
LIMITS = {"site": 2}  # requests under way at a time, for all crawls of an engine
ROUNDS = 50  # how deep a crawl may get


@dataclass(frozen=True)
class Crawl:
    """Where to begin, and how many pages at most. Links that lead out of `start` are not followed."""

    start: str
    most: PositiveInt = 100


@dataclass(frozen=True)
class Page:
    """A page that was had."""

    url: str
    title: str
    links: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """A crawl so far: pages by their address, what could not be had and why, and what to ask for next."""

    crawl: Crawl
    next: tuple[str, ...]
    titles: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


class Busy(Exception):
    """The server wants to be asked later: in so many seconds."""

    def __init__(self, url: str, retry_after: float) -> None:
        """Keep how long to wait: the retry looks for `retry_after`."""
        super().__init__(f"{url} wants to be asked again in {retry_after:g} s")
        self.retry_after = retry_after


class Gone(Exception):
    """There is no such page."""


class Reader(HTMLParser):
    """Reads the title and the links of a page."""

    def __init__(self) -> None:
        """Begin before the page."""
        super().__init__()
        self.title, self.links, self._in_title = "", list[str](), False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link, or that a title begins."""
        self._in_title = tag == "title"
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href" and value]

    def handle_data(self, data: str) -> None:
        """Note what the title says."""
        if self._in_title:
            self.title += data.strip()


def fetch(url: str) -> Page:
    """Ask for a page. It blocks, so it is a plain function, which runs in a thread."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the address that the user gave
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            if error.code == TOO_MANY_REQUESTS:
                raise Busy(url, float(error.headers.get("Retry-After", 1))) from None
            raise Gone(f"{error.code} {error.reason}") from None
    reader = Reader()
    reader.feed(text)
    return Page(url, reader.title, tuple(urldefrag(urljoin(url, link)).url for link in reader.links))


def begin(crawl: Crawl) -> Found:
    """Know nothing but where to begin."""
    return Found(crawl, (crawl.start,))


def to_ask(found: Found) -> tuple[str, ...]:
    """Name the pages of the next round."""
    return found.next


def merge(found: Found, results: list[Ok[Page] | Err]) -> Found:
    """Add what a round has found; what is new, on this site and within the bound is for the next one."""
    pages = [result.value for result in results if isinstance(result, Ok)]
    answers = zip(found.next, results, strict=True)
    failed = {url: result.failure.message for url, result in answers if isinstance(result, Err)}
    titles = found.titles | {page.url: page.title for page in pages}
    missing = found.missing | failed
    links = dict.fromkeys(link for page in pages for link in page.links if link.startswith(found.crawl.start))
    new = [link for link in links if link not in titles and link not in missing]
    return Found(found.crawl, tuple(new[: found.crawl.most - len(titles) - len(missing)]), titles, missing)


def is_done(found: Found, _: int) -> bool:
    """Tell whether there is nothing left to ask for."""
    return not found.next


politely = Retry(max_attempts=5, initial_delay=0.05, retry_on=(Busy, ConnectionError, TimeoutError))

visit = step(fetch, limit="site", retry=politely, attempt_timeout=15)

asking = Workflow[Found]("asking").pure(to_ask).map(visit, on_error="collect")

one_round = Workflow[Found]("one_round").enrich(asking).into(merge)

crawler = Workflow[Crawl]("crawler").pure(begin).loop(one_round, until=is_done, max_iterations=ROUNDS)


@contextmanager
def serving(site: Mapping[str, str], busy: str = "") -> Generator[str, None, None]:
    """Serve pages by their path on this machine; the one at `busy` wants to be asked later, once. Gives the address."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            is_busy = self.path == busy and asked.count(busy) == 1
            self.send_response(TOO_MANY_REQUESTS if is_busy else 200 if self.path in site else 404)
            self.send_header("Retry-After", "0.1")
            self.end_headers()
            self.wfile.write(site.get(self.path, "").encode())

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


SITE = {
    "/": "<title>Home</title> <a href='/tea'>tea</a> <a href='/mugs#blue'>mugs</a> <a href='https://example.org'>out</a>",
    "/tea": "<title>Tea</title> <a href='/'>home</a> <a href='/coffee'>coffee</a>",
    "/mugs": "<title>Mugs</title> <a href='/tea'>tea</a> <a href='/mugs/blue'>the blue one</a>",
    "/mugs/blue": "<title>The blue one</title> <a href='/mugs'>mugs</a>",
}


async def main() -> None:
    """Crawl the small site."""
    with serving(SITE, busy="/tea") as start:
        outcome = await LocalEngine(limits=LIMITS).execute(crawler, Crawl(start))
    if isinstance(outcome, Succeeded):
        for url, title in outcome.value.titles.items():
            print(f"{url}  {title}")
        for url, why in outcome.value.missing.items():
            print(f"{url}  not had: {why}")
    else:
        print(outcome)


if __name__ == "__main__":
    asyncio.run(main())
