"""Sources call nothing that Windows, macOS or Linux lacks, but where they asked which system it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import mypy
import pytest

ROOT = Path(__file__).parents[3]
STUBS = Path(mypy.__file__).parent / "typeshed" / "stdlib"
SYSTEMS = ("linux", "win32", "darwin")
NEWEST = (3, 14)
FOLDERS = (
    "labdiff", "drivers", "calibration", "twin", "gui", "mock_hardware", "benchmarks", "examples"
)  # fmt: skip
PLACES = ("/dev/", "/proc", "/sys/", "/tmp", "/etc/", "/usr/", "/var/")
ARGUMENTS = {
    "preexec_fn", "pass_fds", "start_new_session", "process_group", "creationflags", "startupinfo"
}  # fmt: skip
"""Arguments of Popen that some system lacks."""
LINUX_ONLY = {
    "benchmarks/attack_checks": "attacks through links, devices and ports of loopback",
    "benchmarks/fault_checks": "kills programs, and finds them by /proc",
    "benchmarks/gui_checks": "a display of Xvfb, and hands of xdotool",
}
"""Benchmarks that state in words that they are measured on Linux alone; no user's command imports them."""
EXAMPLES_OF_ADDRESSES = {"labdiff/config/bench_draft.py", "labdiff/config/bench.py"}
"""Files that name a serial port as an example, in a text for users."""


@cache
def stub_of(module: str) -> list[ast.stmt] | None:
    """Return the statements of a standard module's stub; None if it is no such module."""
    path = STUBS / module.replace(".", "/")
    stub = path / "__init__.pyi" if path.is_dir() else path.with_suffix(".pyi")
    if not stub.is_file():
        return None
    return ast.parse(stub.read_text(encoding="utf-8")).body


@cache
def names_of(module: str, system: str) -> frozenset[str] | None:
    """Return what a module of the standard library has on a system; None if it is no such module."""
    body = stub_of(module)
    return None if body is None else frozenset(_defined(body, system))


def _defined(body: list[ast.stmt], system: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.If):
            yield from _defined(node.body if _holds(node.test, system) else node.orelse, system)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


