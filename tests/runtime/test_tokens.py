"""Cancel tokens: shared, linked, polled and awaited, from any thread (S28)."""

from __future__ import annotations

import asyncio
import gc
from threading import Thread

from orchestration.runtime.tokens import CancelToken


def test_the_first_reason_stays() -> None:
    """S28: a token is cancelled once."""
    token = CancelToken()
    assert not token.cancelled
    assert token.reason is None
    assert token.cancel("enough")
    assert not token.cancel("too much")
    assert token.reason == "enough"
    assert repr(token) == "<CancelToken: cancelled, enough>"
    assert repr(CancelToken()) == "<CancelToken: open>"


def test_a_child_is_cancelled_with_any_parent_and_alone() -> None:
    """S28: a link goes one way, over any number of generations, also to a parent that was cancelled before."""
    one, other = CancelToken(), CancelToken()
    child = CancelToken(one, other)
    grandchild = CancelToken(child)
    sister = CancelToken(one)
    sister.cancel("alone")
    assert not one.cancelled
    other.cancel("the other")
    assert (child.reason, grandchild.reason) == ("the other", "the other")
    assert not one.cancelled
    assert CancelToken(other).reason == "the other"


def test_callbacks_are_called_once_and_can_be_taken_back() -> None:
    """A callback of a cancelled token is called at once."""
    token, told = CancelToken(), []
    token.when_cancelled(lambda reason: told.append(("first", reason)))
    forget = token.when_cancelled(lambda reason: told.append(("second", reason)))
    forget()
    token.cancel("now")
    token.when_cancelled(lambda reason: told.append(("late", reason)))()
    assert told == [("first", "now"), ("late", "now")]


def test_a_parent_keeps_no_child_alive() -> None:
    """A token that lives as long as the process may have a child for each request."""
    parent = CancelToken()
    for _ in range(100):
        CancelToken(parent)
    gc.collect()
    assert len(parent._children) == 0


async def _cancelled_from_a_thread() -> tuple[str, str]:
    token = CancelToken()
    waits = [asyncio.create_task(token.wait()) for _ in range(2)]
    given_up = asyncio.create_task(token.wait())
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    thread = Thread(target=token.cancel, args=("from a thread",))
    thread.start()
    first, second = await asyncio.gather(*waits)
    thread.join()
    assert not token._callbacks
    return first, second


def test_a_token_is_awaited_in_a_loop_and_cancelled_from_a_thread() -> None:
    """S28: waiting ends with the reason; a wait that was given up leaves nothing behind."""
    assert asyncio.run(_cancelled_from_a_thread()) == ("from a thread", "from a thread")
