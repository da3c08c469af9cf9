"""Idempotency for effects that have none of their own: a result is recorded under the effect's key, and given again.

As middleware: `LocalEngine(services, middleware=(Idempotent(SqliteStore("keys.db")),))`. What has succeeded under a key
is not done again under it, whether a retry, a resumed run or another process asks (S5). What has begun and never came
back is not known to the store: only the service itself can tell, which is what in-doubt handlers are for (S22).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol, final

from orchestration.errors import KeyReused, Unserialisable
from orchestration.plan.codec import Codec, canonical
from orchestration.runtime.context import step_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from orchestration.interpreter.effects import Attempted
    from orchestration.runtime.handler import Handler


BUSY = 30.0  # seconds to wait for another process that writes


class Record(NamedTuple):
    """What was done under a key: the digest of its input, and its output as a JSON text, `None` if it has no form."""

    digest: str
    output: str | None


class IdempotencyStore(Protocol):
    """Where results are kept by key. Both methods may be called from any thread."""

    def find(self, key: str) -> Record | None:
        """Return what was recorded under a key."""
        ...

    def keep(self, key: str, record: Record) -> Record:
        """Record a result, unless there is one already; return the one that is there then."""
        ...


@final
class MemoryStore:
    """Keeps results as long as the process lives."""

    def __init__(self) -> None:
        """Begin empty."""
        self._records: dict[str, Record] = {}

    def find(self, key: str) -> Record | None:
        """Return what was recorded under a key."""
        return self._records.get(key)

    def keep(self, key: str, record: Record) -> Record:
        """Record a result, unless there is one already; return the one that is there then."""
        return self._records.setdefault(key, record)


@final
class SqliteStore:
    """Keeps results in an SQLite file, which several processes of one machine may share."""

    def __init__(self, path: str | PathLike[str]) -> None:
        """Open the file, and make it if it is not there."""
        self._lock = Lock()
        self._database = sqlite3.connect(path, timeout=BUSY, check_same_thread=False, isolation_level=None)
        try:
            with contextlib.suppress(sqlite3.OperationalError):  # busy: another process opens it, and does the same
                self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, digest TEXT NOT NULL, output TEXT)"
            )
        except BaseException:
            self._database.close()
            raise

    def find(self, key: str) -> Record | None:
        """Return what was recorded under a key."""
        with self._lock:
            row = self._database.execute("SELECT digest, output FROM results WHERE key = ?", (key,)).fetchone()
        return None if row is None else Record(*row)

    def keep(self, key: str, record: Record) -> Record:
        """Record a result, unless there is one already; return the one that is there then."""
        with self._lock:
            self._database.execute("INSERT OR IGNORE INTO results VALUES (?, ?, ?)", (key, *record))
        return self.find(key) or record

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()


def _all(effect: Attempted) -> bool:  # noqa: ARG001 - the signature of a choice
    return True


@final
class Idempotent:
    """Middleware that asks a store before an effect and records its output after it.

    `only` chooses the effects by a predicate; without it, all go through the store.
    """

    def __init__(self, store: IdempotencyStore, *, only: Callable[[Attempted], bool] = _all) -> None:
        """Use `store`."""
        self._store = store
        self._only = only

    async def __call__(self, effect: Attempted, following: Handler, /) -> object:
        """Perform an effect, or give what it gave before.

        Raises:
            KeyReused: if the key was used with another input.
            Unserialisable: if the input has no form in JSON or holds a secret (S33), or the output that is asked for
                again had none.
        """
        if not self._only(effect):
            return await following(effect)
        key = step_context().idempotency_key
        given = Codec((*effect.body.takes, type(effect.value))).encode(effect.value, effect.path)
        digest = hashlib.sha256(canonical(given).encode()).hexdigest()
        record = self._store.find(key)
        if record is None:
            output = await following(effect)
            mine = Record(digest, _text(effect, output))
            record = self._store.keep(key, mine)
            if record == mine:
                return output
        return _recorded(effect, key, record, digest)


def _recorded(effect: Attempted, key: str, record: Record, digest: str) -> object:
    """Return the output that was recorded, by an earlier attempt or by who was faster."""
    if record.digest != digest:
        raise KeyReused(
            effect.path,
            found=f"the key {key!r}, under which another input was recorded",
            expected="one input for each key",
            mend="Give each run an id of its own, and each change of the input another run.",
        )
    if record.output is None:
        raise Unserialisable(
            effect.path,
            found=f"the key {key!r}, under which it has succeeded with an output that has no form in JSON",
            expected="an output that can be given again",
            mend="Let the body return plain data or records, and annotate what it returns.",
        )
    return _codec(effect).decode(json.loads(record.output), effect.path)


def _text(effect: Attempted, output: object) -> str | None:
    """Return an output as it is recorded. One without a form is no failure of the step: its effect has landed."""
    try:
        return json.dumps(_codec(effect).encode(output, effect.path))
    except Unserialisable:
        return None


def _codec(effect: Attempted) -> Codec:
    return Codec((effect.body.gives,))
