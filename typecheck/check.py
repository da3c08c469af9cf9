"""Run four type checkers over all cases and compare what they say: `python -m typecheck.check`.

mypy and pyright have to judge every case rightly: whatever they say that no ignore takes back is an error, and so is an
ignore that takes nothing back. What they say of `messages` and show of `display` is compared with `golden.txt` there,
word for word. pyrefly and ty have to refuse what carries an ignore and nothing else; where they cannot follow is told
in `cannot_follow.json`, with their versions. `--write` writes these files anew: read the difference before you commit.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

from typecheck.cases import GOLDEN, Case, all_cases, cases_in, count
from typecheck.checkers import CASES, MYPY, PYREFLY, PYRIGHT, TY, Checker, Said

TABLE = CASES / "cannot_follow.json"
ACCEPTED, REFUSED = "accepted, though wrong", "refused, though right"
SHOWN = ("note", "information")  # no codes of errors: what `reveal_type` is told by

Table = dict[str, dict[str, dict[str, str]]]  # checker and version → file → code of the case → how it is judged


def unexpected(said: Iterable[Said]) -> list[str]:
    """Return what is said of a line that is to have no error."""
    return [str(one) for one in said if not one.file.startswith(GOLDEN)]


def golden(folder: Path, name: str, said: Mapping[str, Iterable[Said]]) -> str:
    """Return the text of `golden.txt` in one of the folders: each case, and what each checker says of it."""
    blocks = []
    for file in sorted(path.relative_to(folder).as_posix() for path in (folder / name).glob("*.py")):
        lines = (folder / file).read_text().splitlines()
        by_line = {checker: _by_line(one for one in all_said if one.file == file) for checker, all_said in said.items()}
        for case in cases_in(folder, file):
            told = {checker: list(_of(case, found)) for checker, found in by_line.items()}
            if any(told.values()):
                title, *code = lines[case.first - 2 : case.last]
                blocks.append(_block(title.strip(), dedent("\n".join(code)), told))
    return "\n\n".join(blocks) + "\n"


def misjudged(cases: Iterable[Case], said: Iterable[Said]) -> dict[str, dict[str, str]]:
    """Return the cases that a checker does not judge as it has to, by file and code."""
    found = _by_line(one for one in said if not one.file.startswith(GOLDEN))
    left = {(one.file, one.line): one for line in found.values() for one in line}
    table: dict[str, dict[str, str]] = defaultdict(dict)
    for case in cases:
        of_case = list(_of(case, found))
        for one in of_case:
            left.pop((one.file, one.line), None)
        if case.refused and not of_case:
            table[case.file][case.code] = ACCEPTED
        if of_case and not case.refused:
            table[case.file][case.code] = f"{REFUSED}: {', '.join(sorted({one.code for one in of_case}))}"
    for one in left.values():
        table[one.file][f"line {one.line}"] = f"{REFUSED}: {one.code}"
    return {file: dict(sorted(table[file].items())) for file in sorted(table)}


def _by_line(said: Iterable[Said]) -> dict[tuple[str, int], list[Said]]:
    found: dict[tuple[str, int], list[Said]] = defaultdict(list)
    for one in said:
        found[one.file, one.line].append(one)
    return found


def _of(case: Case, found: Mapping[tuple[str, int], list[Said]]) -> Iterator[Said]:
    for line in range(case.first, case.last + 1):
        yield from found.get((case.file, line), [])


def _block(title: str, code: str, told: Mapping[str, list[Said]]) -> str:
    parts = [title, code]
    for checker, said in told.items():
        texts = [one.text if one.code in SHOWN else f"{one.text}  [{one.code}]" for one in said] or ["(nothing)"]
        parts.append("\n".join([f"{checker}:", *(f"    {line}" for text in texts for line in text.splitlines())]))
    return "\n".join(line.rstrip() for line in "\n".join(parts).splitlines())


def _settle(path: Path, new: str, *, write: bool) -> list[str]:
    """Write a file, or return how it differs from what it should hold."""
    if write:
        path.write_text(new)
        return []
    old = path.read_text() if path.exists() else ""
    name = path.relative_to(CASES.parent).as_posix()
    return list(difflib.unified_diff(old.splitlines(), new.splitlines(), f"{name} as written", "now", lineterm=""))


def main(arguments: list[str]) -> int:
    """Run all checkers, and tell what is not as it should be."""
    checkers = (PYRIGHT, MYPY, PYREFLY, TY)
    with ThreadPoolExecutor(2) as pool:
        said = dict(zip((checker.name for checker in checkers), pool.map(Checker.look, checkers), strict=True))
    write = arguments == ["--write"]
    supported = {checker.name: said[checker.name] for checker in (MYPY, PYRIGHT)}
    problems = [problem for name in supported for problem in unexpected(said[name])]
    for name in GOLDEN:
        problems += _settle(CASES / name / "golden.txt", golden(CASES, name, supported), write=write)
    cases = all_cases(CASES)
    table: Table = {checker.version(): misjudged(cases, said[checker.name]) for checker in (PYREFLY, TY)}
    problems += _settle(TABLE, json.dumps(table, indent=2, ensure_ascii=False) + "\n", write=write)
    counted = count(cases)
    not_followed = ", ".join(f"{name} {sum(map(len, files.values()))}" for name, files in table.items())
    summary = f"{counted['accepted']} to accept, {counted['refused']} to refuse; not followed by {not_followed}"
    sys.stdout.writelines(f"{line}\n" for line in [*problems, summary])
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
