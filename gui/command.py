"""The command `labdiff gui`, registered by the entry-point group `labdiff.commands`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""

    @app.command()
    def gui(
        bench: Annotated[str, typer.Argument(help="Bench file, or a shipped bench.")] = "mock",
        out: Annotated[Path, typer.Option("--out", "-o", help="Folder of runs.")] = Path("runs"),
        seed: Annotated[int, typer.Option(help="Seed of training and mock bench.", min=0)] = 0,
        quick: Annotated[bool, typer.Option(help="A minute instead of minutes.")] = False,
        start: Annotated[bool, typer.Option(help="Start training at once.")] = False,
    ) -> None:
        """Open the window: live camera, noises, loss and discrepancy curves."""
        from gui.app import show

        raise SystemExit(show(bench, out, seed, start, quick))
