"""Print figures of the code: ``python tests/figures.py [FOLDER]``, of ``syncsim`` by default.

A thermometer, not an aim.  Complexity is McCabe's: one, and one more for each branch, loop,
handler, comprehension and boolean operand.  Code lines hold at least one token that is neither a
comment nor part of a docstring.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CROWDED_CLASS = 38
COMPLEX, LONG_FILE, LONG_FUNCTION = 10, 500, 60
#: So many functions are named, the most complex first.
NAMED = 10
#: Docstrings that open so say less than a verb or a noun phrase.
VAGUE = re.compile(r"(What|Whether|Who|Whom|Whose|As|Of|How)\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function
BRANCHES = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.ExceptHandler,
    ast.IfExp,
    ast.Assert,
    ast.comprehension,
    ast.match_case,
)
SILENT = frozenset(
    (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
        tokenize.ENCODING,
    )
)


@dataclass(frozen=True, order=True)
class Measured:
    """A function: how complex it is, how many lines it has, and where it stands."""

    complexity: int
    length: int
    name: str


@dataclass
class Figures:
    """Counts over a tree of source files."""

    files: int = 0
    code_lines: int = 0
    branches: int = 0
    comments: int = 0
    docstrings: int = 0
    vague_docstrings: int = 0
    crowded_classes: list[str] = field(default_factory=list)
    long_files: list[str] = field(default_factory=list)
    functions: list[Measured] = field(default_factory=list)

    def add(self, source: str, name: str) -> None:
        """Count one file."""
        nodes = list(ast.walk(ast.parse(source)))
        self.files += 1
        length = len(source.splitlines())
        if length > LONG_FILE:
            self.long_files.append(f"{name} ({length})")
        code, comments = _lines_of_tokens(source)
        for node in nodes:
            if isinstance(node, Documented):
                code -= self._docstring(node)
            if isinstance(node, ast.ClassDef):
                self._class(node, name)
            elif isinstance(node, Function):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                measured = Measured(complexity(node), lines, f"{name}: {node.name}")
                self.functions.append(measured)
        self.branches += sum(map(_branches, nodes))
        self.code_lines += len(code)
        self.comments += len(comments)

    def _docstring(self, node: Documented) -> set[int]:
        """Count the docstring of a node, if it has one; return its lines."""
        text = ast.get_docstring(node)
        if text is None:
            return set()
        self.docstrings += 1
        self.vague_docstrings += bool(VAGUE.match(text))
        return set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))

    def _class(self, node: ast.ClassDef, name: str) -> None:
        methods = sum(isinstance(member, Function) for member in node.body)
        if methods >= CROWDED_CLASS:
            self.crowded_classes.append(f"{name}: {node.name} ({methods})")

    def lines(self) -> Iterator[str]:
        """Tell the figures, a line each, and then who stands out."""
        too_complex = sorted((f for f in self.functions if f.complexity > COMPLEX), reverse=True)
        too_long = [function for function in self.functions if function.length > LONG_FUNCTION]
        share = len(too_complex) / max(len(self.functions), 1)
        largest = max((function.complexity for function in self.functions), default=0)
        vague = self.vague_docstrings / max(self.docstrings, 1)
        for label, figure in (
            ("files", f"{self.files}"),
            ("code lines", f"{self.code_lines}"),
            (f"classes with {CROWDED_CLASS} methods or more", f"{len(self.crowded_classes)}"),
            (
                f"functions of complexity over {COMPLEX}, largest",
                f"{share:.1%} ({len(too_complex)}), {largest}",
            ),
            ("branches per 100 code lines", f"{self._per_100(self.branches):.0f}"),
            (f"files over {LONG_FILE} lines", f"{len(self.long_files)}"),
            (f"functions over {LONG_FUNCTION} lines", f"{len(too_long)}"),
            ("docstrings per 100 code lines", f"{self._per_100(self.docstrings):.1f}"),
            ("docstrings opening with What/Whether/...", f"{vague:.1%}"),
            ("lines with a comment per 100 code lines", f"{self._per_100(self.comments):.1f}"),
        ):
            yield f"{label:<41} {figure}"
        yield from (f"  class  {crowded}" for crowded in sorted(self.crowded_classes))
        yield from (f"  file   {long}" for long in sorted(self.long_files))
        for function in too_complex[:NAMED]:
            yield f"  {function.complexity:3}    {function.name} ({function.length} lines)"

    def _per_100(self, count: int) -> float:
        return 100 * count / max(self.code_lines, 1)


def complexity(function: Function) -> int:
    """Return McCabe's number of a function, without the functions and classes inside it."""
    number, todo = 1, list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        if isinstance(node, Function | ast.Lambda | ast.ClassDef):
            continue
        number += _branches(node)
        todo += ast.iter_child_nodes(node)
    return number


def _branches(node: ast.AST) -> int:
    """Return how many ways one node adds, without those inside it."""
    return len(node.values) - 1 if isinstance(node, ast.BoolOp) else isinstance(node, BRANCHES)


def _lines_of_tokens(source: str) -> tuple[set[int], set[int]]:
    """Return the numbers of the lines with code (docstrings included), and with a comment."""
    code: set[int] = set()
    comments: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        if token.type not in SILENT:
            code.update(range(token.start[0], token.end[0] + 1))
    return code, comments


def figures_of(root: Path) -> Figures:
    """Return the figures of every Python file under a folder."""
    figures = Figures()
    for path in sorted(root.rglob("*.py")):
        figures.add(path.read_text(encoding="utf-8"), str(path.relative_to(root)))
    return figures


if __name__ == "__main__":
    print("\n".join(figures_of(Path(sys.argv[1] if len(sys.argv) > 1 else "syncsim")).lines()))
