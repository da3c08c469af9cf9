"""Release a folder of Python code: check it, pack it, and have the first mirror that takes it publish it.

    orchestration run examples/release.py:release --input '{"root": "examples"}'
    orchestration run examples/release.py:release --input '{"root": "examples", "largest": 1000}'

The second one fails, as there are files of more than 1000 bytes; so does one with all mirrors away.

What it teaches: a graph, in which each step begins when all that it needs is done; checks that are all run, so that one
message names all that is wrong; a race of mirrors, in which what the slower ones may have taken is withdrawn; how long
an attempt may take, and all of the packing; and a cleanup, which removes what was packed here, however the run ends.
"""

import asyncio
import hashlib
import shutil
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import NonNegativeFloat, PositiveInt

from orchestration import Err, Graph, Node, Ok, Retry, Workflow, graph, step, step_context

RELEASES = Path(tempfile.gettempdir(), "releases")


@dataclass(frozen=True)
class Mirror:
    """A folder that others read; `seconds` is how long it takes to answer, `away` says that it never does."""

    folder: Path
    seconds: NonNegativeFloat = 0.0
    away: bool = False


MIRRORS = (Mirror(RELEASES / "far", seconds=60), Mirror(RELEASES / "away", away=True), Mirror(RELEASES / "near"))


@dataclass(frozen=True)
class Release:
    """What to release; `largest` is how many bytes a file may have."""

    root: Path
    version: str = "1.0"
    largest: PositiveInt = 100_000
    work: Path = RELEASES / "work"
    mirrors: tuple[Mirror, ...] = MIRRORS


@dataclass(frozen=True)
class Sources:
    """The files of a release."""

    release: Release
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Bundle:
    """What goes to a mirror."""

    archives: tuple[Path, ...]
    checksums: str
    checked: str

    @property
    def names(self) -> tuple[str, ...]:
        """Which files a mirror will have: the checksums and the archives."""
        first, *_ = names = tuple(path.name for path in self.archives)
        return (f"{first}.sha256", *names)


@dataclass(frozen=True)
class Delivery:
    """A bundle on its way to one mirror."""

    bundle: Bundle
    mirror: Mirror


@dataclass(frozen=True)
class Published:
    """Where it can be had from now on."""

    folder: Path
    files: tuple[str, ...]
    checked: str


class Rejected(Exception):
    """The code is not fit to be released."""


def find(release: Release) -> Sources:
    """List the Python files under the root."""
    if not release.root.is_dir():
        raise NotADirectoryError(release.root)
    return Sources(release, tuple(sorted(release.root.rglob("*.py"))))


def compiles(sources: Sources) -> str:
    """Hold that each file is Python."""
    for path in sources.files:
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    return f"{len(sources.files)} files compile"


def fits(sources: Sources) -> str:
    """Hold that no file is too large."""
    large = [path.name for path in sources.files if path.stat().st_size > sources.release.largest]
    if large:
        message = f"more than {sources.release.largest} bytes: {', '.join(large)}"
        raise Rejected(message)
    return "none is too large"


def is_clean(sources: Sources) -> str:
    """Hold that no file has a note to self."""
    marked = [path.name for path in sources.files if b"FIX" + b"ME" in path.read_bytes()]
    if marked:
        message = f"unfinished: {', '.join(marked)}"
        raise Rejected(message)
    return "none is unfinished"


def judge(results: tuple[Ok[str] | Err, ...]) -> str:
    """Give one answer for all checks, with all that is wrong."""
    wrong = [result.failure.message for result in results if isinstance(result, Err)]
    if wrong:
        raise Rejected("; ".join(wrong))
    return ", ".join(result.value for result in results if isinstance(result, Ok))


def archive(sources: Sources, suffix: str) -> Path:
    """Return where to put an archive: in a folder of this run, so that runs do not meet."""
    release = sources.release
    folder = release.work / step_context().run_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{release.root.resolve().name}-{release.version}{suffix}"


def pack_tar(sources: Sources) -> Path:
    """Pack the files for one half of the world."""
    path = archive(sources, ".tar.gz")
    with tarfile.open(path, "w:gz") as tar:
        for file in sources.files:
            tar.add(file, str(file.relative_to(sources.release.root)))
    return path


def pack_zip(sources: Sources) -> Path:
    """Pack them for the other half."""
    path = archive(sources, ".zip")
    with zipfile.ZipFile(path, "w") as packed:
        for file in sources.files:
            packed.write(file, file.relative_to(sources.release.root))
    return path


def clear(release: Release) -> None:
    """Remove the folder of this run, if there is one."""
    shutil.rmtree(release.work / step_context().run_id, ignore_errors=True)


def sum_up(*archives: Path) -> str:
    """Write down the checksum of each archive."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in archives)


def bundle(tar: Path, zipped: Path, checksums: str, checked: str) -> Bundle:
    """Put together what belongs together."""
    return Bundle((tar, zipped), checksums, checked)


def packing(g: Graph[Release]) -> Node[Bundle]:
    """Say what needs what: checks and archives the sources, checksums the archives, and the bundle all of it."""
    sources = g.node(find, g.input)
    checked = g.node(checks, sources)
    tar = g.node(pack_tar, sources, attempt_timeout=30)
    zipped = g.node(pack_zip, sources, attempt_timeout=30)
    checksums = g.node(sum_up, tar, zipped)
    return g.node(bundle, tar, zipped, checksums, checked)


def deliveries(release: Release, packed: Bundle) -> list[Delivery]:
    """Address the bundle to each mirror."""
    return [Delivery(packed, mirror) for mirror in release.mirrors]


async def send(delivery: Delivery) -> Published:
    """Copy a bundle to a mirror."""
    mirror, packed = delivery.mirror, delivery.bundle
    if mirror.away:
        message = f"{mirror.folder.name} does not answer"
        raise ConnectionError(message)
    await asyncio.sleep(mirror.seconds)
    mirror.folder.mkdir(parents=True, exist_ok=True)
    for path in packed.archives:
        shutil.copy(path, mirror.folder)
    (mirror.folder / packed.names[0]).write_text(packed.checksums, encoding="utf-8")
    return Published(mirror.folder, packed.names, packed.checked)


def withdraw(published: Published) -> None:
    """Take a bundle from a mirror."""
    for name in published.files:
        (published.folder / name).unlink(missing_ok=True)


def withdraw_whatever_came(delivery: Delivery) -> None:
    """Take from a mirror what may have come there: nobody knows how far it got."""
    withdraw(Published(delivery.mirror.folder, delivery.bundle.names, delivery.bundle.checked))


checks = Workflow[Sources]("checks").fork(compiles).fork(fits).fork(is_clean).join(on_error="collect").pure(judge)

sending = step(
    send, retry=Retry(max_attempts=2, initial_delay=0.1, retry_on=ConnectionError), attempt_timeout=5
).compensate(withdraw, in_doubt=withdraw_whatever_came)

release = (
    Workflow[Release]("release")
    .cleanup(clear)
    .enrich(graph(packing, concurrency=3, timeout=120))
    .into(deliveries)
    .map(sending)
    .race()
)
