"""The picture of a plan."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration import Workflow
from orchestration.plan.mermaid import escape
from tests.bodies import double, increase
from tests.plan.everything import everything
from tests.plans import workflows

flow: Any = Workflow[int]("f")
PICTURE = """\
flowchart TD
  n1(["start"])
  n2["increase"]
  n3[/"undo: undo"/]
  n2 -.-> n3
  n4("double")
  subgraph n5["tap note"]
    n6["note #183; Store"]
  end
  n7["put #183; Cache"]
  n8[/"undo: drop"/]
  n7 -.-> n8
  subgraph n9["enrich item"]
    subgraph n10["item"]
      n11["increase"]
      n12("twice")
      n11 --> n12
    end
  end
  n13{"branch"}
  subgraph n14["item"]
    n15["increase"]
    n16("twice")
    n15 --> n16
  end
  n17["increase"]
  n18["double"]
  n19((" "))
  n13 -->|"when is_even"| n15
  n16 --> n19
  n13 -->|"when is_even"| n17
  n17 --> n19
  n13 -->|"otherwise"| n18
  n18 --> n19
  n20["sort"]
  n21{"kind"}
  n22["of_order"]
  n23["of_receipt"]
  n24((" "))
  n21 -->|"is Order"| n22
  n22 --> n24
  n21 -->|"is Receipt"| n23
  n23 --> n24
  subgraph n25["fork ≤ 1"]
    n26((" "))
    n27["increase"]
    subgraph n28["item"]
      n29["increase"]
      n30("twice")
      n29 --> n30
    end
    n31((" "))
    n26 --> n27
    n27 --> n31
    n26 --> n29
    n30 --> n31
  end
  n32["added"]
  subgraph n33["both ≤ 2"]
    n34((" "))
    n35["double"]
    n36["double_2"]
    n37((" "))
    n34 --> n35
    n35 --> n37
    n34 --> n36
    n36 --> n37
  end
  n38[/"undo: void"/]
  n37 -.-> n38
  n39("sum_of")
  n40["spread"]
  subgraph n41["for each: item ≤ 3"]
    subgraph n42["item"]
      n43["increase"]
      n44("twice")
      n43 --> n44
    end
  end
  n45[/"undo: void"/]
  n44 -.-> n45
  n46["total"]
  n2 --> n4
  n4 --> n6
  n6 --> n7
  n7 --> n11
  n12 --> n13
  n19 --> n20
  n20 --> n21
  n24 --> n26
  n31 --> n32
  n32 --> n34
  n37 --> n39
  n39 --> n40
  n40 --> n43
  n44 --> n46
  n1 --> n2
  n47(["end"])
  n46 --> n47
"""
LINE = re.compile(
    r' *(flowchart TD|end|subgraph n\d+\["[^"]*"\]'
    r'|n\d+(\["[^"<>]*"\]|\("[^"<>]*"\)|\(\["[^"<>]*"\]\)|\(\("[^"<>]*"\)\)|\{"[^"<>]*"\}|\[/"[^"<>]*"/\])'
    r'|n\d+ -->(\|"[^"<>|]*"\|)? n\d+|n\d+ -\.-> n\d+)?'
)


def test_every_construct_has_its_picture() -> None:
    """S1: golden text; to change it, change the drawing and judge the new text on https://mermaid.live."""
    assert everything.compile().to_mermaid() == PICTURE


def test_an_empty_workflow_is_a_picture_too() -> None:
    """S19: a workflow without steps passes its input on."""
    assert flow.compile().to_mermaid() == (
        'flowchart TD\n  n1(["start"])\n  n2["f"]\n  n1 --> n2\n  n3(["end"])\n  n2 --> n3\n'
    )


HOSTILE = ['a"b', "a'b", "x]", "[x", "a\nb", "a\r\nb", "<script>alert(1)</script>", "a|b", "{a}", "#35;", "a;b", "`x`"]
HOSTILE += ["%%x", "-->", "\u2028", "&lt;", "(x)", "\x00", "\\n", "$$x$$"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_can_leave_its_shape(text) -> None:
    """S33: what could be markup is a character reference."""
    inside = escape(text)
    assert not set("\"'<>|{}()`&%$\\\n\r\u2028\x00") & set(inside)
    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), inside) == text


@given(st.text())
def test_any_text_is_kept_and_harmless(text) -> None:
    """S33: escaping loses nothing and lets nothing through."""
    inside = escape(text)
    assert re.fullmatch(r"(?:[\w _\-.,/\[\]≤:]|#\d+;)*", inside)
    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), inside) == text


def test_hostile_names_are_harmless() -> None:
    """S33: names of functions and classes are what their authors made them."""

    def hostile(number: int) -> bool:
        return number > 0

    class Kind(int):
        """A class with a name to fear."""

    hostile.__name__ = Kind.__name__ = '"]\n<script>alert("x")</script>'
    choice = (
        flow.branch().when(hostile, hostile).case(Kind, increase).otherwise(double).step(hostile).compensate(hostile)
    )
    picture = choice.compile().to_mermaid()
    assert "<" not in picture
    assert "#60;script#62;" in picture
    assert all(LINE.fullmatch(line) for line in picture.splitlines()), picture


@given(workflows())
def test_every_plan_has_a_picture_of_legal_lines(workflow) -> None:
    """S1: each id stands for one shape, each edge joins two, each subgraph ends."""
    lines = workflow.compile().to_mermaid().splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    text = "\n".join(lines)
    shapes = re.findall(r"^ *(?:subgraph )?(n\d+)[\[({]", text, re.MULTILINE)
    assert len(set(shapes)) == len(shapes)
    for source, target in re.findall(r"(n\d+) -.*?> *(?:\|.*\|)? *(n\d+)", text):
        assert {source, target} <= set(shapes)
    assert text.count("subgraph") == len(re.findall(r"^ *end$", text, re.MULTILINE))
    depths = [len(line) - len(line.lstrip()) for line in lines[1:]]
    assert min(depths) == 2
