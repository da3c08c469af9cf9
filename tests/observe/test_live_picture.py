"""The picture of the terminal in the documentation."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from mkdocs_terminal import terminal
from tests.docs.snippets import ROOT


def test_the_picture_shows_what_the_page_says() -> None:
    """It is a run in virtual time: always the same, well-formed, and nothing is fetched from elsewhere."""
    picture = terminal()
    assert picture == terminal()
    shown = " ".join(text.text or "" for text in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text"))  # noqa: S314 - our own
    told = " ".join(shown.replace("\xa0", " ").split())
    for part in ("✓ charge attempt 2 of 3", "- courier", "24/40", "attempt 2 of 3 · next in 7 s", "· close"):
        assert part in told
    assert "url(http" not in picture
    assert "@font-face" not in picture
    alt = re.search(r"!\[(.*)\]\(pictures/terminal.svg\)", (ROOT / "docs" / "observe.md").read_text(encoding="utf-8"))
    assert alt is not None
    assert "24 of 40 parcels are ready, and a step waits 7 seconds" in alt[1]
