"""Make a manifest of a folder, however large: each file with its checksum, and progress while it works.

    python examples/batch.py .
    orchestration run examples/batch.py:manifest --input '{"root": "."}'

What it teaches: a batch of which nobody knows how long it is. The files come as a *stream*, of which no more is read
than there is room for; the results are folded as they come and none of them is kept, so a million files need no more
memory than ten. The folding goes in the order of the files, whoever is read first: the checksum of the whole is always
the same. Progress is read from the run's events, by whoever holds its handle; the workflow does not know of it.
"""

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import PositiveInt

from orchestration import LocalEngine, Ok, Outcome, Succeeded, Workflow
from orchestration.interpreter.events import AnyEvent, StepFailed, StepSucceeded
from orchestration.results import Err

CHUNK = 1 << 20  # bytes that are read at a time
EVERY = 500  # files between two lines of progress


@dataclass(frozen=True)
class Folder:
    """What to make a manifest of."""

    root: Path


@dataclass(frozen=True)
class Files:
    """The files under a root in a fixed order, found while they are gone through."""

    root: Path

    def __iter__(self) -> Iterator[Path]:
        """Find one after the other."""
        if not self.root.is_dir():
            raise NotADirectoryError(self.root)
        for folder, folders, names in os.walk(self.root):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names))


@dataclass(frozen=True)
class Checked:
    """A file, its size in bytes and its checksum."""

    path: Path
    size: int
    checksum: str


@dataclass(frozen=True)
class Manifest:
    """All files so far: figures, and a checksum of the checksums; `unread` names a few that could not be read."""

    files: int = 0
    size: int = 0
    checksum: str = ""
    unreadable: int = 0
    unread: tuple[str, ...] = ()


@dataclass
class Progress:
    """How far a run is; it tells every so many files."""

    tell: Callable[[str], object]
    every: PositiveInt = EVERY
    done: int = field(default=0, init=False)
    failed: int = field(default=0, init=False)

    def see(self, event: AnyEvent) -> None:
        """Take one event into account."""
        self.done += isinstance(event, StepSucceeded)
        self.failed += isinstance(event, StepFailed)
        if isinstance(event, StepSucceeded | StepFailed) and (self.done + self.failed) % self.every == 0:
            self.tell(f"{self.done} files read, {self.failed} not readable")


def files_of(folder: Folder) -> Files:
    """Name the source; nothing is looked for yet."""
    return Files(folder.root)


def checked(path: Path) -> Checked:
    """Read a file, a piece at a time. It blocks, so it is a plain function, which runs in a thread."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Checked(path, size, digest.hexdigest())


def add(manifest: Manifest, result: Ok[Checked] | Err) -> Manifest:
    """Fold one more file in; one that cannot be read is named, and does not stop the others."""
    if isinstance(result, Err):
        unread = (*manifest.unread, result.failure.message)[:10]
        return Manifest(manifest.files, manifest.size, manifest.checksum, manifest.unreadable + 1, unread)
    file = result.value
    checksum = hashlib.sha256(f"{manifest.checksum}{file.checksum}".encode()).hexdigest()
    return Manifest(manifest.files + 1, manifest.size + file.size, checksum, manifest.unreadable, manifest.unread)


manifest = (
    Workflow[Folder]("manifest")
    .pure(files_of)
    .map(checked, concurrency=8, on_error="collect", timeout=24 * 3600)
    .into(Manifest(), add)
)


async def watched(events: AsyncIterator[AnyEvent], progress: Progress) -> None:
    """Follow a run to its end."""
    async for event in events:
        progress.see(event)


async def measure(root: Path, progress: Progress) -> Outcome[Manifest]:
    """Make the manifest of a folder and follow how far it is."""
    handle = await LocalEngine().start(manifest, Folder(root))
    await watched(handle.events(), progress)
    return await handle.result()


def main() -> None:
    """Make the manifest of the folder that the command line names."""
    outcome = asyncio.run(measure(Path(sys.argv[1] if len(sys.argv) > 1 else "."), Progress(print)))
    print(outcome.value if isinstance(outcome, Succeeded) else outcome)


if __name__ == "__main__":
    main()
