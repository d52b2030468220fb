"""The command `labdiff init`."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("init")(_init)


def _init(
    path: Annotated[Path, typer.Argument(help="Bench file to write.")] = Path("bench.toml"),
    kind: Annotated[str, typer.Option(help="Shipped bench to start from.")] = "mock",
) -> None:
    """Write a bench file, commented line by line, to start from."""
    from labdiff.config.bench import SHIPPED

    if kind not in SHIPPED:
        raise UserError(f"--kind {kind}: no such shipped bench; allowed are {', '.join(SHIPPED)}")
    if path.exists():
        raise UserError(f"{path}: exists already and is not overwritten; choose another name")
    text = resources.files("labdiff").joinpath("config", "benches", f"{kind}.toml")
    try:
        write_atomically(path, text.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    print(f"wrote {path}; run it with: labdiff demo --bench {path}")
