"""Where a function or class comes from, said the same way however its module was loaded (S1)."""

from __future__ import annotations

import sys


def module_name(module: str) -> str:
    """Return a module's name; that of `__main__` is the stem of its file, as if it had been imported."""
    if module != "__main__":
        return module
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    return stem(file) if file else module


def stem(file: str) -> str:
    """Return a file's name without folders and ending."""
    return file.replace("\\", "/").rpartition("/")[2].partition(".")[0]
