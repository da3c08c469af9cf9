"""The parent's side: asks the server for runs and deaths, and holds what is left behind against the rules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from orchestration.errors import RunNotFound
from orchestration.journal.repair import look_for_damage
from orchestration.journal.sqlite import SqliteJournal
from tests.docs.snippets import ROOT
from tests.durable.crash.server import LEASE, RUN
from tests.durable.witness import Witness, Written

if TYPE_CHECKING:
    from pathlib import Path


class Server:
    """The process that forks."""

    def __init__(self) -> None:
        """Start it."""
        command = [sys.executable, "-m", "tests.durable.crash.server"]
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
        )

    def ask(self, do: str, scene: str, folder: Path, **details: Any) -> tuple[int, float]:
        """Return the answer to a request, and how many seconds it took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"do": do, "scene": scene, "folder": str(folder), **details}
        self._process.stdin.write(f"{json.dumps(request)}\n")
        self._process.stdin.flush()
        number, seconds = json.loads(self._process.stdout.readline())
        return number, seconds

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


def lines(file: Path) -> list[str]:
    """Return the lines of a file, none if it is not there."""
    return file.read_text().splitlines() if file.exists() else []


def durable(folder: Path) -> Written:
    """Read the journal, which the end of its process has not damaged."""
    with closing(SqliteJournal(folder / "runs.db")) as journal:
        try:
            assert look_for_damage(journal, RUN) is None
        except RunNotFound:
            return Written([], [])
        records = journal.read(RUN)
    return Written([json.loads(record.text) for record in records], [record.checksum for record in records])


class Play:
    """A scene in a folder of its own, in one process after the other."""

    def __init__(self, server: Server, scene: str, folder: Path) -> None:
        """Begin with a new folder."""
        self.server = server
        self.scene = scene
        self.folder = folder
        self.deaths = 0
        self._witness = Witness()

    def live(self, **death: Any) -> bool:
        """Begin or go on in a new process, which dies as told or ends; tell whether it has ended."""
        number, _ = self.server.ask("run", self.scene, self.folder, ahead=self.deaths * 2 * LEASE, **death)
        assert number in (0, -9), self._trouble(number)
        self.deaths += 1
        there = durable(self.folder)
        for position, checksum in map(str.split, lines(self.folder / "acknowledged")):
            assert there.checksums[int(position)] == checksum, f"S34: record {position} was acknowledged, and is lost"
        self._witness.look(there, lines(self.folder / "performed"))
        return number == 0

    def end(self) -> object:
        """Go on to the end; return what it comes to."""
        assert self.live()
        return self.outcome()

    def outcome(self) -> object:
        """Return what the run has come to."""
        with closing(SqliteJournal(self.folder / "runs.db")) as journal:
            head = journal.head(RUN)
        assert head.status != "unfinished"
        return json.loads((self.folder / "outcome").read_text())

    def _trouble(self, number: int) -> str:
        error = self.folder / "error"
        return f"exit code {number}\n{error.read_text() if error.exists() else ''}"

    @property
    def deaths_at(self) -> list[str]:
        """At which write points its processes have died."""
        return lines(self.folder / "died")
