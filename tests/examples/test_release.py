"""The release example, run on a small package and mirrors of its own."""

from __future__ import annotations

import asyncio
import hashlib
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from examples.release import Mirror, Published, Release, release
from orchestration import Failed, LocalEngine, Outcome, Succeeded

if TYPE_CHECKING:
    from pathlib import Path

NEVER = 3600.0  # seconds


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with two modules, one of them in a package."""
    folder = tmp_path / "shop"
    (folder / "inner").mkdir(parents=True)
    (folder / "main.py").write_text("import inner\n")
    (folder / "inner" / "__init__.py").write_text("ANSWER = 42\n")
    return folder


def published(given: Release) -> Outcome[Published]:
    """Run a release, with every output checked against its declared type."""
    return asyncio.run(LocalEngine(validate="all").execute(release, given, run_id="run"))


def given(root: Path, *mirrors: Mirror, largest: int = 1000) -> Release:
    """Return a release of `root` to these mirrors."""
    return Release(root, "2.0", largest, root.parent / "work", mirrors)


def names(folder: Path) -> list[str]:
    """Return what is in a folder, if there is one."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_release_is_packed_summed_up_and_published(root: Path, tmp_path: Path) -> None:
    """S14: the graph gives both archives with their checksums, and what the checks say."""
    outcome = published(given(root, Mirror(tmp_path / "near")))
    assert isinstance(outcome, Succeeded), outcome
    assert outcome.value.checked == "2 files compile, none is too large, none is unfinished"
    near = tmp_path / "near"
    assert names(near) == ["shop-2.0.tar.gz", "shop-2.0.tar.gz.sha256", "shop-2.0.zip"]
    with tarfile.open(near / "shop-2.0.tar.gz") as tar, zipfile.ZipFile(near / "shop-2.0.zip") as packed:
        assert sorted(tar.getnames()) == sorted(packed.namelist()) == ["inner/__init__.py", "main.py"]
    for line in (near / "shop-2.0.tar.gz.sha256").read_text().splitlines():
        checksum, name = line.split()
        assert hashlib.sha256((near / name).read_bytes()).hexdigest() == checksum


def test_the_first_mirror_that_takes_it_wins(root: Path, tmp_path: Path) -> None:
    """S18: one that is away has not won, and one that is slow is cancelled and has what it may have taken withdrawn."""
    mirrors = [Mirror(tmp_path / "slow", NEVER), Mirror(tmp_path / "away", away=True), Mirror(tmp_path / "near")]
    outcome = published(given(root, *mirrors))
    assert isinstance(outcome, Succeeded), outcome
    assert outcome.value.folder == tmp_path / "near"
    assert "release/send[0]" in outcome.rollback.undone
    assert (names(tmp_path / "slow"), names(tmp_path / "away")) == ([], [])


def test_without_a_mirror_that_takes_it_the_release_fails(root: Path, tmp_path: Path) -> None:
    """S9, S18: each is asked twice, and when all have failed, so has the race; the failures are told together."""
    outcome = published(given(root, Mirror(tmp_path / "one", away=True), Mirror(tmp_path / "two", away=True)))
    assert isinstance(outcome, Failed)
    told = {outcome.failure.message, *(failure.message for failure in outcome.failure.attached)}
    assert told == {"one does not answer", "two does not answer"}


def test_all_that_is_wrong_is_said_at_once(root: Path, tmp_path: Path) -> None:
    """S18: the checks are all run, and the one failure names what each has found; nothing is published."""
    (root / "broken.py").write_text("x = (\n" + "# FIX" + "ME\n" + "#" * 2000)
    outcome = published(given(root, Mirror(tmp_path / "near")))
    assert isinstance(outcome, Failed)
    assert (outcome.failure.path, outcome.failure.kind) == (
        "release/packing/checks/judge",
        "examples.release.Rejected",
    )
    wrong = outcome.failure.message.split("; ")
    assert wrong[1:] == ["more than 1000 bytes: broken.py", "unfinished: broken.py"]
    assert "was never closed" in wrong[0]
    assert names(tmp_path / "near") == []


@pytest.mark.parametrize("largest", [1000, 1], ids=["published", "rejected"])
def test_nothing_is_left_of_the_work(root: Path, tmp_path: Path, largest: int) -> None:
    """S21: the cleanup removes the folder of the run, however it ends."""
    outcome = published(given(root, Mirror(tmp_path / "near"), largest=largest))
    assert outcome.ok == (largest > 1)
    assert names(tmp_path / "work") == []


def test_a_root_that_is_missing_fails_the_release(tmp_path: Path) -> None:
    """A mistyped folder is a failure, not an empty release."""
    outcome = published(given(tmp_path / "typo", Mirror(tmp_path / "near")))
    assert isinstance(outcome, Failed)
    assert outcome.failure.path == "release/packing/find"


def test_the_plan_shows_the_graph() -> None:
    """S14: the picture has the steps, the cap and the timeout of the graph, the race and the undo."""
    picture = release.compile().to_mermaid()
    for text in ("pack_tar", "pack_zip", "sum_up", "judge", "≤ 3", "within 120 s", "race", "undo: ", "cleanup"):
        assert text in picture, text
