"""The colours and fonts of pictures and reports, in two schemes: one is read in the light, the other in the dark."""

from __future__ import annotations

from typing import Literal

from orchestration.frozen import frozen

Theme = Literal["auto", "light", "dark"]
FONTS = 'Helvetica, Arial, "Liberation Sans", "Helvetica Neue", Arimo, sans-serif'  # as wide as `text` measures
DARK_MEDIA = "@media (prefers-color-scheme: dark)"


@frozen
class Tone:
    """The colours of something: of its lines and words, and of what is behind them."""

    strong: str
    soft: str


@frozen
class Scheme:
    """All colours. `tones` are those of what became of things, by the name of a status."""

    page: str
    card: str
    nest: str
    border: str
    text: str
    muted: str
    line: str
    kinds: dict[str, str]
    tones: dict[str, Tone]


LIGHT = Scheme(
    page="#ffffff",
    card="#ffffff",
    nest="#eef1f5",
    border="#c8d1da",
    text="#1f2328",
    muted="#59636e",
    line="#8c959f",
    kinds={"step": "#0969da", "pure": "#8250df", "wait": "#9a6700", "choice": "#57606a", "undo": "#8250df"},
    tones={
        "done": Tone("#17732f", "#e6f8ea"),
        "running": Tone("#0860c4", "#ddf1ff"),
        "waiting": Tone("#8a5d00", "#fff6d0"),
        "failed": Tone("#cf222e", "#ffebe9"),
        "cancelled": Tone("#59636e", "#eceff2"),
        "undone": Tone("#7a45d6", "#f6edff"),
        "undo-failed": Tone("#a40e26", "#ffdcd9"),
        "held": Tone("#b14700", "#fff0e4"),
        "in-doubt": Tone("#b32d7d", "#ffebf5"),
        "kept": Tone("#4d6b7c", "#e6f0f5"),
        "leaked": Tone("#0f7078", "#d8f4f5"),
        "lost": Tone("#6f5a00", "#f6f0cf"),
        "skipped": Tone("#59636e", "#f6f8fa"),
        "unreached": Tone("#59636e", "#f6f8fa"),
    },
)
DARK = Scheme(
    page="#0d1117",
    card="#161b22",
    nest="#1d242d",
    border="#3d444d",
    text="#e6edf3",
    muted="#9aa4af",
    line="#6e7681",
    kinds={"step": "#4493f8", "pure": "#ab7df8", "wait": "#d29922", "choice": "#9198a1", "undo": "#ab7df8"},
    tones={
        "done": Tone("#3fb950", "#12261a"),
        "running": Tone("#58a6ff", "#121d2f"),
        "waiting": Tone("#d29922", "#2a2112"),
        "failed": Tone("#ff7b72", "#301518"),
        "cancelled": Tone("#9aa4af", "#21262d"),
        "undone": Tone("#bc8cff", "#231a38"),
        "undo-failed": Tone("#ff8f87", "#3d1418"),
        "held": Tone("#f0883e", "#2e1d10"),
        "in-doubt": Tone("#f778ba", "#321628"),
        "kept": Tone("#8db4c8", "#16242c"),
        "leaked": Tone("#56d4dd", "#0f2829"),
        "lost": Tone("#d9c24a", "#2a250f"),
        "skipped": Tone("#8b949e", "#12171e"),
        "unreached": Tone("#8b949e", "#12171e"),
    },
)


def style(theme: Theme, scope: str) -> str:
    """Return the CSS of pictures under the class `scope`. Every colour is stated: not all that draw SVG know `var`."""
    common = (
        f".{scope} text{{font-family:{FONTS}}}"
        f".{scope} .name{{font-size:13px;font-weight:600}}.{scope} .title{{font-size:16px;font-weight:600}}"
        f".{scope} .more,.{scope} .label,.{scope} .told{{font-size:11px}}.{scope} .tick{{font-size:10.5px}}"
        f".{scope} .told{{font-weight:600}}"
        f".{scope} path{{fill:none;stroke-width:1.4;stroke-linecap:round;stroke-linejoin:round}}"
        f".{scope} .dim .card,.{scope} .dashed{{stroke-dasharray:4 3}}.{scope} .back{{stroke-dasharray:4 3}}"
        f".{scope} .sign,.{scope} .mark{{stroke-width:1.7}}"
    )
    if theme == "auto":
        return f"{common}{_colours(LIGHT, scope)}{DARK_MEDIA}{{{_colours(DARK, scope)}}}"
    return common + _colours(LIGHT if theme == "light" else DARK, scope)


def _colours(scheme: Scheme, scope: str) -> str:
    rules = {
        ".page": f"fill:{scheme.page}",
        "text": f"fill:{scheme.text}",
        ".more,.label,.tick": f"fill:{scheme.muted}",
        ".card": f"fill:{scheme.card};stroke:{scheme.border}",
        ".nest": f"fill:{scheme.nest};fill-opacity:.55;stroke:{scheme.border}",
        ".bar": f"fill:{scheme.nest};stroke:{scheme.border}",
        ".line,.back,.grid": f"stroke:{scheme.line}",
        ".grid": "stroke-width:.6;stroke-opacity:.45",
        ".line-head,.back-head": f"fill:{scheme.line}",
        ".sign": f"stroke:{scheme.muted}",
    }
    for kind, colour in scheme.kinds.items():
        rules[f".{kind} .edge"] = f"fill:{colour}"
        rules[f".{kind} .sign"] = f"stroke:{colour}"
    for name, tone in scheme.tones.items():
        rules[f".is-{name} .card"] = f"fill:{tone.soft};stroke:{tone.strong}"
        rules[f".is-{name} .edge"] = f"fill:{tone.strong}"
        rules[f".is-{name} .told,text.on-{name}"] = f"fill:{tone.strong}"
        rules[f".is-{name} .sign,path.on-{name}"] = f"stroke:{tone.strong}"
        rules[f"rect.on-{name}"] = f"fill:{tone.strong}"
    rules[".dim .name"] = f"fill:{scheme.muted}"
    return "".join(f"{_scoped(names, scope)}{{{text}}}" for names, text in rules.items())


def _scoped(names: str, scope: str) -> str:
    return ",".join(f".{scope} {name}" for name in names.split(","))
