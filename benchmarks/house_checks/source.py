"""The product's source files."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("labdiff", "drivers", "calibration", "twin", "gui", "mock_hardware")
"""The packages of the wheel."""
BESIDE = ("tests", "benchmarks", "docs", "examples")
"""Folders whose files obey the limit of lines too."""


@dataclass(frozen=True)
class Module:
    """One source file. path: relative to the repository, with forward slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Return the syntax tree; files of which only the lines are counted are never parsed."""
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Return all nodes of the syntax tree: every check goes through them, and walking is slow."""
        return tuple(ast.walk(self.tree))

    @property
    def lines(self) -> int:
        """Return the number of lines."""
        return len(self.text.splitlines())


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def modules(folders: Iterable[str], root: Path = ROOT) -> list[Module]:
    """Read every Python file under these folders, in the order of their paths."""
    found = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            name = path.relative_to(root).as_posix()
            found.append(Module(name, text))
    return found


def calls_of(module: Module, *names: str) -> Iterator[ast.Call]:
    """Yield every call of a function with one of these names, bare or as an attribute of a module."""
    for node in module.nodes:
        if isinstance(node, ast.Call):
            called = node.func
            if (isinstance(called, ast.Name) and called.id in names) or (
                isinstance(called, ast.Attribute)
                and called.attr in names
                and isinstance(called.value, ast.Name)
                and called.value.id == "typing"
            ):
                yield node
