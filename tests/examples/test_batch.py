"""The batch example, on folders of its own."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import orchestration
from examples import batch
from examples.batch import Checked, Folder, Progress, checked, manifest, measure
from orchestration import Failed, LocalEngine, Succeeded
from orchestration.testing import FakeHandler, answers
from tests.docs.snippets import ROOT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with twelve files in two folders."""
    for number in range(12):
        path = tmp_path / "root" / f"part{number % 2}" / f"{number:02}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * number)
    return tmp_path / "root"


def test_a_manifest_has_each_file_and_their_bytes(root: Path) -> None:
    """S16: the stream is gone through to its end, and folded."""
    made = manifest.run_sync(Folder(root))
    assert (made.files, made.size, made.unreadable) == (12, sum(range(12)), 0)


def test_the_checksum_does_not_depend_on_who_is_read_first(root: Path) -> None:
    """S16: results are folded in the order of the items, whatever the order in which they end."""
    slow_first = FakeHandler().on(checked, answers(does=checked, takes=5))
    slow_first.on("manifest/checked[0]", answers(does=checked, takes=500))
    assert slow_first.run(manifest, Folder(root)).value == manifest.run_sync(Folder(root))


def test_the_files_are_taken_in_the_order_of_their_names(root: Path) -> None:
    """The checksum is one of checksums in that order, so it is the same on every machine."""
    expected = ""
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        expected = hashlib.sha256(f"{expected}{hashlib.sha256(path.read_bytes()).hexdigest()}".encode()).hexdigest()
    assert manifest.run_sync(Folder(root)).checksum == expected


def test_a_changed_byte_changes_the_checksum(root: Path) -> None:
    """The checksum is one of all contents."""
    before = manifest.run_sync(Folder(root))
    (root / "part1" / "11.txt").write_text("y" * 11)
    assert manifest.run_sync(Folder(root)).checksum != before.checksum


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read(root: Path) -> None:
    """S18: an item that fails is an `Err` among the others."""
    (root / "part0" / "gone").symlink_to(root / "nowhere")
    made = manifest.run_sync(Folder(root))
    assert (made.files, made.unreadable) == (12, 1)
    assert "nowhere" in made.unread[0] or "gone" in made.unread[0]


def test_no_more_is_read_ahead_than_there_is_room_for(root: Path) -> None:
    """S16: as long as the first file is not done, no more than eight are under way and eight wait to be folded."""
    for number in range(100):
        (root / f"{number}.txt").write_text("x")
    hangs = FakeHandler().on(checked, answers(does=checked)).on("manifest/checked[0]", hangs=True)
    trace = hangs.run(manifest, Folder(root), cancel_at=60)
    assert 8 <= len(trace.attempts(checked)) <= 16


def test_progress_is_told_every_so_many_files(root: Path) -> None:
    """The events of the run are enough to follow it."""
    told: list[str] = []
    outcome = asyncio.run(measure(root, Progress(told.append, every=5)))
    assert isinstance(outcome, Succeeded), outcome
    assert told == ["5 files read, 0 not readable", "10 files read, 0 not readable"]


def test_a_root_that_is_missing_fails_the_batch(tmp_path: Path) -> None:
    """A mistyped folder is a failure, not an empty manifest."""
    outcome = asyncio.run(LocalEngine().execute(manifest, Folder(tmp_path / "typo")))
    assert isinstance(outcome, Failed)
    assert outcome.failure.kind == "NotADirectoryError"


def test_a_file_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checksum is that of all of it."""
    monkeypatch.setattr(batch, "CHUNK", 4)
    (tmp_path / "file").write_bytes(b"0123456789")
    expected = Checked(tmp_path / "file", 10, hashlib.sha256(b"0123456789").hexdigest())
    assert checked(tmp_path / "file") == expected


def test_the_script_does_what_it_says(root: Path) -> None:
    """A reader's first command prints the manifest."""
    env = os.environ | {"PYTHONPATH": str(Path(orchestration.__file__).parents[1])}
    command = [sys.executable, str(ROOT / "examples" / "batch.py"), str(root)]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == str(manifest.run_sync(Folder(root)))
