"""Put each defect into a copy of the library, one at a time, and let the finders look: `python -m tests.sabotage`.

An undamaged copy comes first, in which nothing may be found. `--write` puts the table into the documentation; names of
defects as arguments restrict it to these, `--some` to about a dozen, each day to others.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orchestration
from tests.sabotage.defects import DEFECTS, Defect
from tests.sabotage.find import Found
from tests.sabotage.table import write

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
PACKAGE = Path(orchestration.__file__).parent
LONGEST = 600  # seconds that the finders may take
DAYS = 9  # in which `--some` comes to all defects


def say(text: str) -> None:
    """Print a line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def look(place: Path, finder: str) -> Found:
    """Let a finder look at the library in a folder.

    Raises:
        RuntimeError: if it looks at another, or breaks.
    """
    path = os.pathsep.join([str(place), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-P", "-m", "tests.sabotage.find", finder]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False)
    if done.returncode:
        raise RuntimeError(f"{finder} broke off\n{done.stderr}")
    return Found(**json.loads(done.stdout))


def sabotaged(defect: Defect, sound: Path, folder: Path) -> Found:
    """Look at a copy with one defect."""
    place = folder / defect.name.replace(" ", "-")
    shutil.copytree(sound, place)
    module = place / "orchestration" / defect.module
    module.write_text(defect.applied_to(module.read_text(encoding="utf-8")), encoding="utf-8")
    try:
        for finder in defect.finders:
            found = look(place, finder)
            if found.by:
                break
        return found
    finally:
        shutil.rmtree(place)


def chosen_by(arguments: Sequence[str], today: int) -> list[Defect]:
    """Return the defects to look at, on which day it is."""
    names = {name for name in arguments if not name.startswith("--")}
    if names:
        return [defect for defect in DEFECTS if defect.name in names]
    return list(DEFECTS[today % DAYS :: DAYS] if "--some" in arguments else DEFECTS)


def main() -> int:
    """Look at all copies; the number of defects that nobody found is the exit code."""
    began = time.monotonic()
    chosen = chosen_by(sys.argv[1:], datetime.now(UTC).toordinal())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sound = folder / "sound"
        shutil.copytree(PACKAGE, sound / "orchestration", ignore=shutil.ignore_patterns("__pycache__"))
        finders = sorted({finder for defect in chosen for finder in defect.finders})
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            undamaged = list(pool.map(lambda finder: look(sound, finder), finders))
            for found in undamaged:
                what = f"{found.by or 'nothing'} {found.message}"
                say(f"undamaged: {found.finder} looked at {found.much} and found {what}")
            if any(found.by for found in undamaged):
                return len(chosen)
            all_found = list(pool.map(lambda defect: sabotaged(defect, sound, folder), chosen))
    for defect, found in zip(chosen, all_found, strict=True):
        message = found.message.partition("\n")[0]
        what = f"{found.workflow}: {found.by}: {message}" if found.by else "FOUND BY NOBODY"
        say(f"{defect.name} ({defect.rule}): after {found.much}: {what}")
    missed = sum(not found.by for found in all_found)
    say(f"{len(chosen) - missed} of {len(chosen)} defects found in {time.monotonic() - began:.0f} s")
    if "--write" in sys.argv and not missed and len(chosen) == len(DEFECTS):
        write(chosen, all_found)
    return missed


if __name__ == "__main__":
    sys.exit(main())
