"""Mutants: one small change of a module's text each, as an oversight would make it.

A change is cut out by the places that `ast` gives, so that the rest of the text stays as it is. What is not changed:
annotations, docstrings, prose (a text with a space in it), and what coverage leaves out as well.
"""

from __future__ import annotations

import ast
import difflib
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import CodeType

COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
OPERATIONS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "/"),
    ast.Pow: ("**", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
}
TYPES = {"TypeVar", "ParamSpec", "Literal", "Union", "tuple", "list", "dict", "type"}
OTHER_CALLS = {"any": "all", "all": "any", "min": "max", "max": "min"}
NEGATED = ast.Eq | ast.NotEq | ast.Is | ast.IsNot | ast.In | ast.NotIn  # a negation of the whole would be the same


class Mutant(NamedTuple):
    """A change of one module: what stands between two places in its text is replaced.

    `lines` are those of the statement, by which the tests that reach it are found; `function` is the number of the
    function that alone has to be replaced, if there is one: see `functions_of`.
    """

    module: str
    place: str
    line: int
    start: int
    end: int
    new: str
    lines: tuple[int, int]
    function: int | None

    def applied_to(self, source: str) -> str:
        """Return the module's text with the change."""
        data = source.encode()
        return (data[: self.start] + self.new.encode() + data[self.end :]).decode()

    def change(self, source: str) -> str:
        """Return what stands there before and after, in a line: the mutant's name in its function."""
        data = source.encode()
        first, last = data.rfind(b"\n", 0, self.start) + 1, data.find(b"\n", self.end)
        before, after = data[first : self.start].decode(), data[self.end : last].decode()
        old = data[first:last].decode()
        return " → ".join(" ".join(text.split()) for text in (old, before + self.new + after))

    def diff(self, source: str) -> str:
        """Return the change as a diff."""
        pair = source.splitlines(), self.applied_to(source).splitlines()
        name = f"orchestration/{self.module}"
        return "\n".join(difflib.unified_diff(*pair, name, f"{name} in {self.place}", lineterm="", n=2))


def named(mutants: list[Mutant], source: str) -> dict[str, Mutant]:
    """Return the mutants of a module by names that stay as they are when lines move."""
    names: dict[str, Mutant] = {}
    for mutant in mutants:
        name = first = f"{mutant.module} {mutant.place}: {mutant.change(source)}"
        number = 1
        while name in names:
            number += 1
            name = f"{first} #{number}"
        names[name] = mutant
    return names


def functions_of(code: CodeType) -> list[CodeType]:
    """Return the functions of a module and its classes, in order; those inside of functions belong to these."""
    found: list[CodeType] = []
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            found += [constant] if constant.co_flags & 2 else functions_of(constant)  # new locals: a function
    return found


def mutants_of(module: str, source: str, left_out: frozenset[int]) -> list[Mutant]:
    """Return all mutants of a module whose lines are not left out."""
    functions = functions_of(compile(source, module, "exec", dont_inherit=True))
    numbers = {(code.co_name, code.co_firstlineno): number for number, code in enumerate(functions)}
    finder = Finder(module, source, left_out, numbers)
    finder.visit(ast.parse(source))
    return [mutant for mutant in finder.found if is_python(mutant.applied_to(source))]


def is_python(source: str) -> bool:
    """Tell whether a text compiles."""
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


