"""What the crash tests share: the server that forks, and folders that cost no wait for a disk."""

from __future__ import annotations

import os
import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.durable.crash.client import Play, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made there has a name of its own; processes die, the machine stays


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Start a server."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def folders() -> Iterator[Iterator[Path]]:
    """Give new folders."""
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as root:
        yield _folders(Path(root))


def _folders(root: Path) -> Iterator[Path]:
    for number in count():
        folder = root / str(number)
        folder.mkdir()
        yield folder


@pytest.fixture
def play(server: Server, folders: Iterator[Path]) -> Callable[[str], Play]:
    """Begin a scene in a new folder."""
    return lambda scene: Play(server, scene, next(folders))


@pytest.fixture(scope="module")
def known() -> dict[str, object]:
    """Hold what scenes are known to come to."""
    return {}


@pytest.fixture
def undisturbed(server: Server, folders: Iterator[Path], known: dict[str, object]) -> Callable[[str], object]:
    """Return what a scene comes to if nothing happens; the server is warm for it then."""

    def perform(scene: str) -> object:
        if scene not in known:
            play = Play(server, scene, next(folders))
            number, _ = server.ask("warm", scene, play.folder)
            assert number == 0
            known[scene] = play.outcome()
        return known[scene]

    return perform