def _holds(test: ast.expr, system: str) -> bool:
    """Return whether a condition of a stub holds; TYPE_CHECKING and the like do."""
    match test:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_holds(each, system) for each in values)
        case ast.BoolOp(values=values):
            return any(_holds(each, system) for each in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _holds(operand, system)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            if "platform" in ast.unparse(left):
                same = system == ast.literal_eval(right)
                return same if isinstance(op, ast.Eq) else not same
            newer = ast.literal_eval(right) <= NEWEST
            return newer if isinstance(op, ast.GtE) else not newer
    return True


def lacking(module: str, name: str) -> list[str]:
    """Return the systems that lack a name that another one has."""
    found = {system: names_of(module, system) or frozenset() for system in SYSTEMS}
    if not any(name in names for names in found.values()):
        return []
    return [system for system, names in found.items() if name not in names]


@cache
def lacking_module(module: str) -> list[str]:
    """Return the systems on which a module of the standard library defines nothing: so its stub says it."""
    body = stub_of(module)
    if body is None:
        return []
    empty = [system for system in SYSTEMS if not any(_own(body, system))]
    return empty if len(empty) < len(SYSTEMS) else []


def _own(body: list[ast.stmt], system: str) -> Iterator[bool]:
    """Return whether statements of a stub define something, be it another module's."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _own(node.body if _holds(node.test, system) else node.orelse, system)
        elif isinstance(node, ast.ImportFrom):
            yield any(alias.name == "*" or alias.asname for alias in node.names)
        else:
            yield not isinstance(node, ast.Import)


class _Walker(ast.NodeVisitor):
    """Collects what a system lacks, and whether the code around it asks for the system."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []
        self._modules: dict[str, str] = {}
        self._asked = 0

    def walk_body(self, body: list[ast.stmt]) -> None:
        asked = self._asked
        for node in body:
            self.visit(node)
            if isinstance(node, ast.If) and _asks(node.test) and _leaves(node.body):
                self._asked += 1
        self._asked = asked

    def generic_visit(self, node: ast.AST) -> None:
        for _, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                self.walk_body(value)
            elif isinstance(value, list):
                for each in value:
                    if isinstance(each, ast.AST):
                        self.visit(each)
            elif isinstance(value, ast.AST):
                self.visit(value)

    def _under(self, test: ast.expr, node: ast.AST) -> None:
        self._asked += _asks(test)
        self.generic_visit(node)
        self._asked -= _asks(test)

    def visit_If(self, node: ast.If) -> None:
        self._under(node.test, node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._under(node.test, node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self._under(node, node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring is no call
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._modules[alias.asname or alias.name.partition(".")[0]] = (
                alias.name if alias.asname else alias.name.partition(".")[0]
            )
            self._note(node, f"import {alias.name}", lacking_module(alias.name))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names if node.module and not node.level else ():
            self._note(node, f"{node.module}.{alias.name}", lacking(str(node.module), alias.name))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.value.id in self._modules:
            module = self._modules[node.value.id]
            self._note(node, f"{module}.{node.attr}", lacking(module, node.attr))
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and node.value.startswith(PLACES):
            self._note(node, repr(node.value), ["win32"])
        if isinstance(node.value, str) and "\x1b" in node.value:
            self._note(node, "an escape sequence of terminals", ["win32"])

    def visit_Call(self, node: ast.Call) -> None:
        for keyword in node.keywords:
            if keyword.arg in ARGUMENTS:
                self._note(node, f"the argument {keyword.arg}", ["another"])
        name = ast.unparse(node.func).rpartition(".")[2]
        if name in {"get_context", "set_start_method"}:
            method = [each.value for each in node.args if isinstance(each, ast.Constant)]
            if method != ["spawn"]:
                self._note(node, f"{name} without 'spawn'", ["win32"])
        self.generic_visit(node)

    def _note(self, node: ast.stmt | ast.expr, what: str, systems: list[str]) -> None:
        if systems and not self._asked:
            self.found.append((node.lineno, f"{what}, which {' and '.join(systems)} lacks"))


def _asks(test: ast.expr) -> bool:
    return any(
        isinstance(each, ast.Attribute) and ast.unparse(each) in {"sys.platform", "os.name"}
        for each in ast.walk(test)
    )


def _leaves(body: list[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Return | ast.Raise | ast.Continue)


def unguarded(text: str) -> list[tuple[int, str]]:
    """Return line and name of every call in a source that some system lacks and no condition guards."""
    walker = _Walker()
    walker.walk_body(ast.parse(text).body)
    return walker.found


def _sources() -> list[Path]:
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [ROOT / "run.py", *files, *sorted((ROOT / ".ci").glob("*.py"))]


def test_sources_call_nothing_that_a_system_lacks_unless_they_ask_for_the_system() -> None:
    wrong = []
    for path in _sources():
        place = path.relative_to(ROOT).as_posix()
        if place.startswith(tuple(LINUX_ONLY)) or place in EXAMPLES_OF_ADDRESSES:
            continue
        wrong += [f"{place}:{line}: {what}" for line, what in unguarded(path.read_text("utf-8"))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("folder", LINUX_ONLY)
def test_no_command_imports_what_is_measured_on_linux_alone(folder: str) -> None:
    module = folder.replace("/", ".")
    importing = [
        path.relative_to(ROOT).as_posix()
        for each in FOLDERS
        if each != "benchmarks"
        for path in (ROOT / each).rglob("*.py")
        if module in path.read_text("utf-8")
    ]
    assert importing == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("import os\nos.fork()", 1),
        ("import os as system\nsystem.geteuid()", 1),
        ("from signal import SIGKILL", 1),
        ("import fcntl", 1),
        ("import select\nselect.select([], [], [])", 0),
        ("import select\nselect.poll()", 1),
        ("import ctypes\nctypes.windll.kernel32", 1),
        ("import multiprocessing\nmultiprocessing.get_context('fork')", 1),
        ("import subprocess\nsubprocess.Popen(['a'], preexec_fn=print)", 1),
        ("open('/proc/self/status')", 1),
        ("print('\\x1b[2J')", 1),
        ("import os, sys\nif sys.platform != 'win32':\n    os.fork()", 0),
        ("import os, sys\nif sys.platform != 'win32' and os.fork():\n    pass", 0),
        ("import os, sys\ndef f():\n    if sys.platform == 'win32':\n        return\n    os.fork()", 0),
        ("import os, sys\ndef f():\n    if sys.platform == 'win32':\n        return\nos.fork()", 1),
        ("import os\nos.getpid()\nos.replace('a', 'b')", 0),
        ("import multiprocessing\nmultiprocessing.get_context('spawn')", 0),
        ("import signal\nsignal.SIGTERM\nsignal.signal", 0),
        ("import time\ntime.monotonic()", 0),
    ],
)  # fmt: skip
def test_the_walk_finds_what_it_is_to_find(text: str, count: int) -> None:
    assert len(unguarded(text)) == count, unguarded(text)
