"""Where a function or class comes from, said the same way however its module was loaded (S1)."""

from __future__ import annotations

import sys


def module_name(module: str) -> str:
    """Return a module's name; that of `__main__` is the one it would have been imported by."""
    if module != "__main__":
        return module
    main = sys.modules.get("__main__")
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:  # `python -m shop.flows`
        return str(spec.name)
    return stem(file) if file else module


def stem(file: str) -> str:
    """Return a file's name without folders and ending."""
    return file.replace("\\", "/").rpartition("/")[2].partition(".")[0]
