"""Recoveries, cleanups and waits that do not fit."""

from __future__ import annotations

import asyncio

from orchestration import Failure, Retry, Signal, Workflow, step
from typecheck.shop import (
    Charge,
    Declined,
    Mail,
    Order,
    Payments,
    Reserved,
    User,
    charge,
    log,
    refund,
    release,
    reserve,
)

start = Workflow[Order]("checkout")
reserved = start.step(reserve)
inner = step(reserve).step(charge)
approval = Signal("approval", User)


def declined(failure: Failure) -> Declined:
    raise NotImplementedError


def from_error(error: Exception) -> Declined:
    raise NotImplementedError


def of_charge(reserved: Reserved, charge: Charge) -> Charge:
    raise NotImplementedError


# --- recover

reserved.recover(declined)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
reserved.recover(declined, on="OSError")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.recover(declined, on=OSError())  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.recover(declined, on=[OSError])  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.recover(declined, on=asyncio.CancelledError)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.recover(declined, on=OSError, on_partial="maybe")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.recover(declined, on=OSError, retry_on=OSError)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
reserved.recover(from_error, on=OSError)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.recover(release, on=OSError)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.recover(step(reserve), on=OSError)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.recover(step(declined), on=OSError, attempt_timeout=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.recover(declined, on=OSError).step(charge)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.recover(declined, on=OSError).compensate(log)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
only_reserved: Workflow[Order, Reserved] = reserved.recover(declined, on=OSError)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]

# --- cleanup, pivot, sleep

reserved.cleanup(refund)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.cleanup(Mail.send)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.cleanup(inner)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.cleanup(release, attempt_timeout=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
reserved.cleanup(release, run_in="loop")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
reserved.cleanup(release).compensate(release)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
without: Workflow[Order, Reserved] = reserved.cleanup(Payments.void).pure(lambda reserved: reserved)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
reserved.pivot(release)  # type: ignore[arg-type, call-arg]  # pyright: ignore[reportCallIssue]
reserved.pivot(retry=Retry())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
reserved.sleep("1s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
reserved.sleep()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
reserved.sleep(1, timeout=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

# --- signals

reserved.wait_for("approval")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
reserved.wait_for(User)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
reserved.wait_for(approval).step(charge)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.wait_for(approval, of_charge)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
reserved.wait_for(approval, lambda user: user)  # type: ignore[arg-type, misc]  # pyright: ignore[reportArgumentType]
reserved.wait_for(approval, lambda _, user: user.nothing)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
reserved.wait_for(approval, retry=Retry())  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
reserved.wait_for(approval, timeout="1h")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
Signal("approval")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Signal("approval", User("me"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
a_charge: Signal[Charge] = approval  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

# --- options of workflows, and of bodies that are workflows

Workflow[Order]("checkout", max_concurrency="8")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Workflow[Order]("checkout", retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Workflow[Order]("checkout", timeout=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Workflow[Order]("checkout", on_undo_failure="stop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
start.step(inner, attempt_timeout=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.step(inner, run_in="thread")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.step(inner, limit="stock")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.step(inner, on_partial="maybe")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
start.step(reserve, on_partial="continue")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
start.step(reserve, timeout="3s")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.step(reserve, limit=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
step(inner, limit="stock")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.fork(inner, attempt_timeout=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.branch().otherwise(inner, run_in="thread")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
