"""`import labdiff`: light, complete, and no name hidden by a sub-package."""

from __future__ import annotations

import ast
import json
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import labdiff

SOURCE = Path(labdiff.__file__)


def modules_after(statement: str) -> set[str]:
    """Names of the modules that a new interpreter has imported after a statement."""
    script = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_importing_labdiff_imports_nothing_heavy() -> None:
    loaded = modules_after("import labdiff")
    assert not loaded & {"torch", "numpy", "pydantic", "h5py", "matplotlib", "typer"}
    assert {name for name in loaded if name.startswith("labdiff.")} == set()


FIRST_LIGHT = """
import labdiff
with labdiff.open_bench("mock-small") as bench:
    bench.show(bench.layout.flat())
    assert bench.camera.get_frame().pixels.max() > 200
    bench._repr_html_()
"""


def test_a_bench_is_opened_and_takes_a_frame_without_torch() -> None:
    assert "torch" not in modules_after(FIRST_LIGHT)


def test_a_recorded_run_is_read_without_torch() -> None:
    assert "torch" not in modules_after("import labdiff; labdiff.read_run")


@pytest.mark.parametrize("name", labdiff.__all__)
def test_every_public_name_is_there_with_a_docstring(name: str) -> None:
    found = getattr(labdiff, name)
    assert found.__doc__
    assert name in dir(labdiff)


def test_no_module_of_labdiff_bears_a_public_name() -> None:
    # To import the module would put it in the place of the function.
    modules = {module.name for module in pkgutil.iter_modules([str(SOURCE.parent)])}
    assert not modules & set(labdiff.__all__)


def test_type_checkers_are_told_the_same_names() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    declared = {
        alias.asname: (statement.module, alias.name)
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert set(declared) == set(labdiff.__all__)
    for name, (module, original) in declared.items():
        assert module is not None and original == name
        assert getattr(import_module(module), name) is getattr(labdiff, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'callibrate'"):
        labdiff.callibrate  # noqa: B018


@pytest.mark.parametrize("name", [n for n in labdiff.__all__ if n[0].islower()])
def test_every_function_says_what_it_takes_returns_and_raises(name: str) -> None:
    text = getattr(labdiff, name).__doc__
    for section in ("Args:", "Returns:", "Raises:", "Example:"):
        assert section in text
