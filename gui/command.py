"""The command `labdiff gui`, registered by the entry-point group "labdiff.commands"."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labdiff.engine.door_token import DEFAULT_PORT


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""

    @app.command()
    def gui(
        bench: Annotated[
            str | None,
            typer.Argument(
                help="Bench file, or a shipped bench, to connect at once (else it is chosen there)."
            ),
        ] = None,
        out: Annotated[Path, typer.Option("--out", "-o", help="Folder of runs.")] = Path("runs"),
        seed: Annotated[
            int | None,
            typer.Option(
                help="Seed of the mock laboratory (else that of the last session).", min=0
            ),
        ] = None,
        serve: Annotated[
            bool,
            typer.Option(
                "--serve",
                help="Let scripts of this account steer the engine (labdiff.connect), on this computer's "
                "loopback alone; they show a token.",
            ),
        ] = False,
        serve_port: Annotated[
            int, typer.Option(help="Port at which scripts are waited for.", min=0, max=65535)
        ] = DEFAULT_PORT,
        tour: Annotated[bool, typer.Option(help="Offer the tour at the first start.")] = True,
    ) -> None:
        """Open the window: bench, live view, calibration, training, generation, runs."""
        from gui.app import show

        raise SystemExit(show(bench, out, seed, tour, serve_port if serve else None))
