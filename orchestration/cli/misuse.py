"""`Misuse`: what a person gave to the command that cannot be used, and where in whose file something broke."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

from orchestration.errors import Defect

_OURS = Path(__file__).parent.parent
_PYTHONS = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


class Misuse(Defect):
    """A reference, an input or an option that cannot be used."""


def whereabouts(error: BaseException) -> str:
    """Say in one line where an error was raised, and what it is: `shop.py:3: NameError: name 'x' is not defined`.

    Named is the innermost place outside of this library, Python's and installed packages; failing that, the innermost.
    """
    kind = type(error).__name__
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{error.filename}:{error.lineno}: {kind}: {error.msg}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    theirs = [frame for frame in frames if _is_theirs(Path(frame.filename))] or frames
    place = f"{theirs[-1].filename}:{theirs[-1].lineno}: " if theirs else ""
    return f"{place}{kind}: {error}" if str(error) else f"{place}{kind}"


def _is_theirs(file: Path) -> bool:
    return not any(file.is_relative_to(folder) for folder in (_OURS, *_PYTHONS))
