"""The page of a report: its style, and the small parts of HTML that it is put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.render.signs import SIGNS
from orchestration.render.text import markup
from orchestration.render.theme import DARK, DARK_MEDIA, LIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestration.render.signs import Status
    from orchestration.render.theme import Scheme

POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # nothing runs, and nothing is fetched
STYLE = """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 Helvetica,Arial,"Liberation Sans",sans-serif}
main,header,footer{max-width:1080px;margin:0 auto;padding:0 24px}
header{padding-top:28px}footer{padding-bottom:40px;color:var(--muted);font-size:13px}
h1{font-size:26px;line-height:1.2;margin:0 0 6px;display:flex;gap:12px;align-items:center;flex-wrap:wrap}
h2{font-size:18px;margin:0 0 10px;line-height:1.3}
section{margin:22px 0;padding:18px 20px;border:1px solid var(--border);border-radius:12px;background:var(--card)}
section.plain{border:0;padding:0;background:none}
p{margin:0 0 8px}p:last-child{margin:0}.lead{font-size:17px}
a{color:var(--link)}:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-999px}.skip:focus{left:12px;top:12px;background:var(--card);padding:8px 12px}
nav{display:flex;gap:16px;flex-wrap:wrap;margin:14px 0 0;font-size:14px}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:10px 0 0;font-size:14px}
.facts dt{color:var(--muted)}.facts dd{margin:0;overflow-wrap:anywhere}
.badge{display:inline-flex;gap:6px;align-items:center;font-size:13px;font-weight:600;line-height:1;
padding:5px 10px;border:1px solid;border-radius:99px;white-space:nowrap;
color:var(--tone);background:var(--soft);border-color:var(--tone)}
.badge svg,.state svg{width:11px;height:11px;flex:none;fill:none;stroke:currentColor;stroke-width:1.7;
stroke-linecap:round;stroke-linejoin:round}
.state{display:inline-flex;gap:6px;align-items:baseline;font-weight:600;color:var(--tone)}
.said{white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.5 "Liberation Mono",Menlo,Consolas,monospace;margin:6px 0;
padding:8px 12px;border-left:4px solid var(--tone);background:var(--soft);border-radius:0 6px 6px 0}
.scroll{overflow:auto;max-height:86vh;border-radius:8px}.scroll svg{display:block;margin:0 auto}
table{border-collapse:collapse;width:100%;font-size:14px}
caption{text-align:left;color:var(--muted);padding:0 0 8px;font-size:13px}
th,td{text-align:left;vertical-align:top;padding:7px 14px 7px 0;border-top:1px solid var(--border)}
thead th{border:0;color:var(--muted);font-weight:600;font-size:13px}tbody th{font-weight:600;overflow-wrap:anywhere}
td.number,th.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td{overflow-wrap:anywhere}tbody th,td:nth-child(2){min-width:9.5em}tbody th:first-child:not(:has(code)){min-width:0}
td code,.facts code{font:13px "Liberation Mono",Menlo,Consolas,monospace}
ol,ul{margin:4px 0;padding-left:22px}summary{cursor:pointer}.muted{color:var(--muted)}
@media (max-width:640px){main,header,footer{padding-left:14px;padding-right:14px}section{padding:14px}
.facts{grid-template-columns:1fr}.facts dd{margin-bottom:6px}
.rows thead{position:absolute;left:-9999px}.rows tr{display:block;border-top:1px solid var(--border);padding:8px 0}
.rows th,.rows td{display:block;border:0;padding:1px 0;text-align:left;min-width:0}
.rows td.number{text-align:left}.rows td[data-of]:before{content:attr(data-of) ": ";color:var(--muted)}
.rows td:empty{display:none}}
@media print{.scroll{overflow:visible;max-height:none}nav,.skip{display:none}}
"""


def page(title: str, header: str, sections: Iterable[str], footer: str) -> str:
    """Return a page that stands for itself."""
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{markup(title)}</title><style>{_colours()}{STYLE}</style></head>"
    )
    body = "\n".join(filter(None, sections))
    return (
        f'{head}\n<body><a class="skip" href="#main">Skip to the report</a>\n<header>{header}</header>\n'
        f'<main id="main">\n{body}\n</main>\n<footer><p>{markup(footer)}</p></footer></body></html>\n'
    )


def _colours() -> str:
    return f":root{{{_variables(LIGHT)}}}{_tones(LIGHT)}{DARK_MEDIA}{{:root{{{_variables(DARK)}}}{_tones(DARK)}}}"


def _variables(scheme: Scheme) -> str:
    return (
        f"--page:{scheme.page};--card:{scheme.card};--border:{scheme.border};--text:{scheme.text};"
        f"--muted:{scheme.muted};--link:{scheme.kinds['step']};--tone:{scheme.muted};--soft:{scheme.nest}"
    )


def _tones(scheme: Scheme) -> str:
    return "".join(f".tone-{name}{{--tone:{tone.strong};--soft:{tone.soft}}}" for name, tone in scheme.tones.items())


def sign(status: Status) -> str:
    """Return the sign of a status; what it says stands beside it."""
    return f'<svg viewBox="0 0 10 10" aria-hidden="true"><path d="{SIGNS[status]}"/></svg>'


def badge(status: Status, text: str) -> str:
    """Return a word in a pill of the colour of a status."""
    return f'<span class="badge tone-{status}">{sign(status)}{markup(text)}</span>'


def state(status: Status, text: str) -> str:
    """Return a few words in the colour of a status."""
    return f'<span class="state tone-{status}">{sign(status)}<span>{markup(text)}</span></span>'


def section(name: str, title: str, *parts: str) -> str:
    """Return a part of the page that a link leads to."""
    inner = "\n".join(filter(None, parts))
    return f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{title}</h2>\n{inner}</section>'


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """Return a table of cells that are markup already; the first of each row is its heading."""
    right = set(numbers)
    head = "".join(
        f'<th scope="col"{_number(index in right)}>{markup(name)}</th>' for index, name in enumerate(columns)
    )
    lines = []
    for first, *rest in rows:
        cells = "".join(_cell(columns[index], cell, number=index in right) for index, cell in enumerate(rest, start=1))
        lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    said = f"<caption>{markup(caption)}</caption>" if caption else ""
    body = "\n".join(lines)
    return f'<table class="rows">{said}<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>'


def _cell(column: str, text: str, *, number: bool) -> str:
    return f'<td{_number(number)} data-of="{markup(column)}">{text}</td>'


def _number(number: bool) -> str:  # noqa: FBT001 - of this file alone
    return ' class="number"' if number else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a list of what is what; the second of each pair is markup already."""
    return '<dl class="facts">' + "".join(f"<dt>{markup(name)}</dt><dd>{text}</dd>" for name, text in pairs) + "</dl>"


def scrolled(label: str, picture: str) -> str:
    """Return a picture that may be larger than the page: the keys scroll it once it has the focus."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{markup(label)}">{picture}</div>'
