"""The four examples, each simulated: what may come of every step, and what has to hold of every run.

    python -m tests.testing.simulated 20000      so many runs of all of them together, on all cores

`nox -s simulate` does this for a million runs; SIMULATE_SEEDS is for another number, SIMULATE_DURABLE for the share of
them that are durable, which take three times as long.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from dataclasses import replace
from math import ceil
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from examples import approvals, audit, checkout, release
from orchestration import DeadlineExceeded
from orchestration.outcomes import Failed, Outcome, Succeeded
from orchestration.testing import READY, TIMES_OUT, answers
from orchestration.testing.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestration.testing.simulate_report import Simulation

DURABLY = float(os.environ.get("SIMULATE_DURABLE", "0.4"))
LOST = ConnectionError("gone")
FULL = OSError("disk full")

# --- checkout

ORDER = checkout.Order("tea")
RESERVED = checkout.Reserved("r1", ORDER, 450)
SHOP: dict[Any, list[object]] = {
    checkout.Inventory.reserve: [RESERVED, checkout.OutOfStock("tea"), LOST],
    checkout.Payments.charge: [checkout.Paid(RESERVED), checkout.Declined("no"), LOST, TIMES_OUT],
    checkout.Inventory.pick: [ORDER, RuntimeError("dropped"), LOST],
    checkout.print_label: ["1 x tea", RuntimeError("jammed")],
    checkout.pack: [checkout.Packed(ORDER, "1 x tea"), RuntimeError("torn")],
    checkout.Couriers.express: [checkout.Parcel("1 x tea", "express"), checkout.TooHeavy("no")],
    checkout.Couriers.standard: [checkout.Parcel("1 x tea", "standard"), LOST],
    checkout.Inventory.release: [None, RuntimeError("stuck"), TIMES_OUT],
    checkout.Payments.refund: [None, RuntimeError("stuck"), TIMES_OUT],
    checkout.Payments.void: [None, RuntimeError("stuck"), TIMES_OUT],
}


def a_parcel_or_nothing_taken(outcome: Outcome[Any]) -> bool:
    """See that who gets no parcel has the money returned, unless the rollback says that this was not possible."""
    paid = "checkout/charge" in {step.path for step in outcome.rollback.steps}
    return (
        isinstance(outcome, Succeeded)
        or outcome.rollback.verdict == "partial"
        or paid <= ("checkout/charge" in outcome.rollback.undone)
    )


def simulated_checkout(seeds: Iterable[int] | int) -> Simulation:
    """Simulate the checkout."""
    return simulate(
        checkout.checkout,
        ORDER,
        outcomes=SHOP,
        crash=DURABLY,
        invariants=[*READY, a_parcel_or_nothing_taken],
        seeds=seeds,
    )


# --- approvals

CLAIM = approvals.Claim("Ann", 4200)
CASE = approvals.Case(CLAIM)
VERDICT = approvals.Verdict("Ann gets 4200 cents", 4200)
GRANTED, REFUSED = approvals.Answer(granted=True, by="Kim"), approvals.Answer(granted=False, by="Kim")
DESK: dict[Any, list[object]] = {
    approvals.Desk.file: [CASE, FULL],
    approvals.Desk.close: [None, FULL],
    approvals.Desk.ask: [None, LOST],
    approvals.Desk.pay: [VERDICT, LOST],
    approvals.Desk.take_back: [None, FULL],
    approvals.Desk.balance: [VERDICT, approvals.Overdrawn("100 cents are missing")],
    approvals.nobody: [None],
    approvals.refuse: [approvals.Verdict("Ann gets nothing")],
    approvals.set_aside: [approvals.Verdict("set aside")],
}


def nobody_waits_for_ever(outcome: Outcome[Any]) -> bool:
    """See that an answer that does not come in time ends no claim."""
    return not (isinstance(outcome, Failed) and outcome.failure.matches([DeadlineExceeded.__qualname__]))


def simulated_approvals(seeds: Iterable[int] | int) -> Simulation:
    """Simulate a claim that is answered twice, in time or not."""
    return simulate(
        approvals.approval,
        CLAIM,
        outcomes=DESK,
        crash=DURABLY,
        invariants=[*READY, nobody_waits_for_ever],
        signals=[(approvals.ANSWER, REFUSED), (approvals.ANSWER, GRANTED)],
        seeds=seeds,
    )


# --- release

FOLDER = Path("releases")
MIRRORS = tuple(release.Mirror(FOLDER / name) for name in ("far", "near", "away"))
RELEASE = release.Release(FOLDER, work=FOLDER / "work", mirrors=MIRRORS)
SOURCES = release.Sources(RELEASE, (Path("a.py"),))
BUNDLE = release.Bundle((Path("r.tar.gz"), Path("r.zip")), "sums", "checked")
UNFIT = release.Rejected("unfit")
HOUSE: dict[Any, list[object]] = {
    release.find: [SOURCES, NotADirectoryError("releases")],
    release.compiles: ["it compiles", SyntaxError("no")],
    release.fits: ["it fits", UNFIT],
    release.is_clean: ["it is clean", UNFIT],
    release.pack_tar: [BUNDLE.archives[0], FULL, TIMES_OUT],
    release.pack_zip: [BUNDLE.archives[1], FULL, TIMES_OUT],
    release.sum_up: ["sums", FULL],
    release.bundle: [BUNDLE],
    release.send: [
        answers(does=lambda delivery: release.Published(delivery.mirror.folder, ("r",), "")),
        LOST,
        TIMES_OUT,
    ],
    release.withdraw: [None, FULL],
    release.withdraw_whatever_came: [None, FULL],
    release.clear: [None, FULL],
}


def published_once(outcome: Outcome[Any]) -> bool:
    """See that a release that has succeeded is on a mirror."""
    return not isinstance(outcome, Succeeded) or isinstance(outcome.value, release.Published)


def simulated_release(seeds: Iterable[int] | int) -> Simulation:
    """Simulate a release to three mirrors, by two machines."""
    return simulate(
        release.release,
        RELEASE,
        outcomes=HOUSE,
        crash=DURABLY,
        invariants=[*READY, published_once],
        deadline=300,
        max_concurrency=2,
        seeds=seeds,
    )


# --- audit

AUDIT = audit.Audit(Path("code"))
FILES = [Path(f"{name}.py") for name in "abcdefghij"]
METRICS = audit.Metrics(Path("a.py"), {"files": 1, "lines": 1}, {}, {}, [])
SUMMARY = audit.Summary(AUDIT.root, AUDIT.database, {}, 1.0, {}, {}, {}, [])
OFFICE: dict[Any, list[object]] = {
    audit.find: [FILES, FILES[:1], [], NotADirectoryError("code")],
    audit.measure: [
        answers(does=lambda path: replace(METRICS, path=path)),
        audit.Unreadable(Path("b.py"), 1, "SyntaxError"),
        MemoryError("too large"),
    ],
    audit.condense: [answers(does=lambda metrics: metrics)],
    audit.note: ["b.py:1"],
    audit.write: [audit.Report(AUDIT, [METRICS], SUMMARY), FULL, TimeoutError("locked")],
    audit.remove: [None, FULL],
    audit.verify: [SUMMARY, audit.Rejected("too few")],
}


def no_report_that_was_rejected(outcome: Outcome[Any]) -> bool:
    """See that a report that does not stand the test is removed, or named as what could not be."""
    rejected = isinstance(outcome, Failed) and outcome.failure.path == "audit/verify"
    return not rejected or [step.path for step in outcome.rollback.steps] == ["audit/write"]


def simulated_audit(seeds: Iterable[int] | int) -> Simulation:
    """Simulate an audit of ten files, on an engine that does three things at a time."""
    return simulate(
        audit.audit,
        AUDIT,
        outcomes=OFFICE,
        crash=DURABLY,
        invariants=[*READY, no_report_that_was_rejected],
        max_concurrency=3,
        seeds=seeds,
    )


EXAMPLES: dict[str, Callable[[Iterable[int] | int], Simulation]] = {
    "checkout": simulated_checkout,
    "approvals": simulated_approvals,
    "release": simulated_release,
    "audit": simulated_audit,
}
SHARES = {"checkout": 0.7}  # it is the quickest, and undoes the most; the others have equal shares of the rest
PORTION = 5_000  # seeds that a process runs at a time
RUNS, DURABLE = "runs", "of them durable"


class Seen(NamedTuple):
    """What a process tells of the seeds of an example that it has run: how they ended, and what was found."""

    name: str
    counts: Counter[str]
    failed: int
    found: str


def run_portion(task: tuple[str, int, int]) -> Seen:
    """Simulate an example with the seeds from one to before another."""
    name, first, last = task
    seen = EXAMPLES[name](range(first, last))
    counts = Counter({str(ending): number for ending, number in seen.endings.items()})
    counts.update({RUNS: seen.runs, DURABLE: seen.durable})
    return Seen(name, counts, len(seen.failed), "\n\n".join(map(str, (seen, *seen.findings))))


def main(seeds: int) -> int:
    """Simulate all examples on all cores, so many runs together; print what was seen, and return an exit code."""
    rest = (1 - sum(SHARES.values())) / (len(EXAMPLES) - len(SHARES))
    numbers = {name: ceil(seeds * SHARES.get(name, rest)) for name in EXAMPLES}
    tasks = [
        (name, at, min(at + PORTION, number)) for name, number in numbers.items() for at in range(0, number, PORTION)
    ]
    columns: dict[str, Counter[str]] = {name: Counter() for name in EXAMPLES}
    failed, began = 0, time.perf_counter()
    with get_context("spawn").Pool(maxtasksperchild=1) as pool:  # attempts that leak do so until their process ends
        for done, seen in enumerate(pool.imap_unordered(run_portion, tasks), 1):
            columns[seen.name] += seen.counts
            failed += seen.failed
            sys.stderr.write(f"{done} of {len(tasks)} portions in {time.perf_counter() - began:,.0f} s\n")
            if seen.failed:
                say(f"{seen.found}\n")
    took = time.perf_counter() - began
    together = columns["together"] = sum(columns.values(), Counter[str]())
    say(f"| | {' | '.join(columns)} |\n|---|{'--:|' * len(columns)}")
    for row in (RUNS, DURABLE, *sorted({*together} - {RUNS, DURABLE})):
        say(f"| {row} | {' | '.join(f'{counts[row]:,}' for counts in columns.values())} |")
    runs = together[RUNS]
    say(f"\n{runs:,} runs in {took:,.0f} s on {os.cpu_count()} cores, {runs / took:,.0f}/s; {failed} failed")
    return 1 if failed else 0


def say(text: str) -> None:
    """Print a line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
