"""A function's docstring begins with a verb: what ruff's D401 sees only where it knows the word."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.unit.house.prose import DOCUMENTED, PRODUCT, ROOT, python_files

# A new verb is added to the list; a noun is not.
VERBS = frozenset((Path(__file__).parent / "verbs.txt").read_text(encoding="utf-8").split())


def files(packages: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Yield name and path of each Python file of these folders."""
    for path in python_files(packages):
        yield path.relative_to(ROOT).as_posix(), path


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions of a file that are no properties."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
            if not any("property" in name or name.endswith(".setter") for name in decorators):
                yield node


def public_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the number of parameters beside self and cls that a caller has to know.

    It is 0 for private functions, for Qt's names, and for commands, whose options have help texts.
    """
    is_command = any("command" in ast.unparse(decorator) for decorator in node.decorator_list)
    if node.name != node.name.lower() or node.name.startswith("_") or is_command:
        return 0
    names = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return sum(name.arg not in ("self", "cls") for name in names)


def test_docstrings_begin_with_a_verb() -> None:
    """ "Return the frame's centre.", not "The frame's centre."; a property may name what it is."""
    wrong = [
        f"{name}:{node.lineno}: {docstring.splitlines()[0]}"
        for name, path in files(DOCUMENTED)
        for node in functions(path)
        if (docstring := ast.get_docstring(node))
        if docstring.split()[0].rstrip(".,:;") not in VERBS
    ]
    assert not wrong, "\n".join(wrong)


def test_three_parameters_are_described() -> None:
    """A public function with three parameters or more lists them under Args."""
    wrong = [
        f"{name}:{node.lineno}: {node.name}"
        for name, path in files(PRODUCT)
        for node in functions(path)
        if public_parameters(node) >= 3
        if (docstring := ast.get_docstring(node)) and "Args:" not in docstring
    ]
    assert not wrong, "\n".join(wrong)
