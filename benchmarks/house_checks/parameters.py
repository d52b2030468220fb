"""Lists of the twin's parameters: each name should stand in one record, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from benchmarks.house_checks.source import Module, Place

UNITS = ("percent", "mrad", "rad", "px", "mm", "um", "m")
RECORD = "AlignmentParameter"
"""The class whose instances describe the twin's parameters."""
FEWEST_NAMES = 2
"""Names that make a list of parameters."""


def parameter_names(source: Iterable[Module]) -> set[str]:
    """Return the names of the twin's parameters, by the records or DigitalTwin's annotated attributes."""
    found: set[str] = set()
    for module in source:
        if module.path.startswith("twin/"):
            found |= set(_recorded(module)) | set(_annotated_parameters(module))
    return found


def _recorded(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.Call) and _name_of(node.func) == RECORD:
            values = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "name")]
            yield from _strings(values[:1])


def _annotated_parameters(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.ClassDef) and node.name == "DigitalTwin":
            for line in node.body:
                if (
                    isinstance(line, ast.AnnAssign)
                    and isinstance(line.target, ast.Name)
                    and ast.unparse(line.annotation).endswith("Parameter")
                ):
                    yield line.target.id


def stem(name: str) -> str:
    """Return a quantity's name without its unit: the same quantity may be listed in another one."""
    head, _, tail = name.rpartition("_")
    return head if tail in UNITS else name


def parameter_lists(module: Module, names: set[str]) -> list[Place]:
    """Find the literal lists, tuples, sets, tables and Literal types that name two parameters or more."""
    stems = {stem(name) for name in names}
    found = []
    for node in module.nodes:
        listed = [text for text in _strings(_members(node)) if stem(text) in stems]
        if len(set(listed)) >= FEWEST_NAMES:
            found.append(Place(module.path, getattr(node, "lineno", 0)))
    return found


def _members(node: ast.AST) -> list[ast.expr]:
    """Return the members of a literal collection; the first of each where these are tuples themselves."""
    match node:
        case ast.Dict():
            members = [key for key in node.keys if key is not None]
        case ast.List() | ast.Tuple() | ast.Set():
            members = list(node.elts)
        case _:
            return []
    return [m.elts[0] if isinstance(m, ast.Tuple) and m.elts else m for m in members]


def _strings(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _name_of(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