class Finder(ast.NodeVisitor):
    """Goes through a module, and notes each change that can be made."""

    def __init__(self, module: str, source: str, left_out: frozenset[int], numbers: dict[tuple[str, int], int]) -> None:
        """Begin outside of all functions."""
        self.module = module
        self.data = source.encode()
        self.begins = [0, *(match.end() for match in re.finditer(rb"\n", self.data))]
        self.left_out = left_out
        self.numbers = numbers
        self.found: list[Mutant] = []
        self.places: list[str] = []
        self.function: int | None = None
        self.statement = (0, 0)

    def offset(self, line: int, column: int) -> int:
        """Return where a place of `ast` is in the text."""
        return self.begins[line - 1] + column

    def span(self, node: ast.expr | ast.stmt | ast.keyword | ast.pattern) -> tuple[int, int]:
        """Return where a node begins and ends in the text."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def text(self, node: ast.expr) -> str:
        """Return the text of a node."""
        start, end = self.span(node)
        return self.data[start:end].decode()

    def note(self, start: int, end: int, new: str) -> None:
        """Note a change."""
        line = self.data.count(b"\n", 0, start) + 1
        if not self.left_out.isdisjoint(range(self.statement[0], line + 1)) or line in self.left_out:
            return
        place = ".".join(self.places) or "the module"
        self.found.append(Mutant(self.module, place, line, start, end, new, self.statement, self.function))

    def between(self, left: ast.expr, right: ast.expr, old: str, new: str) -> None:
        """Note another operator between two operands."""
        start, end = self.span(left)[1], self.span(right)[0]
        gap = self.data[start:end].decode()
        pattern = r"\s+".join(map(re.escape, old.split()))
        self.note(start, end, re.sub(pattern, new.replace("\\", ""), gap, count=1))

    def negate(self, test: ast.expr) -> None:
        """Note a condition turned round, unless a change of its operator says the same."""
        same = isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], NEGATED)
        if not same and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            start, end = self.span(test)
            self.note(start, end, f"(not ({self.text(test)}))")

    # ── statements ───────────────────────────────────────────────────────────────────────────────────────────────

    def visit(self, node: ast.AST) -> None:
        """Keep in mind which statement a change is in."""
        if not isinstance(node, ast.stmt):
            super().visit(node)
            return
        before = self.statement
        body = getattr(node, "body", None)
        last = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno
        if isinstance(node, ast.Match):
            last = node.subject.end_lineno
        self.statement = (node.lineno, max(node.lineno, last or node.lineno))
        super().visit(node)
        self.statement = before

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Go into a function; its decorators and defaults belong to where it is defined."""
        for outside in (*node.decorator_list, *node.args.defaults, *(one for one in node.args.kw_defaults if one)):
            self.visit(outside)
        before = self.function
        if before is None:
            first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
            self.function = self.numbers.get((node.name, first))
        self.body(node.name, node.body)
        self.function = before

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - so `ast` calls it

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Go into a class."""
        for outside in (*node.decorator_list, *node.keywords):
            self.visit(outside)
        self.body(node.name, node.body)

    def body(self, name: str, statements: list[ast.stmt]) -> None:
        """Go into what has a name."""
        self.places.append(name)
        for statement in statements:
            self.visit(statement)
        self.places.pop()

    def visit_Expr(self, node: ast.Expr) -> None:
        """Leave a call out; docstrings stay."""
        if not isinstance(node.value, ast.Constant):
            self.note(*self.span(node), "pass")
            self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        """Raise nothing."""
        self.note(*self.span(node), "pass")
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        """Return nothing."""
        if node.value is not None and not isinstance(node.value, ast.Constant):
            self.note(*self.span(node.value), "None")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Assign nothing; a type that is given a name is none of ours."""
        if self._is_type(node.value):
            return
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self.note(*self.span(node.value), "None")
        self.visit(node.value)

    def _is_type(self, value: ast.expr) -> bool:
        if isinstance(value, ast.Call):
            return isinstance(value.func, ast.Name) and value.func.id in TYPES
        if isinstance(value, ast.Subscript):
            return isinstance(value.value, ast.Name) and value.value.id in TYPES
        return not self.places and isinstance(value, ast.BinOp)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Assign nothing; the annotation is none of ours."""
        if node.value is not None and not (isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias"):
            if not (isinstance(node.value, ast.Constant) and node.value.value is None):
                self.note(*self.span(node.value), "None")
            self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Take away instead of adding."""
        old, new = OPERATIONS[type(node.op)]
        self.between(node.target, node.value, f"{old}=", f"{new}=")
        self.visit(node.value)

    def visit_If(self, node: ast.If) -> None:
        """Turn the condition round."""
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        self.negate(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        """Turn the condition round."""
        self.negate(node.test)
        self.generic_visit(node)

    def visit_Break(self, node: ast.Break) -> None:
        """Go on instead."""
        self.note(*self.span(node), "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        """End the loop instead."""
        self.note(*self.span(node), "break")

    def visit_match_case(self, node: ast.match_case) -> None:
        """Never come to a case, or come to it whatever its guard says."""
        before, self.statement = self.statement, (node.pattern.lineno, node.body[0].lineno)
        wildcard = isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None and node.guard is None
        if node.guard is not None:
            self.negate(node.guard)
        elif not wildcard:
            end = self.span(node.pattern)[1]
            self.note(end, end, " if False")
        self.statement = before
        self.generic_visit(node)

    # ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """Turn the condition round."""
        self.negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Turn the conditions round."""
        for test in node.ifs:
            self.negate(test)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Compare otherwise."""
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            self.between(left, right, *COMPARISONS[type(operator)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """`or` for `and`, and the other way round."""
        words = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self.between(left, right, *words)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Leave a `not` or a sign out."""
        self.note(*self.span(node), self.text(node.operand))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Compute otherwise."""
        if type(node.op) in OPERATIONS:
            self.between(node.left, node.right, *OPERATIONS[type(node.op)])
        self.generic_visit(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Return nothing."""
        if not isinstance(node.body, ast.Constant):
            self.note(*self.span(node.body), "None")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Leave an argument with a name out, or call the opposite; a cast is an annotation."""
        if isinstance(node.func, ast.Name) and node.func.id in OTHER_CALLS:
            self.note(*self.span(node.func), OTHER_CALLS[node.func.id])
        for keyword in node.keywords:
            if keyword.arg not in (None, "strict"):  # `zip` of what has one length anyway
                start, end = self.span(keyword)
                comma = re.match(rb"\s*,\s*", self.data[end:])
                self.note(start, end + (comma.end() if comma else 0), "")
        if isinstance(node.func, ast.Name) and node.func.id == "cast":
            node.args = node.args[1:]
        if isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            node.args = node.args[:1]  # a union of classes there would only be no union
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave what is filled into a text alone: the places inside of it are not those of the module."""

    def visit_Constant(self, node: ast.Constant) -> None:
        """Have another number, truth or word."""
        if isinstance(node.value, bool):
            self.note(*self.span(node), str(not node.value))
        elif isinstance(node.value, int | float):
            self.note(*self.span(node), str(node.value + 1))
        elif isinstance(node.value, str) and " " not in node.value:
            self.note(*self.span(node), repr(f"{node.value}XX"))
