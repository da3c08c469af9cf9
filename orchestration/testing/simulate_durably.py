"""What an engine owes a durable run besides (S34-S38), however often its processes have ended."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from orchestration.interpreter.effects import Attempted, RunStep
from orchestration.interpreter.events import Resumed, StepSucceeded
from orchestration.interpreter.pending import ENDED
from orchestration.testing.answers import NOTHING
from orchestration.testing.simulate_checks import FAILURES, SUCCESSES, TIMEOUTS, folds_again, is_leak, never_began
from orchestration.testing.simulate_world import key_of_attempt

if TYPE_CHECKING:
    from orchestration.testing.simulate_checks import Owed
    from orchestration.testing.simulate_record import Record
    from orchestration.testing.simulate_world import Work


def acts_on_what_is_durable(record: Record) -> str | None:
    """See that no attempt begins before that is durable of which it follows (S34)."""
    asked = _asked(record)
    for work in record.works:
        before = [effect for at, effect in asked.get(work.key, ()) if at < work.after]
        if not before:
            return f"{work.key} began when {work.after} records were durable, and none of them asks for it"
        if before[-1] != work.effect:
            return f"{work.key} began as {work.effect}, and was asked for as {before[-1]}"
    return None


def does_nothing_again(record: Record) -> str | None:
    """See that nothing whose end is durable is done again, and that one process does nothing twice (S25, S35)."""
    asked, ends = _asked(record), record.ends
    owned = [work for work in record.works if work.lost is None]
    twice = Counter((work.key, work.life) for work in owned)
    for work in owned:
        since = [at for at, _ in asked.get(work.key, ()) if at < work.after][-1:]
        ended = [at for at, key in enumerate(ends[: work.after]) if key == work.key and not _is_lost(record, at)]
        if since and any(at > since[0] for at in ended):
            return f"{work.key} began again at {work.begun}, and its end was durable"
        if twice[work.key, work.life] > len(asked[work.key]):
            return f"{work.key} was begun {twice[work.key, work.life]} times by process {work.life + 1}"
    return None


def stops_when_it_is_lost(record: Record) -> str | None:
    """See that a process that another one has overtaken undoes nothing and cleans up nothing (S38).

    What has become durable in the very instant in which the other took over may be followed by what it asks for.
    """
    for work in record.works:
        if work.lost is not None and work.lost < work.begun and not isinstance(work.effect, RunStep):
            return f"{work.key} was begun by process {work.life + 1}, which had lost the run to another"
    return None


def reports_what_happened(record: Record) -> str | None:
    """See that each end of an attempt in the log is what the world has seen (S35, S39)."""
    for at, event in enumerate(record.events):
        if type(event) not in ENDED or _is_lost(record, at) or never_began(event):
            continue
        works = [work for work in record.works if work.key == record.ends[at]]
        if not any(_fits(event, work) for work in works):
            return f"{event} is in the log, and nothing of it has happened"
    return None


def _fits(event: Any, work: Work) -> bool:  # noqa: ANN401 - the end of an attempt
    if is_leak(event):
        return work.told is not None and (work.ended is None or work.ended >= event.at)
    if work.ended != event.at:
        return False
    if isinstance(event, SUCCESSES):
        return work.returned is not NOTHING and (not isinstance(event, StepSucceeded) or event.output == work.returned)
    if isinstance(event, FAILURES):  # what has no form in JSON is a failure of its step
        return work.raised is not None or event.failure.kind.endswith("Unserialisable")
    return work.told is not None and (not isinstance(event, TIMEOUTS) or work.effect.timeout is not None)


def tells_once(record: Record) -> str | None:
    """See that listeners are told of what is durable, each of it once at most, and in its order (S32)."""
    log = iter(record.events)
    for event in record.told:
        if not any(event == known for known in log):
            return f"{event} was told, and does not stand in the log behind what was told before"
    return None


def _is_lost(record: Record, at: int) -> bool:
    return type(record.events[at]).__name__.endswith("Lost")


def _asked(record: Record) -> dict[str, list[tuple[int, Attempted]]]:
    """Return when each attempt was asked for: once, and again by each process that goes on with it."""
    asked: dict[str, list[tuple[int, Attempted]]] = {}
    for at, moment in enumerate(record.moments):
        for effect in moment.effects:
            if isinstance(effect, Attempted):
                asked.setdefault(key_of_attempt(effect), []).append((at, effect))
    return asked


def resumes_in_order(record: Record) -> str | None:
    """See that each process that takes over says so, as the owner of a later epoch than the one before (S38)."""
    epochs = [event.epoch for event in record.events if isinstance(event, Resumed)]
    return None if epochs == sorted(set(epochs)) else f"processes went on as the owners number {epochs}"


OWED_DURABLY: tuple[Owed, ...] = tuple(
    (check.__name__, check)
    for check in (
        folds_again,
        acts_on_what_is_durable,
        does_nothing_again,
        stops_when_it_is_lost,
        reports_what_happened,
        tells_once,
        resumes_in_order,
    )
)
