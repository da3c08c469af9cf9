"""How fast the test kit looks: transitions a second of `explore`, runs a second of `simulate`, on one core.

python benchmarks/exploring.py           print the figures
python benchmarks/exploring.py --quick   the same of fewer runs
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the examples

from examples.checkout import (
    Couriers,
    Declined,
    Inventory,
    Order,
    OutOfStock,
    Packed,
    Paid,
    Parcel,
    Payments,
    Reserved,
    TooHeavy,
    checkout,
    pack,
    print_label,
)
from orchestration.testing import READY, TIMES_OUT, explore, simulate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestration.testing import Exploration

ORDER = Order("tea")
RESERVED = Reserved("r1", ORDER, 450)
LOST = ConnectionError("gone")
STUCK = RuntimeError("stuck")
THREE_EACH: dict[Any, list[object]] = {
    Inventory.reserve: [RESERVED, OutOfStock("tea"), LOST],
    Payments.charge: [Paid(RESERVED), Declined("no"), TIMES_OUT],
    Inventory.pick: [ORDER, RuntimeError("dropped"), LOST],
    print_label: ["1 x tea", RuntimeError("jammed"), LOST],
    pack: [Packed(ORDER, "1 x tea"), RuntimeError("torn"), LOST],
    Couriers.express: [Parcel("1 x tea", "express"), TooHeavy("no"), LOST],
    Couriers.standard: [Parcel("1 x tea", "standard"), TooHeavy("no"), LOST],
    Inventory.release: [None, STUCK, TIMES_OUT],
    Payments.refund: [None, STUCK, TIMES_OUT],
    Payments.void: [None, STUCK, TIMES_OUT],
}
SEEDS = 2_000
MUCH = 10_000_000  # states: more than there are
SEARCHES: Mapping[str, tuple[bool, bool]] = {  # with crashes, with leaks
    "a cancel anywhere": (False, False),
    "a cancel and a crash anywhere": (True, False),
    "a cancel anywhere, and leaks": (False, True),
    "a cancel and a crash anywhere, and leaks": (True, True),
}


def explored(*, crash: bool, leaks: bool) -> tuple[Exploration, float]:
    """Look at all that the checkout can do, with three outcomes a step and all invariants; return the seconds, too."""
    began = time.process_time()
    found = explore(
        checkout, ORDER, outcomes=THREE_EACH, invariants=READY, crash=crash, leaks=leaks, max_states=MUCH
    ).check()
    return found, time.process_time() - began


def figures(seeds: int) -> dict[str, Any]:
    """Return what was looked at, and the processor's seconds that it took."""
    explored(crash=False, leaks=False)  # what is imported on the way is not counted
    searches = []
    for what, (crash, leaks) in SEARCHES.items():
        found, took = explored(crash=crash, leaks=leaks)
        searches.append({"title": what, "states": found.states, "transitions": found.transitions, "seconds": took})
    began = time.process_time()
    runs = simulate(checkout, ORDER, outcomes=THREE_EACH, invariants=READY, seeds=seeds).check().runs
    return {"searches": searches, "runs": runs, "seconds": time.process_time() - began}


def main(seeds: int) -> None:
    """Print the figures."""
    found = figures(seeds)
    say("explore, checkout with three outcomes a step and READY")
    for row in found["searches"]:
        say(
            f"  {row['title']:<42} {row['states']:>7,} states {row['transitions']:>7,} transitions"
            f" {row['seconds']:>6.2f} s {row['transitions'] / row['seconds']:>8,.0f} transitions/s"
        )
    runs, took = found["runs"], found["seconds"]
    say(f"simulate, the same workflow\n  {runs:,} runs {took:.2f} s {runs / took:,.0f} runs/s")


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main(200 if "--quick" in sys.argv else SEEDS)
