"""Options that are misspelt, of the wrong type, or of another method."""

from __future__ import annotations

from orchestration import LocalEngine, Retry, Workflow, step
from typecheck.shop import (
    Order,
    find_cart,
    find_user,
    log,
    number,
    price,
    read_lines,
    release,
    reserve,
    weigh,
)

start = Workflow[Order]("checkout")
reserved = start.step(reserve)
lines = start.step(read_lines)
inner = Workflow[Order]("inner").step(reserve)
two = start.fork(find_user).fork(find_cart)

# --- misspelt

start.step(reserve, nme="reserve")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
start.step(reserve, retries=Retry())  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
start.step(reserve, timout=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
start.tap(log, attempt_timout=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
step(reserve, retry_on=OSError)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
lines.map(weigh, concurency=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
reserved.compensate(release, in_doubt_of=OSError)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
Retry(attempts=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

# --- of the wrong type

start.step(reserve, retry=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.step(reserve, attempt_timeout="3s")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.step(reserve, name=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.step(reserve, run_in=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.branch(name=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
lines.map(weigh, concurrency="3")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(concurrency=1.5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
two.join(price, retry=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.compensate(release, timeout="1m")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.compensate(release, in_doubt_on="TimeoutError")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
Retry(max_attempts="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Retry(jitter="some")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Retry(retry_on="OSError")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a tuple is wanted
LocalEngine(validate="none")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# --- of another method

start.tap(inner, attempt_timeout=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.pure(number, retry=Retry())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
start.fork(find_user, concurrency=2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  # give it to .join
two.join(attempt_timeout=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  # there is no step to time
two.join(price, on_error="race")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
