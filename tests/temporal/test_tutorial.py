"""The last chapter of the tutorial shows what happens: its files are run as they stand there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.docs.snippets import blocks_of, chapters_before

if TYPE_CHECKING:
    from tests.temporal.servers import Server

ROOT = Path(__file__).parents[2]
CHAPTER = ROOT / "docs" / "tutorial" / "10-temporal.md"


def test_the_shop_of_the_tutorial_sells_on_temporal(real: Server, tmp_path: Path) -> None:
    """S39: two workers, an order that is delivered, and one that is undone, with the outcome that the page shows."""
    files: dict[str, list[str]] = {}
    for page in [*chapters_before(CHAPTER), CHAPTER]:
        for block in blocks_of(page):
            if block.title is not None:
                files.setdefault(block.title, []).append(block.text.replace("localhost:7233", real.target))
    for name, pieces in files.items():
        (tmp_path / name).write_text("\n\n".join(pieces), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")])}
    workers = [subprocess.Popen([sys.executable, "worker.py"], cwd=tmp_path, env=env) for _ in range(2)]
    try:
        # not whether it ends well: temporalio's threads may crash a process that ends at once after its last call
        said = subprocess.run(
            [sys.executable, "order.py"], cwd=tmp_path, env=env, check=False, capture_output=True, text=True
        )
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    (shown,) = (block.text for block in blocks_of(CHAPTER) if block.text.startswith("$ python order.py"))
    assert said.stdout.splitlines() == shown.splitlines()[1:], said.stderr
