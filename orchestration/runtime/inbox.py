"""What others send to a durable run: letters in its inbox, read by whoever owns it (S38).

A letter is JSON: `{"v": 1, "signal": name, "id": signal id, "payload": …}` or `{"v": 1, "cancel": reason}`. The payload
is written by the codec of the plan that the sender has.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from orchestration.errors import JournalFailed
from orchestration.plan.nodes import WaitFor
from orchestration.runtime.boundary import validate_signal
from orchestration.runtime.tasks import unless_cancelled
from orchestration.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestration.journal.protocol import Journal, Letter
    from orchestration.plan.compile import Plan
    from orchestration.runtime.desk import Desk
    from orchestration.runtime.driver import Driver
    from orchestration.runtime.log import Log

VERSION = 1


def signal_text(plan: Plan, name: str, signal_id: str, payload: object) -> str:
    """Return the letter of a signal.

    Raises:
        Unserialisable: if the payload has no form in JSON.
    """
    encoded = plan.codec.encode(payload, f"{plan.name}: the signal {name!r}")
    return json.dumps({"v": VERSION, "signal": name, "id": signal_id, "payload": encoded})


def cancel_text(reason: str) -> str:
    """Return the letter of a cancel."""
    return json.dumps({"v": VERSION, "cancel": reason})


class Keeper:
    """Keeps what a process has of a durable run: renews its lease, and reads its inbox."""

    def __init__(self, journal: Journal, desk: Desk, driver: Driver, log: Log, *, lease: float, poll: float) -> None:
        """Keep the run of `driver`; `lease` and `poll` are in seconds."""
        self._journal = journal
        self._desk = desk
        self._driver = driver
        self._log = log
        self._lease = lease
        self._poll = poll
        self._read = 0  # the number of the last letter that was read
        self.leaves_some: bool = False  # whether there is a letter that it does not understand
        self._closed = False
        self._woken = asyncio.Event()

    def look(self) -> None:
        """Read the inbox soon: something was put into it."""
        self._woken.set()

    def close(self) -> None:
        """Keep the run no longer."""
        self._closed = True
        self._woken.set()

    async def keep(self) -> None:
        """Keep the run until it is closed, or lost to another process."""
        loop = asyncio.get_running_loop()
        try:
            while not self._closed:
                self._woken.clear()
                try:
                    await self._renew()
                    await self._read_letters()
                except JournalFailed:  # it may be a short one; the lease says how long that may go on
                    if self._driver.clock() >= self._log.lease.until:
                        raise
                timer = loop.call_later(self._poll, self._woken.set)
                await unless_cancelled(self._woken.wait())
                timer.cancel()
        except BaseException as error:  # noqa: BLE001 - who cannot keep a run may not go on with it
            self._driver.give_up(error)

    async def _renew(self) -> None:
        now, lease = self._driver.clock(), self._log.lease
        if lease.until - now < self._lease * 2 / 3:
            self._log.lease = await self._desk.call(self._journal.renew, lease, now + self._lease)

    async def _read_letters(self) -> None:
        self.take(await self._desk.call(self._journal.letters, self._log.lease.run_id))

    def take(self, letters: Sequence[Letter]) -> None:
        """Give the run what lies in its inbox, and has not been taken before."""
        for letter in letters:
            if letter.number <= self._read or not self._driver.accepts:
                continue
            self._read = letter.number
            act = self._understood(letter.text)
            if act is None:
                self.leaves_some = True  # for another version
            else:
                self._log.take(letter.number)
                act()

    def _understood(self, text: str) -> Callable[[], object] | None:
        """Return what a letter asks for. A signal that the run cannot take any more asks for nothing."""
        driver, plan = self._driver, self._driver.plan
        match _data(text):
            case {"v": 1, "cancel": str(reason)}:
                return partial(driver.cancel, reason)
            case {"v": 1, "signal": str(name), "id": str(signal_id), "payload": payload}:
                try:
                    value = plan.codec.decode(payload, f"{plan.name}: the signal {name!r}")
                    checked = validate_signal(plan, driver.state, Signal(name, kind_of(plan, name)), value)
                except Exception:  # noqa: BLE001 - a type may raise anything: it must not end each owner of the run
                    return bool
                return partial(driver.signal, name, signal_id, checked)
            case _:
                return None


def _data(text: str) -> object:
    """Return what a letter holds; `None` if it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def kind_of(plan: Plan, name: str) -> type[Any]:
    """Return the type of the signals of this name that a plan waits for; `object` if it waits for none."""
    waits = (node for node in plan.nodes if isinstance(node, WaitFor) and node.signal == name)
    return next((cast("type[Any]", node.kind) for node in waits), object)
