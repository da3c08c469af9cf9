"""How to come to a server that may not be up yet."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from temporalio.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("orchestration")
PAUSE = 1.0  # seconds


def _tell(said: str) -> None:
    _log.warning(said)


async def connected(
    target: str,
    *,
    waits: Callable[[str], object] = _tell,
    pause: float = PAUSE,
    **options: Any,  # noqa: ANN401 - those of `Client.connect`
) -> Client:
    """Connect to the server at `HOST:PORT`, and wait for it as long as it cannot be reached; `waits` is told why, once.

    `options` are those of `temporalio.client.Client.connect`; it is tried again after `pause` seconds.
    """
    told = False
    while True:
        try:
            return await Client.connect(target, **options)
        except RuntimeError as error:  # what temporalio raises where nobody answers
            if not told:
                waits(f"waiting for a Temporal server at {target}: {error}")
                told = True
            await asyncio.sleep(pause)
