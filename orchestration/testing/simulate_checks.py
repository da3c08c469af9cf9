"""What every engine owes every run: held in each run of a simulation, whatever the user asks for.

Each is a function of the record: what the pure interpreter makes of the log is compared with what the world has seen.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

from orchestration.frozen import evolve
from orchestration.interpreter.effects import Attempted, Cancel, CancelTimer, StartTimer
from orchestration.interpreter.events import (
    CancelRequested,
    CleanupFailed,
    CleanupSucceeded,
    CleanupTimedOut,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepSucceeded,
    StepTimedOut,
    TimerFired,
    UndoFailed,
    UndoSucceeded,
    UndoTimedOut,
)
from orchestration.interpreter.pending import ENDED
from orchestration.outcomes import Cancelled
from orchestration.testing.answers import NOTHING
from orchestration.testing.simulate_world import key_of_attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestration.testing.simulate_record import Record
    from orchestration.testing.simulate_world import Work

Owed: TypeAlias = "tuple[str, Callable[[Record], str | None]]"  # a name, and what is found to be wrong, if anything
CLOSE = 1e-6  # seconds: what the sums of floats may be apart
TIMEOUTS = (StepTimedOut, UndoTimedOut, CleanupTimedOut)
SUCCESSES = (StepSucceeded, UndoSucceeded, CleanupSucceeded)
FAILURES = (StepFailed, UndoFailed, CleanupFailed)


def leaves_nothing(record: Record) -> str | None:
    """See that the run has come to an end (S28), and nothing of it is left but what has leaked (S29)."""
    return f"{', '.join(record.left)} left when the run was over" if record.left else None


def folds_again(record: Record) -> str | None:
    """Fold the log: the pure interpreter finds all of it possible, and comes to the same outcome (S39)."""
    try:
        last = record.moments[-1].state.outcome
    except Exception as error:  # noqa: BLE001 - whatever a wrong log leads to
        return f"the log cannot be folded: {error!r}"
    found = None if record.waits else record.outcome
    if found is None or last is None:
        return None if found is last or record.waits else f"the run ended with {found}, its log with {last}"
    bare = evolve(found, hook_failures=(), leaked=found.leaked[: len(last.leaked)])
    return None if bare == last else f"the run ended with {bare}, its log with {last}"


def performs_what_is_asked(record: Record) -> str | None:
    """See that each attempt that the interpreter asks for is made once, with its value, and no other (S2)."""
    asked = _asked(record)
    for key, times in Counter(work.key for work in record.works).items():
        if times > 1:
            return f"{key} began {times} times"
    for work in record.works:
        at, effect = asked.get(work.key, (None, None))
        if at is None or work.after <= at:
            return f"{work.key} began, and was not asked for"
        if effect != work.effect:
            return f"{work.key} began as {work.effect}, and was asked for as {effect}"
    withdrawn = {record.ends[at] for at, event in enumerate(record.events) if never_began(event)}
    missing = sorted(asked.keys() - {work.key for work in record.works} - withdrawn)
    ended = record.outcome is not None and not record.waits
    return f"{missing[0]} was asked for, and never began" if missing and ended else None


def reports_what_happened(record: Record) -> str | None:
    """See that each end of an attempt in the log is what the world has seen, at its time (S24, S39)."""
    works = {work.key: work for work in record.works}
    for at, event in enumerate(record.events):
        if type(event) in ENDED:
            wrong = _wrong(event, works.get(record.ends[at] or ""), record)
            if wrong:
                return f"{event} is in the log, and {wrong}"
    return None


def _wrong(event: Any, work: Work | None, record: Record) -> str | None:  # noqa: ANN401 - the end of an attempt
    if never_began(event):
        return None if work is None else "the attempt had begun"
    if work is None:
        return "no such attempt began"
    if is_leak(event):
        due = None if work.told is None else work.told + record.grace
        early = work.ended is not None and work.ended < event.at
        return "it had ended" if early else _apart(due, event.at, "its grace was over")
    if work.ended != event.at:
        return f"it ended at {work.ended}"
    if isinstance(event, SUCCESSES):
        same = not isinstance(event, StepSucceeded) or event.output is work.returned
        return None if same and work.returned is not NOTHING else "it did not return that"
    if isinstance(event, FAILURES):
        return None if event.failure.exception is work.raised else f"it raised {work.raised!r}"
    if work.told is None:
        return "it was not told to end"
    by_time = _due(work) == work.told
    return "it was not too long" if isinstance(event, TIMEOUTS) and not by_time else None


def tells_in_time(record: Record) -> str | None:
    """See that who is to end is told so at once: by a cancel (S28), or when its timeout is over (S10); nobody else."""
    cancels = _cancels(record)
    for work in record.works:
        due = min((at for at in (cancels.get(work.key), _due(work)) if at is not None), default=None)
        if work.told is not None and work.told != due:
            return f"{work.key} was told to end at {work.told}, and should have been at {due}"
        missed = work.told is None and due is not None and (work.ended is None or work.ended > due)
        if missed and not record.waits and due is not None and due <= record.moments[-1].state.at:
            return f"{work.key} was not told to end at {due}"
    return None


def lets_results_win(record: Record) -> str | None:
    """See that an attempt that ends in the instant in which it has taken too long is not told to end (S10)."""
    cancels = _cancels(record)
    for work in record.works:
        if work.begun < work.due == _due(work) == work.told and cancels.get(work.key) != work.told:
            return f"{work.key} was told to end at {work.told}, when it ended by itself"
    return None


def gives_up_in_time(record: Record) -> str | None:
    """See that who is told to end has done so when the grace is over, or is given up then (S24)."""
    given_up = {mark.key for mark in record.marks if mark.what == "leaked"}
    end = record.moments[-1].state.at
    for work in record.works:
        over = end if work.told is None else work.told + record.grace + CLOSE
        if over < (end if work.ended is None else min(end, work.ended)) and work.key not in given_up:
            return f"{work.key} was told to end at {work.told}, and not given up when its grace was over"
    return None


def loses_nothing(record: Record) -> str | None:
    """See that the end of each attempt is in the log, also of one that had leaked, unless the run was over (S24)."""
    reported = {(record.ends[at], event.at) for at, event in enumerate(record.events) if type(event) in ENDED}
    for work in record.works:
        if work.ended is not None and not work.over and (work.key, work.ended) not in reported:
            return f"{work.key} ended at {work.ended}, and the log does not say so"
    return None


def keeps_time(record: Record) -> str | None:
    """See that each timer fires when it is due, unless it was cancelled (S10)."""
    running: dict[tuple[str, str], float] = {}
    for moment in record.moments:
        event, at = moment.event, moment.state.at
        if isinstance(event, TimerFired):
            due = running.pop((event.path, event.purpose), None)
            if due is None or abs(event.at - due) > CLOSE:
                return f"the {event.purpose} timer of {event.path} fired at {event.at}, and was due at {due}"
        for (path, purpose), due in running.items():
            if due < at - CLOSE:
                return f"the {purpose} timer of {path} was due at {due}, and had not fired at {at}"
        for effect in moment.effects:
            if isinstance(effect, StartTimer):
                running[effect.path, effect.purpose] = max(effect.due, at)
            elif isinstance(effect, CancelTimer):
                running.pop((effect.path, effect.purpose), None)
    return None


def keeps_caps(record: Record) -> str | None:
    """See that no more attempts are under way than may be, leaked ones apart (S14)."""
    for at, used in _usage(record):
        for name, number in used.items():
            if number > record.capacities[name]:
                return f"{number} attempts under {name} at {at}, at most {record.capacities[name]} may be"
    return None


def wastes_no_room(record: Record) -> str | None:
    """See that no attempt waits while there is room for it, and that those who wait are served in turn (S14)."""
    if record.hooked:
        return None  # observers are told first, and take their time
    works = {work.key: work for work in record.works}
    usage = dict(_usage(record))  # the last of each time: how things stood when it had passed
    begun: dict[tuple[str, ...], int] = {}
    order = {work.key: number for number, work in enumerate(record.works)}
    end = record.moments[-1].state.at
    for key, (at, effect) in _asked(record).items():
        since, gates = record.moments[at].state.at, record.gates(effect)
        until = works[key].begun if key in works else min(_withdrawn(record, key), end)
        standing = max((time for time in usage if time <= since), default=since)
        for time in [standing, *(time for time in usage if since < time < until)]:
            if since < until and all(usage.get(time, {}).get(name, 0) < record.capacities[name] for name in gates):
                return f"{key} waited from {since} to {until}, and there was room for it at {max(time, since)}"
        if key in order:
            if order[key] < begun.get(tuple(gates), -1):
                return f"{key} began before others that had come earlier"
            begun[tuple(gates)] = order[key]
    return None


def answers_a_cancel(record: Record) -> str | None:
    """See that a cancel is heard, and who cancels is told whether it decided the run (S28), who awaits it too (S30)."""
    if record.stopped is False:
        return "the task that awaits the run was cancelled, and ended as if it was not"
    if record.tokened is not None and not any(_is_cancel(event, record.tokened) for event in record.events):
        return f"a token was cancelled at {record.tokened}, and the run did not hear of it"
    said, outcome = record.said, record.outcome
    if said is None or outcome is None or record.waits:
        return None
    decided = isinstance(outcome, Cancelled)
    return None if said.decided == decided else f"cancel() answered {said.decided}, and the run ended with {outcome}"


OWED: tuple[Owed, ...] = tuple(
    (check.__name__, check)
    for check in (
        folds_again,
        performs_what_is_asked,
        reports_what_happened,
        tells_in_time,
        lets_results_win,
        gives_up_in_time,
        loses_nothing,
        keeps_time,
        keeps_caps,
        wastes_no_room,
        answers_a_cancel,
        leaves_nothing,
    )
)


# --- what several of them ask for


def _asked(record: Record) -> dict[str, tuple[int, Attempted]]:
    """Return which attempts were asked for, each with the number of the event of which it came."""
    return {
        key_of_attempt(effect): (at, effect)
        for at, moment in enumerate(record.moments)
        for effect in moment.effects
        if isinstance(effect, Attempted)
    }


def _cancels(record: Record) -> dict[str, float]:
    """Return when each attempt that the interpreter had told to end was to be told."""
    cancels: dict[str, float] = {}
    under_way: dict[str, str] = {}
    for moment in record.moments:
        for effect in moment.effects:
            if isinstance(effect, Attempted):
                under_way[effect.path] = key_of_attempt(effect)
            elif isinstance(effect, Cancel) and effect.attempt:
                cancels.setdefault(under_way[effect.path], moment.state.at)
    return cancels


def _is_cancel(event: object, at: float) -> bool:
    return isinstance(event, CancelRequested) and event.at == at


def never_began(event: object) -> bool:
    """Tell whether an event is the end of an attempt that was withdrawn."""
    return isinstance(event, StepCancelled) and not event.started


def is_leak(event: object) -> bool:
    """Tell whether an event says that an attempt was given up."""
    return isinstance(event, StepLeaked) or bool(getattr(event, "leaked", False))


def _due(work: Work) -> float | None:
    """Return when an attempt has taken too long (S10)."""
    timeout = work.effect.timeout
    return None if timeout is None else work.begun + timeout


def _apart(due: float | None, at: float, what: str) -> str | None:
    return None if due is not None and abs(due - at) <= CLOSE else f"{what} at {due}"


def _withdrawn(record: Record, key: str) -> float:
    """Return when an attempt was withdrawn that had not begun."""
    ends = (event.at for at, event in enumerate(record.events) if never_began(event) and record.ends[at] == key)
    return min(ends, default=float("inf"))


def _usage(record: Record) -> Iterator[tuple[float, dict[str, int]]]:
    """Yield how many attempts are under way under each cap, after each change."""
    effects = {work.key: work.effect for work in record.works}
    used: Counter[str] = Counter()
    leaked: set[str] = set()
    for mark in record.marks if record.capacities else ():
        if mark.what == "ended" and mark.key in leaked:
            continue
        if mark.what == "leaked":
            leaked.add(mark.key)
        for name in record.gates(effects[mark.key]):
            used[name] += 1 if mark.what == "began" else -1
        yield mark.at, dict(used)
