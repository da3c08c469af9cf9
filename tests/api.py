"""What the public interface breaks, compared with the last release or with a commit: `python -m tests.api [REF]`.

Looked at is what the reference describes, with all that belongs to it: `__all__` of the public packages, and what the
other modules that have a chapter define. Everything else may change. What breaks has to be told: the changelog names it
under what is not released yet.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("orchestration", "orchestration.testing", "orchestration.engines.temporal")
CHAPTER = re.compile(r"^::: ([a-z_.]+)$", re.MULTILINE)  # of a module or a function


def last_release() -> str | None:
    """Return the commit of the last release before this commit, if there is one in what was cloned."""
    if shutil.which("git") is None:
        return None
    command = ["git", "log", "-1", "--format=%H", "--grep=^chore(release): ", "HEAD~1"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def unreleased() -> str:
    """Return what the changelog says of what is not released yet."""
    return ROOT.joinpath("CHANGELOG.md").read_text(encoding="utf-8").split("\n## [")[1]


def public(top: griffe.Object | griffe.Alias) -> Iterator[str]:
    """Yield the packages and modules that the reference describes."""
    yield from PACKAGES
    functions = {f"{package}.{name}" for package in PACKAGES for name in exports_of(_inside(top, package))}
    for page in sorted(ROOT.joinpath("docs", "reference").glob("*.md")):
        for name in CHAPTER.findall(page.read_text(encoding="utf-8")):
            if name not in functions and ROOT.joinpath(*name.split(".")).with_suffix(".py").is_file():
                yield name


def is_told(breakage: str, changes: str) -> bool:
    """Tell whether the changelog names what breaks: the line about it begins with its path."""
    path = re.findall(r"\w+", breakage.partition("(")[0].partition(":")[0])
    return [name for name in path if not name.startswith("__")][-1] in re.findall(r"\w+", changes)


def exports_of(module: griffe.Object | griffe.Alias) -> dict[str, griffe.Object]:
    """Return what a module exports, or else what it defines, by its name there, as it stands where it is defined."""
    found = {}
    own = [name for name, member in module.members.items() if not (name.startswith("_") or member.is_alias)]
    for name in map(str, module.exports or own):
        if name not in module.members:
            continue
        one = module[name]
        one = one[name] if one.is_module else one  # a function may have the name of the module that it is from
        found[name] = one.final_target if isinstance(one, griffe.Alias) else one
    return found


def breaks(ref: str) -> Iterator[str]:
    """Say what a caller of the public names at `ref` would have to change, one line each."""
    before = griffe.load_git("orchestration", ref=ref, repo=ROOT, search_paths=["."], resolve_aliases=True)
    now = griffe.load("orchestration", search_paths=[ROOT], resolve_aliases=True)
    for package in public(now):
        old, new = (exports_of(_inside(top, package)) for top in (before, now))
        for name, was in old.items():
            if name not in new:
                yield f"{package}.{name}: is not there any more"
            else:
                yield from (breakage.explain(griffe.ExplanationStyle.MARKDOWN) for breakage in _of(was, new[name]))


def _inside(top: griffe.Object | griffe.Alias, module: str) -> griffe.Object | griffe.Alias:
    """Return the top package, or a module inside of it; one without exports if it is not there."""
    for part in module.split(".")[1:]:
        if part not in top.members:
            return griffe.Module(part)
        top = top[part]
    return top


def _of(was: griffe.Object, now: griffe.Object) -> Iterator[griffe.Breakage]:
    """Compare two objects. What is compared are members, so each is put into a module of its own."""
    modules = []
    for one in (was, now):
        module = griffe.Module("public", filepath=Path("public.py"))
        module.members[one.name] = one
        modules.append(module)
    return griffe.find_breaking_changes(*modules)


def main() -> int:
    """Print what breaks; 1 if anything does."""
    ref = sys.argv[1] if len(sys.argv) > 1 else last_release()
    if ref is None:
        print("There is no release here to compare with; name a commit: python3 noxfile.py api -- COMMIT")  # noqa: T201
        return 0
    found, changes = list(dict.fromkeys(breaks(ref))), unreleased()
    print(*found, f"{len(found)} incompatible changes of public names since {ref}", sep="\n")  # noqa: T201
    untold = [breakage for breakage in found if not is_told(breakage, changes)]
    if untold:
        print("The changelog does not tell of these:", *untold, sep="\n")  # noqa: T201
    return bool(untold)


if __name__ == "__main__":
    sys.exit(main())
