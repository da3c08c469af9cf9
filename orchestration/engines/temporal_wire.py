"""What goes over the wire to Temporal and back: plain JSON data, so any data converter and payload codec will do.

Values in it are written by the codec of the plan (S12), secrets by its cipher (S33).
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from orchestration.interpreter.effects import RunCleanup, RunUndo
from orchestration.interpreter.pending import Pending, Waiting
from orchestration.interpreter.serial import from_data, state_from_data, state_to_data, to_data
from orchestration.plan.codec import canonical
from orchestration.plan.sealing import HIDING

if TYPE_CHECKING:
    from orchestration.interpreter.effects import Attempted, Effect
    from orchestration.interpreter.state import State
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan

Data: TypeAlias = "dict[str, Any]"

RUN = "orchestration.run"  # the workflow
ATTEMPT = "orchestration.attempt"  # the activity
PAUSE = "orchestration.pause"  # the local activity that ends a long stretch of evaluations (S7)
ASK, TELL = "orchestration.ask", "orchestration.tell"  # the local activities that call hooks
SIGNAL = "orchestration.signal"
STATE, PROGRESS = "orchestration.state", "orchestration.progress"  # queries
STOPPED = "orchestration.WorkerStopped"  # an attempt whose worker was stopped in order
UNKNOWN = "orchestration.UnknownWorkflow"  # an attempt that came to a worker without its plan
ENDED = "orchestration.ended"  # the type of the failure that a run ends in that has not succeeded, before its kind

LOST_VALUE = "orchestration.Unserialisable"  # the same of a run whose outcome has no form in JSON

VERSION = 1
HASH_BYTES = 16
LARGEST = 1_900_000  # bytes of a packed state: with what is around it no more than Temporal's 2 MB
LONGEST_ID = 900  # letters in the id of an activity: a server may refuse 1,000


class Settings(NamedTuple):
    """How a run is run; its own from its start on, so that every replay of it is the same.

    `heartbeat`: after so many seconds without a sign of life an attempt counts as lost (S35). `window`: so many
    activities are under way at a time. `longest`: after so many events of Temporal's history the run goes on in a new
    one; `None` leaves that to the server. Before it does, nothing new begins for up to `patience` seconds, in runs of
    former releases however long it takes.
    """

    heartbeat: float = 10.0
    window: int = 200
    longest: int | None = None
    patience: float | None = None


# --- runs


def order_of_run(
    plan: Plan, run_id: str, value: object, deadline: float | None, settings: Settings, hooks: list[Data]
) -> Data:
    """Return what a workflow begins with; `hooks` are those of its engine.

    Raises:
        Unserialisable: if the value has no form in JSON.
    """
    encoded = plan.codec.encode(value, f"{plan.name}: the input")
    order: Data = {"v": VERSION, "plan": plan.name, "fingerprint": plan.fingerprint, "run": run_id}
    order |= {"value": encoded, "deadline": deadline, "settings": settings._asdict()}
    return {**order, "hooks": hooks} if hooks else order


def order_of_rest(plan: Plan, order: Data, state: State, pending: Pending, listed: Data | None) -> Data:
    """Return what a workflow goes on with in a new history, packed: Temporal takes no more than 2 MB at a time.

    `listed` is what its hooks have left for the outcome.

    Raises:
        Unserialisable: if the state holds a value that pure functions have made and that has no form in JSON.
    """
    waiting = [[path, kind, to_data(plan, waiting.effect, path)] for (path, kind), waiting in pending.items()]
    kept: Data = {
        name: order[name] for name in ("v", "plan", "fingerprint", "run", "settings", "hooks") if name in order
    }
    rest = {"state": state_to_data(plan, state), "pending": waiting, "listed": listed}
    text = json.dumps(rest, separators=(",", ":"))
    return {**kept, "rest": base64.b64encode(zlib.compress(text.encode())).decode()}


def rest_of(plan: Plan, order: Data) -> tuple[State, Pending, Data | None]:
    """Return where a workflow goes on, from what `order_of_rest` gave."""
    rest = json.loads(zlib.decompress(base64.b64decode(order["rest"])))
    pending = {
        (path, kind): Waiting(cast("Effect", from_data(plan, effect, path))) for path, kind, effect in rest["pending"]
    }
    return state_from_data(plan, rest["state"]), pending, rest.get("listed")


def digest_of(plan: Plan, value: object) -> str:
    """Return a text that is equal for equal inputs, and tells no secret (S5, S33)."""
    text = canonical(plan.codec.with_cipher(HIDING).encode(value))
    return hashlib.blake2b(text.encode(), digest_size=HASH_BYTES).hexdigest()


def outcome_of(plan: Plan, data: Any) -> Outcome[Any]:  # noqa: ANN401 - JSON
    """Return an outcome from what the workflow gave."""
    return cast("Outcome[Any]", from_data(plan, data, "outcome"))


# --- attempts


def order_of_attempt(plan: Plan, run_id: str, effect: Attempted) -> Data:
    """Return what an activity is given to perform an attempt.

    Raises:
        Unserialisable: if its input has no form in JSON.
    """
    order: Data = {"v": VERSION, "plan": plan.name, "fingerprint": plan.fingerprint, "run": run_id}
    return {**order, "effect": to_data(plan, effect, effect.path)}


def id_of(effect: Attempted, begun: int) -> str:
    """Return the id of the activity that performs an attempt, the path first; `begun` counts its earlier ones."""
    what = effect.by if isinstance(effect, RunUndo) else "cleanup" if isinstance(effect, RunCleanup) else ""
    path = f"{effect.path}:{what}" if what else effect.path
    if len(path) > LONGEST_ID:
        path = f"{path[:LONGEST_ID]}…{hashlib.blake2b(path.encode(), digest_size=HASH_BYTES).hexdigest()}"
    return f"{path}#{effect.attempt}" if not begun else f"{path}#{effect.attempt}~{begun}"


# --- signals


def letter_of(plan: Plan, name: str, signal_id: str, payload: object) -> Data:
    """Return what a signal brings.

    Raises:
        Unserialisable: if the payload has no form in JSON.
    """
    encoded = plan.codec.encode(payload, f"{plan.name}: the signal {name!r}")
    return {"v": VERSION, "signal": name, "id": signal_id, "payload": encoded}
