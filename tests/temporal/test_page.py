"""The page about Temporal shows what happens: its files are run as they stand there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.docs.snippets import blocks_of

if TYPE_CHECKING:
    from tests.temporal.servers import Server

ROOT = Path(__file__).parents[2]


def test_the_files_of_the_page_do_what_it_says(real: Server, tmp_path: Path) -> None:
    """Two workers, an order, a look at what has happened, and a gate."""
    for block in blocks_of(ROOT / "docs" / "temporal.md"):
        if block.title is not None:
            (tmp_path / block.title).write_text(block.text.replace("localhost:7233", real.target))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")])}
    workers = [subprocess.Popen([sys.executable, "worker.py"], cwd=tmp_path, env=env) for _ in range(2)]
    try:
        said = [
            subprocess.run([sys.executable, name], cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
            for name in ("order.py", "look.py", "guarded.py")
        ]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert said[0].stdout.startswith("Succeeded(value='sent: 3 cups of tea for 900 cents', run_id='order-17'")
    happened = sorted(line.partition("(")[0] for line in said[1].stdout.splitlines())
    assert happened == ["SignalReceived", "Started", "StepSucceeded", "StepSucceeded"]
    assert said[2].stdout.startswith("Failed(failure=Failure(kind='orchestration.errors.Vetoed'")
