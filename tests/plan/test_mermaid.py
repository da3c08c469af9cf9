"""The picture of a plan."""

from __future__ import annotations

import functools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration import Failure, Workflow
from orchestration.plan.mermaid import escape
from tests.bodies import double, increase
from tests.plan.everything import everything
from tests.plans import workflows

flow: Any = Workflow[int]("f")
PICTURE = """\
flowchart TD
  n1(["start"])
  subgraph n2["covered by of_failure"]
    n3["increase"]
    n4[/"undo: undo"/]
    n3 -.-> n4
    n5("double")
    n3 --> n5
    subgraph n6["tap note"]
      n7["note #183; Store"]
    end
    n5 --> n7
    n8["put #183; Cache"]
    n9[/"undo: drop"/]
    n8 -.-> n9
    n7 --> n8
    subgraph n10["enrich item"]
      subgraph n11["item"]
        n12["increase"]
        n13("twice")
        n12 --> n13
      end
    end
    n8 --> n12
    n14{"branch"}
    subgraph n15["item"]
      n16["increase"]
      n17("twice")
      n16 --> n17
    end
    n18["increase"]
    n19["double"]
    n20((" "))
    n14 -->|"when is_even"| n16
    n17 --> n20
    n14 -->|"when is_even"| n18
    n18 --> n20
    n14 -->|"otherwise"| n19
    n19 --> n20
    n13 --> n14
    n21["sort"]
    n20 --> n21
    n22{"kind"}
    n23["of_order"]
    n24["of_receipt"]
    n25((" "))
    n22 -->|"is Order"| n23
    n23 --> n25
    n22 -->|"is Receipt"| n24
    n24 --> n25
    n21 --> n22
    subgraph n26["fork ≤ 1"]
      n27((" "))
      n28["increase"]
      subgraph n29["item"]
        n30["increase"]
        n31("twice")
        n30 --> n31
      end
      n32((" "))
      n27 --> n28
      n28 --> n32
      n27 --> n30
      n31 --> n32
    end
    n25 --> n27
    n33["added"]
    n32 --> n33
    subgraph n34["both ≤ 2"]
      n35((" "))
      n36["double"]
      n37["double_2"]
      n38((" "))
      n35 --> n36
      n36 --> n38
      n35 --> n37
      n37 --> n38
    end
    n39[/"undo: void"/]
    n38 -.-> n39
    n33 --> n35
    n40("sum_of")
    n38 --> n40
    n41["spread"]
    n40 --> n41
    subgraph n42["for each: item ≤ 3"]
      subgraph n43["item"]
        n44["increase"]
        n45("twice")
        n44 --> n45
      end
    end
    n46[/"undo: void"/]
    n45 -.-> n46
    n41 --> n44
    n47["total"]
    n45 --> n47
    n48[\\"cleanup: undo"\\]
    n47 --> n48
    subgraph n49["timed within 5 s"]
      n50["timed"]
    end
    n48 --> n50
    subgraph n51["retried within 60 s"]
      subgraph n52["retried, up to 4 attempts"]
        subgraph n53["retried"]
          n54["increase"]
          n55("twice")
          n54 --> n55
        end
      end
    end
    n50 --> n54
    n56{{"pivot"}}
    n55 --> n56
    n57>"sleep 1.5 s"]
    n56 --> n57
    subgraph n58["amount within 90 s"]
      n59>"wait for amount"]
    end
    n57 --> n59
    n60>"wait for approval"]
    n59 --> n60
    n61{"color"}
    n62["of_color"]
    n63["of_color_2"]
    n64((" "))
    n61 -->|"is Color.RED"| n62
    n62 --> n64
    n61 -->|"is Color.BLUE"| n63
    n63 --> n64
    n60 --> n61
    subgraph n65["double_2, up to 5 times"]
      n66["double"]
      n67{"until past"}
      n66 --> n67
      n67 -->|"no"| n66
    end
    n64 --> n66
    subgraph n68["more, up to 3 times"]
      n69{"while past"}
      subgraph n70["more"]
        n71["increase"]
        n72("twice")
        n71 --> n72
      end
      n69 -->|"yes"| n71
      n72 --> n69
    end
    n67 --> n69
    n73["spread_2"]
    n69 --> n73
    subgraph n74["fold: pair_total"]
      n75["pair_total"]
    end
    n73 --> n75
    n76["spread_3"]
    n75 --> n76
    subgraph n77["fold: tally"]
      n78["tally"]
    end
    n76 --> n78
    n79("of_receipt")
    n78 --> n79
    n80["spread_4"]
    n79 --> n80
    subgraph n81["for each: increase_2, collect, into kept"]
      n82["increase"]
    end
    n80 --> n82
    n83["spread_5"]
    n82 --> n83
    subgraph n84["for each: tolerant, tolerates 25#37;"]
      subgraph n85["tolerant"]
        n86["increase"]
        n87("twice")
        n86 --> n87
      end
    end
    n83 --> n86
    n88("numbered")
    n87 --> n88
    n89("len")
    n88 --> n89
    subgraph n90["race, race"]
      n91((" "))
      n92["increase"]
      subgraph n93["item"]
        n94["increase"]
        n95("twice")
        n94 --> n95
      end
      n96((" "))
      n91 --> n92
      n92 --> n96
      n91 --> n94
      n95 --> n96
    end
    n89 --> n91
    subgraph n97["most, tolerates 1"]
      n98((" "))
      n99["increase"]
      subgraph n100["item"]
        n101["increase"]
        n102("twice")
        n101 --> n102
      end
      n103((" "))
      n98 --> n99
      n99 --> n103
      n98 --> n101
      n102 --> n103
    end
    n96 --> n98
    n104("len_2")
    n103 --> n104
    subgraph n105["shipping ≤ 2"]
      n106((" "))
      n107["reserve"]
      n108["charge"]
      n109["ship"]
      n110((" "))
      n106 --> n107
      n107 --> n108
      n108 --> n110
      n107 --> n109
      n108 --> n109
      n109 --> n110
    end
    n104 --> n106
    n111("sum_of_2")
    n110 --> n111
    subgraph n112["fastest, race"]
      n113((" "))
      n114["increase"]
      n115["double"]
      n116((" "))
      n113 --> n114
      n114 --> n116
      n113 --> n115
      n115 --> n116
    end
    n111 --> n113
  end
  n117["of_failure"]
  n118((" "))
  n2 -.->|"on ConnectionError, ValueError"| n117
  n117 --> n118
  n116 --> n118
  n119["last"]
  n118 --> n119
  n1 --> n3
  n120(["end"])
  n119 --> n120
"""
TWICE = """\
flowchart TD
  n1(["start"])
  subgraph n2["covered by mended_2"]
    subgraph n3["covered by mended"]
      n4["increase"]
    end
    n5["mended"]
    n6((" "))
    n3 -.->|"on ValueError"| n5
    n5 --> n6
    n4 --> n6
    n7["double"]
    n6 --> n7
  end
  n8["mended"]
  n9((" "))
  n2 -.->|"on OSError"| n8
  n8 --> n9
  n7 --> n9
  n1 --> n4
  n10(["end"])
  n9 --> n10
"""
LINE = re.compile(
    r' *(flowchart TD|end|subgraph n\d+\["[^"]*"\]'
    r'|n\d+(\["[^"<>]*"\]|\("[^"<>]*"\)|\(\["[^"<>]*"\]\)|\(\("[^"<>]*"\)\)|\{"[^"<>]*"\}|\[/"[^"<>]*"/\]'
    r'|\[\\"[^"<>]*"\\\]|>"[^"<>]*"\]|\{\{"[^"<>]*"\}\})'
    r'|n\d+ (-->|-\.->)(\|"[^"<>|]*"\|)? n\d+)?'
)


