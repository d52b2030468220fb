"""What is written beside the code: documents, docstrings, comments, as pieces of text with a place."""

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
PRODUCT = ("labdiff", "drivers", "calibration", "twin", "gui", "mock_hardware")
DOCUMENTED = (*PRODUCT, "benchmarks", "docs", "examples")


@dataclass(frozen=True)
class Prose:
    """A piece of text; place: file and line, as an editor opens it."""

    place: str
    text: str


def documents() -> list[Path]:
    """Return every Markdown file of the repository."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def python_files(packages: tuple[str, ...] = DOCUMENTED) -> list[Path]:
    """Return every Python file of these folders."""
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def prose_of(path: Path) -> Iterator[Prose]:
    """Yield the paragraphs of a document, or the docstrings and comments of a module."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT).as_posix()
    if path.suffix == ".md":
        for number, line in enumerate(text.splitlines(), 1):
            yield Prose(f"{name}:{number}", line)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            if docstring:
                yield Prose(f"{name}:{node.body[0].lineno}", docstring)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield Prose(f"{name}:{token.start[0]}", token.string)


@cache
def all_prose() -> tuple[Prose, ...]:
    """Return every piece of text of documents and code."""
    return tuple(prose for path in [*documents(), *python_files()] for prose in prose_of(path))
