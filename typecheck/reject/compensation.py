"""Undos of what is no step, and of the wrong type."""

from __future__ import annotations

from orchestration import Workflow, step
from typecheck.shop import (
    Mail,
    Order,
    Payments,
    cancel_order,
    charge,
    find_cart,
    find_user,
    log,
    number,
    price,
    read_lines,
    receipt,
    refund,
    release,
    reserve,
    weigh,
)

start = Workflow[Order]("checkout")
reserved = start.step(reserve)
charged = reserved.step(Payments.charge)


def no_argument() -> None:
    raise NotImplementedError


# --- nothing to undo

start.compensate(log)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
start.pure(number).compensate(log)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
reserved.tap(log).compensate(release)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
reserved.compensate(release).compensate(release)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
reserved.step(charge).compensate(refund).pure(receipt).compensate(log)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]

# --- an undo takes the output of its step

reserved.compensate(refund)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.compensate(cancel_order)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]  # its input
reserved.compensate(Payments.refund)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.compensate(no_argument)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.compensate(lambda reserved: reserved.id)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
reserved.compensate()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
charged.compensate(Mail.unsend)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
charged.compensate(Payments.void)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.fork(find_user).fork(find_cart).join(price).compensate(refund)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.step(read_lines).map(weigh).compensate(release)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
step(reserve).compensate(refund)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]

# --- an in-doubt handler takes the input of its step

reserved.compensate(release, in_doubt=release)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.compensate(release, in_doubt=Payments.void)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
charged.compensate(Payments.refund, in_doubt=Payments.refund)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
charged.compensate(Payments.refund, in_doubt=refund)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
charged.compensate(Payments.refund, in_doubt=Mail.send)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
charged.compensate(in_doubt=Payments.void)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
