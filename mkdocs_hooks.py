"""What MkDocs does beside: the pages are read offline, so Mermaid comes with them instead of from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

MERMAID = "assets/mermaid.js"
DIAGRAM = '<pre class="mermaid">'


def on_files(files_of_site: Files, *, config: MkDocsConfig) -> Files:
    """Add Mermaid, as the package `mermaidx` brings it, to the site."""
    script = files("mermaidx").joinpath(MERMAID).read_text(encoding="utf-8")
    files_of_site.append(File.generated(config, MERMAID, content=script))
    return files_of_site


def on_post_page(output: str, **_: object) -> str:
    """Load it where there is a diagram: the theme then does not ask for it elsewhere."""
    if DIAGRAM not in output:
        return output
    home = output.partition('"base": "')[2].partition('"')[0]
    return output.replace("</head>", f'<script src="{home}/{MERMAID}"></script></head>', 1)
