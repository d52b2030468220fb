"""A function's docstring begins with a verb: what ruff's D401 sees only where it knows the word."""

import ast
import fnmatch
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.unit.house.prose import DOCUMENTED, ROOT, python_files

# A new verb is added to the list; a noun is not.
VERBS = frozenset((Path(__file__).parent / "verbs.txt").read_text(encoding="utf-8").split())


def rooms_not_yet_clean() -> list[str]:
    """Return the path patterns for which pyproject.toml leaves out D401."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    ignored = settings["tool"]["ruff"]["lint"]["per-file-ignores"]
    return [pattern for pattern, rules in ignored.items() if "D401" in rules]


def function_docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and docstring of each function of a file that is not a property."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
        docstring = ast.get_docstring(node)
        if docstring and not any(
            "property" in name or name.endswith(".setter") for name in decorators
        ):
            yield node.lineno, docstring


def test_docstrings_begin_with_a_verb() -> None:
    """ "Return the frame's centre.", not "The frame's centre."; a property may name what it is."""
    left_out = rooms_not_yet_clean()
    wrong = [
        f"{name}:{line}: {docstring.splitlines()[0]}"
        for path in python_files(DOCUMENTED)
        if not any(fnmatch.fnmatch(name := path.relative_to(ROOT).as_posix(), p) for p in left_out)
        for line, docstring in function_docstrings(path)
        if docstring.split()[0].rstrip(".,:;") not in VERBS
    ]
    assert not wrong, "\n".join(wrong)
