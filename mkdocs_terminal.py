"""What MkDocs draws for the documentation: the terminal while a run goes on, made anew with each build."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = str(Path(__file__).resolve().parent)
if ROOT not in sys.path:  # MkDocs loads this file by its path, and knows nothing of what lies beside it
    sys.path.insert(0, ROOT)

from rich.console import Console  # noqa: E402 - found by the lines above

from orchestration import Retry, Workflow, step  # noqa: E402
from orchestration.interpreter.engine import Turned, advance, begin  # noqa: E402
from orchestration.observe.live import LiveTree  # noqa: E402
from orchestration.testing import FakeHandler, answers  # noqa: E402

NOW = 8.6  # seconds after the start of the run
WIDTH = 92  # characters
FROM_ELSEWHERE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # fonts that a reader would have to fetch


async def work(value: int) -> int:
    """Stand for what a step does; the fake does it."""
    return value


def parcels_of(order: int) -> list[int]:
    """Return the parcels of an order."""
    return list(range(order))


def is_heavy(order: int) -> bool:
    """Tell whether an order needs a courier."""
    return order > 100  # noqa: PLR2004 - an example


def closed(_parcels: list[int], order: int) -> int:
    """Return the order that all has been done for."""
    return order


parcel = Workflow[int]("parcel").step(work, name="pick").step(work, name="label")
patient = Retry(max_attempts=3, initial_delay=4, jitter="none")
fulfil = (
    Workflow[int]("fulfil")
    .step(work, name="reserve")
    .step(work, name="charge", retry=Retry(initial_delay=0.5, jitter="none"))
    .branch(name="how")
    .when(is_heavy, step(work, name="courier"))
    .otherwise(step(work, name="post"))
    .fork(Workflow[int]("parcels").pure(parcels_of).map(parcel, concurrency=4))
    .fork(step(work, name="announce", retry=patient))
    .join(closed)
    .step(work, name="close")
)


def terminal() -> str:
    """Return what a terminal shows in the middle of a run, as SVG; the run is one in virtual time."""
    fake = FakeHandler()
    fake.on("reserve", 40, takes=0.4).on("post", 40, takes=0.1).on("close", 40, takes=0.1)
    fake.on("charge", each=[answers(raises=TimeoutError("the bank is slow"), takes=0.5), answers(40, takes=0.6)])
    fake.on("pick", 1, takes=0.6).on("label", 1, takes=0.4)
    fake.on("announce", each=[answers(raises=ConnectionError("no line"), takes=0.9)] * 2)
    trace = fake.run(fulfil, 40, run_id="order-17")
    console = Console(file=io.StringIO(), record=True, width=WIDTH, height=30, force_terminal=True)
    view = LiveTree(trace.plan, console, clock=lambda: NOW)
    turned: Turned | None = None
    for event in (turn.event for turn in trace.turns if turn.event.at <= NOW):
        if turned is None:
            turned = begin(trace.plan, event)
        else:
            state, effects = advance(trace.plan, turned.state, event)
            turned = Turned(event, effects, state)
        view.tree.take(turned)
    console.print(view.picture())
    picture = console.export_svg(title="orchestration run shop.py:fulfil --input 40", unique_id="terminal")
    return FROM_ELSEWHERE.sub("", picture)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the picture to the site, beside the others."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - the tests look at the picture without MkDocs

    files.append(File.generated(config, "pictures/terminal.svg", content=terminal()))
    return files