def mended(_: Failure) -> int:
    """Go on after a failure."""
    return 0


def test_every_construct_has_its_picture() -> None:
    """S1: golden text; to change it, change the drawing and judge the new text on https://mermaid.live."""
    assert everything.compile().to_mermaid() == PICTURE


def test_an_empty_workflow_is_a_picture_too() -> None:
    """S19: a workflow without steps passes its input on."""
    assert flow.compile().to_mermaid() == (
        'flowchart TD\n  n1(["start"])\n  n2["f"]\n  n1 --> n2\n  n3(["end"])\n  n2 --> n3\n'
    )


def test_a_second_recover_covers_the_first() -> None:
    """S20: one covers all that stands before it, another recover with what that covers among it."""
    twice = flow.step(increase).recover(mended, on=ValueError).step(double).recover(mended, on=OSError)
    assert twice.compile().to_mermaid() == TWICE


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

    def hostile(number: int, *_: int, index: int = 0) -> bool:
        return number > 0

    class Kind(int):
        """A class with a name to fear."""

    class hostile_kind(Exception):  # noqa: N801 - it is to be renamed
        """A failure with a name to fear."""

    hostile.__annotations__ = {}
    hostile_kind.__qualname__ = '<b>"]'
    hostile.__name__ = Kind.__name__ = '"]\n<script>alert("x")</script>'
    choice = (
        flow.branch().when(hostile, hostile).case(Kind, increase).otherwise(double).step(hostile).compensate(hostile)
    )
    chained = (
        flow.cleanup(hostile)
        .loop(lambda n: n, until=functools.partial(hostile, index=1), max_iterations=3)
        .step(lambda n: n)
        .branch()
        .case('"]<b>', lambda n: n)
        .otherwise(double)
        .recover(hostile, on=hostile_kind)
    )
    picture = choice.compile().to_mermaid()
    picture += chained.compile().to_mermaid()
    assert "<" not in picture
    assert "#60;script#62;" in picture
    assert all(LINE.fullmatch(line) for line in picture.splitlines()), picture


@given(workflows())
def test_every_plan_has_a_picture_of_legal_lines(workflow) -> None:
    """S1: each id stands for one shape, each edge joins two, each subgraph ends."""
    lines = workflow.compile().to_mermaid().splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    text = "\n".join(lines)
    shapes = re.findall(r"^ *(?:subgraph )?(n\d+)[\[({>]", text, re.MULTILINE)
    assert len(set(shapes)) == len(shapes)
    for source, target in re.findall(r"(n\d+) -.*?> *(?:\|.*\|)? *(n\d+)", text):
        assert {source, target} <= set(shapes)
    assert text.count("subgraph") == len(re.findall(r"^ *end$", text, re.MULTILINE))
    depths = [len(line) - len(line.lstrip()) for line in lines[1:]]
    assert min(depths) == 2
