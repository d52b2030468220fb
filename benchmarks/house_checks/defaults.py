"""Defaults of the training options: they should stand in their class, and be stated nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from benchmarks.house_checks.source import Module, Place

OPTIONS = "TrainingOptions"
"""The class whose fields are the training options, by themselves or in sections of their own."""
OPTION_FOLDER = "labdiff/config/"
"""Where that class and its sections stand."""
FEWEST = 2
"""Options whose default a function or another class repeats make one more place of defaults."""


def option_defaults(source: Iterable[Module]) -> dict[str, object]:
    """Return name and default of every training option that has a plain default."""
    classes = {
        node.name: node
        for module in source
        if module.path.startswith(OPTION_FOLDER)
        for node in module.nodes
        if isinstance(node, ast.ClassDef)
    }
    if OPTIONS not in classes:
        raise LookupError(f"no class {OPTIONS} in {OPTION_FOLDER}")
    found: dict[str, object] = {}
    left, seen = [OPTIONS], set()
    while left:
        name = left.pop()
        seen.add(name)
        found |= dict(_fields(classes[name]))
        left += [part for part in _names_in(classes[name]) if part in classes and part not in seen]
    return found


def _names_in(node: ast.ClassDef) -> set[str]:
    """Return the names in the annotations and bases of a class."""
    parts = [line.annotation for line in node.body if isinstance(line, ast.AnnAssign)]
    return {
        name.id
        for part in [*parts, *node.bases]
        for name in ast.walk(part)
        if isinstance(name, ast.Name)
    }


def repeated_defaults(module: Module, defaults: dict[str, object]) -> list[Place]:
    """Find the functions and classes outside the options' own that state defaults of theirs again."""
    found = []
    for node in module.nodes:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                stated = _parameters(node.args)
            case ast.ClassDef() if not module.path.startswith(OPTION_FOLDER):
                stated = _fields(node)
            case _:
                continue
        same = [
            name for name, value in stated if name in defaults and _equal(defaults[name], value)
        ]
        if len(same) >= FEWEST:
            found.append(Place(module.path, node.lineno))
    return found


def _equal(one: object, other: object) -> bool:
    """Compare also the type: 1 is no True."""
    return type(one) is type(other) and one == other


def _parameters(arguments: ast.arguments) -> Iterator[tuple[str, object]]:
    plain = [*arguments.posonlyargs, *arguments.args]
    late = plain[len(plain) - len(arguments.defaults) :]
    pairs = [*zip(late, arguments.defaults, strict=True)]
    pairs += [
        (argument, default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is not None
    ]
    for argument, default in pairs:
        for value in _literals(default):
            yield argument.arg, value


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, object]]:
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and line.value is not None:
            for value in _literals(line.value):
                yield ast.unparse(line.target), value


def _literals(node: ast.expr) -> list[object]:
    """Return a default's value if it is plain, itself or as the default of a call such as Field(...)."""
    if isinstance(node, ast.Call):
        inner = [k.value for k in node.keywords if k.arg == "default"] or node.args[:1]
        return _literals(inner[0]) if inner else []
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return []
    # None stands for a default that is stated elsewhere.
    return [] if value is None else [value]
