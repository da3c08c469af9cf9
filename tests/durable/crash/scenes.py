"""The examples as they are killed: a small input, a world in files that outlive the process, and what is sent to it."""

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from examples.approvals import ANSWER, Answer, Case, Claim, Desk, Overdrawn, Verdict, approval
from examples.audit import Audit, audit
from examples.checkout import Couriers, Inventory, Order, Payments, Vans, checkout
from examples.release import Mirror, Release, release
from orchestration import Handle, Services, step_context
from orchestration.errors import SignalRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEVER = 3600.0  # seconds
SOURCE = '"""A module."""\n\n\ndef twice(n):\n    return n + n\n'


class Scene(NamedTuple):
    """A workflow, and in a folder of its own: its input, its services, and what the world is like in the end.

    `meanwhile` is called with the handle in each process that has the run.
    """

    workflow: Any
    given: Callable[[Path], Any]
    services: Callable[[Path], Services[Any]]
    world: Callable[[Path], object]
    meanwhile: Callable[[Handle[Any]], None] = lambda handle: None


def asked(database: Path, *queries: str) -> list[object]:
    """Return what queries give; nothing of a database that is not there."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(database)) as connection:
        return [connection.execute(query).fetchall() for query in queries]


# --- audit


def code(folder: Path, *names: str) -> Path:
    """Return a folder with some modules."""
    root = folder / "code"
    root.mkdir(exist_ok=True)
    for name in names:
        (root / name).write_text(SOURCE)
    return root


def some_code(folder: Path, minimum: float) -> Audit:
    """Return what to audit: two modules, and a file that is none."""
    root = code(folder, "one.py", "two.py")
    (root / "wrong.py").write_text("print 'no'\n")
    return Audit(root, folder / "audit.db", minimum_docstrings=minimum)


def reports(folder: Path) -> object:
    """Return the reports that are stored."""
    return asked(folder / "audit.db", "select id, docstrings from reports", "select report from files")


def nobody(_: Path) -> Services[Any]:
    """Bind nothing."""
    return Services()


# --- checkout


def shop(folder: Path) -> Services[Any]:
    """Bind the services of a shop of its own."""
    path = folder / "shop.db"
    bound = Services().bind(Inventory).to(Inventory(path)).bind(Payments).to(Payments(path))
    return bound.bind(Couriers).to(Vans())


def till(folder: Path) -> object:
    """Return what is in stock, set aside and charged."""
    return asked(folder / "shop.db", "select * from stock", "select * from reservations", "select * from charges")


# --- release


def mirrored(folder: Path, *, takers: bool) -> Release:
    """Return a release for a mirror that is away and, if there are takers, a slow and a near one."""
    mirrors = [Mirror(folder / "away", away=True)]
    if takers:
        mirrors = [Mirror(folder / "slow", NEVER), *mirrors, Mirror(folder / "near")]
    return Release(code(folder, "main.py"), "1.0", 1000, folder / "work", tuple(mirrors))


def files(folder: Path) -> object:
    """Return which files the mirrors have, and which are left over."""
    places = (folder / "slow", folder / "away", folder / "near", folder / "work")
    return [sorted(str(path.relative_to(folder)) for path in place.rglob("*")) for place in places]


# --- approvals


@dataclass
class PaperDesk(Desk):
    """The desk of the example, with papers in a folder: they are there whichever process it sits in."""

    folder: Path | None = None

    def paper(self, name: str) -> Path:
        """Return where a paper lies."""
        assert self.folder is not None
        return self.folder / f"{name}.paper"

    async def file(self, claim: Claim) -> Case:
        """Open a case."""
        self.paper("open").touch()
        return Case(claim)

    async def close(self, case: Case) -> None:
        """Close it."""
        self.paper("open").unlink(missing_ok=True)

    async def pay(self, case: Case) -> Verdict:
        """Pay under the key of the step: tried again, it is paid once."""
        self.paper("paid").write_text(f"{step_context().idempotency_key} {case.claim.cents}")
        return Verdict(f"{case.claim.by} gets {case.claim.cents} cents", case.claim.cents)

    async def take_back(self, verdict: Verdict) -> None:
        """Put the money back."""
        self.paper("paid").unlink(missing_ok=True)

    async def balance(self, verdict: Verdict) -> Verdict:
        """See that the box is not overdrawn."""
        if verdict.paid > self.cents:
            raise Overdrawn(verdict.paid)
        return verdict


def desk(folder: Path) -> Services[Any]:
    """Bind a desk."""
    return Services().bind(Desk).to(PaperDesk(folder=folder))


def papers(folder: Path) -> object:
    """Return what lies on the desk."""
    return sorted((path.name, path.read_text()) for path in folder.glob("*.paper"))


def grant(handle: Handle[Any]) -> None:
    """Send an answer, the same in each process: it counts once (S21)."""
    with contextlib.suppress(SignalRefused):  # the run has ended
        handle.signal(ANSWER, Answer(granted=True, by="Kim"), signal_id="the answer")


def given(value: Any) -> Callable[[Path], Any]:
    """Return an input that is the same in each folder."""
    return lambda folder: value


SCENES = {
    "audit": Scene(audit, partial(some_code, minimum=0.0), nobody, reports),
    "audit-rejected": Scene(audit, partial(some_code, minimum=1.0), nobody, reports),
    "checkout": Scene(checkout, given(Order("tea", 2)), shop, till),
    "checkout-too-heavy": Scene(checkout, given(Order("tea", 50, express=True)), shop, till),
    "release": Scene(release, partial(mirrored, takers=True), nobody, files),
    "release-nobody": Scene(release, partial(mirrored, takers=False), nobody, files),
    "approval": Scene(approval, given(Claim("Ann", 4200)), desk, papers, grant),
    "approval-overdrawn": Scene(approval, given(Claim("Ann", 420_000)), desk, papers, grant),
    "approval-silent": Scene(approval, given(Claim("Ann", 4200)), desk, papers),
}
