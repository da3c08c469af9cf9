"""What MkDocs draws for the documentation: pictures of the examples, and a report, made anew with each build."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

    from orchestration.render import Chronicle

ROOT = str(Path(__file__).resolve().parent)
if ROOT not in sys.path:  # MkDocs loads this file by its path, and knows nothing of what lies beside it
    sys.path.insert(0, ROOT)

from examples.approvals import approval  # noqa: E402 - found by the lines above
from examples.checkout import (  # noqa: E402
    Couriers,
    Inventory,
    Order,
    Packed,
    Paid,
    Payments,
    Reserved,
    TooHeavy,
    checkout,
)
from examples.release import release  # noqa: E402
from orchestration.render import chronicle_of, html, run_svg, svg, timeline_svg  # noqa: E402
from orchestration.testing import FakeHandler, answers  # noqa: E402

ORDER = Order("tea", 50, express=True)
RESERVED = Reserved("order-17:checkout/reserve", ORDER, 22_500)


@cache
def failed_checkout() -> Chronicle:
    """Return a checkout that fails at its last step, in virtual time: so the pictures of it are always the same."""
    fake = FakeHandler()
    fake.on(Inventory.reserve, RESERVED, takes=0.2).on(Inventory.release, None, takes=0.1)
    late = [answers(raises=ConnectionError("no line"), takes=0.3), answers(Paid(RESERVED), takes=0.4)]
    fake.on(Payments.charge, each=late).on(Payments.refund, None, takes=0.2)
    fake.on(Inventory.pick, ORDER, takes=0.5).on("print_label", "50 x tea", takes=0.1)
    fake.on("pack", Packed(ORDER, "50 x tea"), takes=0.1)
    fake.on(Couriers.express, raises=TooHeavy("50 pieces, the express courier carries 20"), takes=0.1)
    trace = fake.run(checkout, ORDER, run_id="order-17")
    return chronicle_of(trace.plan, trace.turns, trace.outcome)


PICTURES: dict[str, Callable[[], str]] = {
    "checkout.svg": lambda: svg(checkout.compile()),
    "release.svg": lambda: svg(release.compile()),
    "approval.svg": lambda: svg(approval.compile()),
    "failed-checkout.svg": lambda: run_svg(failed_checkout()),
    "failed-checkout-timeline.svg": lambda: timeline_svg(failed_checkout()),
    "failed-checkout.html": lambda: html(failed_checkout()),
}


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pictures to the site, in a folder of their own."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - the tests look at the pictures without MkDocs

    for name, draw in PICTURES.items():
        files.append(File.generated(config, f"pictures/{name}", content=draw()))
    return files
