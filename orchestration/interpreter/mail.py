"""Signals that were sent, and who waits for one (S21).

Each signal goes to one waiter, the one that has waited longest; what nobody waits for yet queues, first in, first out.
"""

from __future__ import annotations

from typing import Any

import attrs
from rpds import HashTrieMap

from orchestration.frozen import evolve, frozen
from orchestration.interpreter.effects import VALUE

NOBODY: HashTrieMap[int, tuple[str, str]] = HashTrieMap()
NOTHING_SEEN: HashTrieMap[str, bool] = HashTrieMap()


@frozen
class Letter:
    """A signal that was sent."""

    name: str
    signal_id: str
    payload: Any = attrs.field(metadata=VALUE)


@frozen
class Mail:
    """`queued` letters in the order of their coming, ids that were `seen`, and who is `waiting` by ticket number.

    A waiter is the name of the signal and the path of the wait; of two, the one with the smaller ticket waited longer.
    """

    queued: tuple[Letter, ...] = ()
    seen: HashTrieMap[str, bool] = NOTHING_SEEN
    waiting: HashTrieMap[int, tuple[str, str]] = NOBODY
    tickets: int = 0

    def take(self, name: str) -> tuple[Letter | None, Mail]:
        """Return the first letter queued under `name`, and the mail without it."""
        letter = next((letter for letter in self.queued if letter.name == name), None)
        if letter is None:
            return None, self
        return letter, evolve(self, queued=tuple(other for other in self.queued if other is not letter))

    def wait(self, name: str, path: str) -> tuple[int, Mail]:
        """Let the wait at `path` stand in line; return its ticket."""
        waiting = self.waiting.insert(self.tickets, (name, path))
        return self.tickets, evolve(self, waiting=waiting, tickets=self.tickets + 1)

    def withdraw(self, ticket: int) -> Mail:
        """Let a wait leave the line."""
        return evolve(self, waiting=self.waiting.remove(ticket))

    def receive(self, letter: Letter) -> tuple[str | None, Mail]:
        """Take a letter: return the path of the wait that it goes to, if there is one already."""
        mail = evolve(self, seen=self.seen.insert(letter.signal_id, True))
        for ticket in sorted(self.waiting):
            name, path = self.waiting[ticket]
            if name == letter.name:
                return path, mail.withdraw(ticket)
        return None, evolve(mail, queued=(*self.queued, letter))


NO_MAIL = Mail()
