"""Render `results/` into `docs/performance.md`, between its markers, and into the plots beside it."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
PAGE = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "performance"
MICRO, MILLION = 1e6, 1e6
DURABLE = ("here_sqlite", "langgraph_sqlite", "dbos", "prefect")
IN_MEMORY = (
    "here",
    "tasks",
    "by_hand",
    "pydantic_graph_nodes",
    "pydantic_graph_builder",
    "burr",
    "hamilton",
    "langgraph",
    "llama_index",
)
NONE = "\N{EN DASH}"  # in a cell without a figure
COLOURS = ("#3f51b5", "#777777", "#bbbbbb", "#e64a19", "#f9a825", "#00897b", "#8e24aa", "#c2185b", "#6d4c41")


def entries(names: tuple[str, ...]) -> dict[str, Any]:
    """Return the results of those that have any."""
    files = {name: RESULTS / f"{name}.json" for name in names}
    return {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}


def figure(seconds: float) -> str:
    """Write microseconds with as many digits as are worth it."""
    micro = seconds * MICRO
    return f"{micro:,.0f}" if micro >= 100 else f"{micro:.1f}" if micro >= 1 else f"{micro:.2f}"  # noqa: PLR2004 - digits


def found(entry: Any, key: str, size: int, what: str) -> Any:  # noqa: ANN401 - JSON
    """Return a figure of an entry, `None` if there is none."""
    rows = (row.get(what) for row in entry["rows"] if (row["workload"], row["size"]) == (key, size))
    return next(rows, None)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Write a table; all columns but the first are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def times(names: tuple[str, ...], *, on_the_wall: bool) -> str:
    """Write a table of microseconds for one unit: contenders side by side."""
    known = entries(names)
    rows = []
    for key, workload in WORKLOADS.items():
        for size in workload.sizes:
            what = "wall" if on_the_wall or workload.waits else "processor"
            figures = [found(entry, key, size, what) for entry in known.values()]
            if sum(one is not None for one in figures) > (0 if on_the_wall else 1):
                of = f", {size:,}" if size > 1 else ""
                cells = [NONE if one is None else figure(one) for one in figures]
                rows.append([f"{workload.title}{of} (per {workload.unit})", *cells])
    return table(["µs", *(entry["title"] for entry in known.values())], rows)


def memory() -> str:
    """Write the peaks of memory, in MB."""
    known = entries(IN_MEMORY)
    rows = []
    for key, workload in WORKLOADS.items():
        for size in workload.sizes:
            peaks = [found(entry, key, size, "peak") for entry in known.values()]
            if any(peaks):
                cells = [NONE if one is None else f"{one / MILLION:.1f}" for one in peaks]
                rows.append([f"{workload.title}, {size:,}", *cells])
    kept = [index for index in range(len(known)) if any(row[index + 1] != NONE for row in rows)]
    titles = [entry["title"] for entry in known.values()]
    return table(["MB", *(titles[index] for index in kept)], [[row[0], *(row[i + 1] for i in kept)] for row in rows])


def ratios() -> str:
    """Write how this library stands to the two that it has to be measured by, in the same run."""
    known = entries(IN_MEMORY)
    here, tasks, nodes = known["here"], known["tasks"], known.get("pydantic_graph_nodes")
    rows = []
    for key, workload in WORKLOADS.items():
        what = "wall" if workload.waits else "processor"
        size = max(size for size in workload.sizes if found(tasks, key, size, what))
        ours, theirs = found(here, key, size, what), found(tasks, key, size, what)
        peer = None if nodes is None else found(nodes, key, size, what)
        if ours:
            cells = [f"{ours / other:.2f}" if other else NONE for other in (theirs, peer)]
            rows.append([f"{workload.title}, {size:,}", *cells])
    return table(["our time, as a multiple of that of …", "a task each", "pydantic-graph 1, nodes"], rows)


def costs(what: str) -> Any:  # noqa: ANN401 - JSON
    """Return what was measured of this library alone."""
    return json.loads((RESULTS / "costs.json").read_text())[what]


def compiling() -> str:
    """Write what building and compiling cost."""
    rows = costs("compiling")
    cells = [[f"{row['size']:,}", f"{row['build'] * 1e3:.1f}", f"{row['compile'] * 1e3:.1f}"] for row in rows]
    return table(["steps", "build, ms", "compile, ms"], cells)


def overlap() -> str:
    """Write what runs side by side gains."""
    rows = costs("overlap")
    cells = [
        [f"{row['title']}, {row['count']} times", f"{row['sequential']:.2f}", f"{row['parallel']:.2f}"] for row in rows
    ]
    return table(["a map whose body …", "one at a time, s", "side by side, s"], cells)


def disk() -> str:
    """Write how durable steps and items stand to what the disk gives."""
    rates = costs("durable")["rates"]
    chain = f"{rates['steps a commit']:.2f} and {rates['steps a commit again']:.2f} of a commit"
    rows = [
        ["bare commits into a new file, one after the other", f"{rates['commits']:,.0f}", NONE],
        ["bare commits into one that has grown before", f"{rates['commits again']:,.0f}", NONE],
        ["steps of a durable chain", f"{rates['steps']:,.0f}", chain],
        ["items of a durable map, cap 64", f"{rates['items']:,.0f}", f"{rates['items a step']:.1f} of a step"],
    ]
    return table(["", "in a second", "ratio"], rows)


def resumes() -> str:
    """Write what it takes to go on with a long run, and to look at it."""
    cells = [
        [f"{row['events']:,}", f"{row['fold']:.2f}", f"{row['snapshot']:.2f}", f"{row['head'] * 1e3:.2f}"]
        for row in costs("durable")["resumes"]
    ]
    return table(["events", "all folded, s", "from the snapshot, s", "looked up, ms"], cells)


def looking() -> str:
    """Write how fast the test kit looks."""
    found = costs("looking")
    rows = [
        [
            f"`explore`, {row['title']}",
            f"{row['states']:,} states, {row['transitions']:,} transitions",
            f"{row['transitions'] / row['seconds']:,.0f} transitions",
        ]
        for row in found["searches"]
    ]
    runs, seconds = found["runs"], found["seconds"]
    return table(
        ["the checkout of the examples", "looked at", "in a second"],
        [*rows, ["`simulate`", f"{runs:,} runs", f"{runs / seconds:,.0f} runs"]],
    )


def imports() -> str:
    """Write how long imports take, and how much lies on the disk for them."""
    known = entries(tuple(dict.fromkeys(IN_MEMORY + DURABLE)))
    taken = {entry["title"]: entry["import"] for entry in known.values() if "asyncio" not in entry["title"]}
    taken |= costs("imports")
    sizes = {entry["title"]: f"{entry['size'] / MILLION:.1f}" for entry in known.values()}
    ordered = sorted(taken.items(), key=lambda pair: pair[1])
    rows = [[title, f"{seconds * 1e3:.0f}", sizes.get(title, NONE)] for title, seconds in ordered]
    return table(["import of", "ms", "installed, MB"], rows)


def machine() -> str:
    """Write what was measured on what."""
    known = entries(tuple(dict.fromkeys(IN_MEMORY + DURABLE)))
    here = known["here"]
    pins = sorted({pin for entry in known.values() for pin in entry["pins"]})
    return f"Python {here['python']}, {here['machine']}; {', '.join(f'`{pin}`' for pin in pins)}."


PARTS = {
    "machine": machine,
    "ratios": ratios,
    "times": lambda: times(IN_MEMORY, on_the_wall=False),
    "memory": memory,
    "durable": lambda: times(DURABLE, on_the_wall=True),
    "compiling": compiling,
    "overlap": overlap,
    "imports": imports,
    "disk": disk,
    "resumes": resumes,
    "looking": looking,
}


def plot(title: str, lines: dict[str, list[tuple[float, float]]], across: str, up: str) -> str:
    """Draw lines on logarithmic axes, as SVG; a picture that is read on light and dark pages alike."""
    points = [point for line in lines.values() for point in line]
    low = [math.floor(min(math.log10(point[axis]) for point in points)) for axis in (0, 1)]
    high = [math.ceil(max(math.log10(point[axis]) for point in points)) for axis in (0, 1)]
    left, top, width, height = 60, 34, 420, 260

    def place(x: float, y: float) -> tuple[float, float]:
        along = (math.log10(x) - low[0]) / max(1, high[0] - low[0])
        upward = (math.log10(y) - low[1]) / max(1, high[1] - low[1])
        return round(left + along * width, 1), round(top + height - upward * height, 1)

    drawn = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 340" font-family="sans-serif" font-size="12">',
        '<rect width="700" height="340" fill="#fff"/>',
        f'<text x="{left}" y="18" font-weight="bold">{title}</text>',
    ]
    for power in range(low[0], high[0] + 1):
        x, y = place(10**power, 10 ** low[1])
        drawn.append(f'<line x1="{x}" y1="{top}" x2="{x}" y2="{y}" stroke="#eee"/>')
        drawn.append(f'<text x="{x}" y="{y + 16}" text-anchor="middle">{10**power:,}</text>')
    for power in range(low[1], high[1] + 1):
        x, y = place(10 ** low[0], 10**power)
        drawn.append(f'<line x1="{x}" y1="{y}" x2="{left + width}" y2="{y}" stroke="#eee"/>')
        drawn.append(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{10**power:,g}</text>')
    drawn.append(f'<text x="{left + width / 2}" y="{top + height + 34}" text-anchor="middle">{across}</text>')
    drawn.append(f'<text transform="translate(14 {top + height / 2}) rotate(-90)" text-anchor="middle">{up}</text>')
    for number, (name, line) in enumerate(lines.items()):
        colour, path = COLOURS[number % len(COLOURS)], " ".join(f"{x},{y}" for x, y in (place(*p) for p in line))
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.extend(f'<circle cx="{place(*p)[0]}" cy="{place(*p)[1]}" r="3" fill="{colour}"/>' for p in line)
        drawn.append(f'<text x="{left + width + 14}" y="{top + 12 + 18 * number}" fill="{colour}">{name}</text>')
    return "\n".join([*drawn, "</svg>\n"])


def of_workload(key: str, what: str, scale: float) -> dict[str, list[tuple[float, float]]]:
    """Return a line for each contender: its figure by the size."""
    lines = {}
    for entry in entries(IN_MEMORY).values():
        rows = [(row["size"], row[what] * scale) for row in entry["rows"] if row["workload"] == key and row.get(what)]
        if len(rows) > 1:
            lines[entry["title"]] = rows
    return lines


def main() -> None:
    """Render."""
    text = PAGE.read_text()
    for name, part in PARTS.items():
        marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = marked.subn(lambda match, part=part: f"{match[1]}\n{part()}\n\n{match[2]}", text)
        if count != 1:
            message = f"{PAGE.name} has {count} places for {name}, expected 1"
            raise ValueError(message)
    PAGE.write_text(text)
    PLOTS.mkdir(exist_ok=True)
    chain = plot("A step of a chain", of_workload("chain", "processor", MICRO), "steps in the chain", "µs a step")
    PLOTS.joinpath("chain.svg").write_text(chain)
    rows = costs("compiling")
    lines = {what: [(row["size"], row[what] * 1e3) for row in rows] for what in ("build", "compile")}
    PLOTS.joinpath("compile.svg").write_text(plot("Building and compiling a chain", lines, "steps", "ms"))
