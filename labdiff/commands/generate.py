"""The command `labdiff generate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labdiff.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""

    @app.command()
    def generate(
        file: Annotated[
            Path | None,
            typer.Argument(help="Run file or layer file; else the layers that come along."),
        ] = None,
        count: Annotated[int, typer.Option(help="How many images.", min=1)] = 16,
        where: Annotated[str, typer.Option(help="twin or bench.")] = "twin",
        steps: Annotated[
            int | None, typer.Option(help="Denoising steps (else as trained).", min=1, max=1000)
        ] = None,
        eta: Annotated[
            float | None,
            typer.Option(help="Noise that ddim adds, 0 ... 1 of ddpm's (else as trained)."),
        ] = None,
        seed: Annotated[int, typer.Option(help="Seed of the noise.", min=0)] = 0,
        label: Annotated[
            int | None,
            typer.Option("--class", help="Class to ask for, of a run trained with --prompt."),
        ] = None,
        guidance: Annotated[
            float,
            typer.Option(help="Weight of the class; other than 1, two passes of light an image."),
        ] = 1.0,
        out: Annotated[Path, typer.Option("--out", "-o", help="PNG file.")] = Path("generated.png"),
    ) -> None:
        """Generate images out of noise, on the twin or on the bench."""
        from labdiff.gallery import generate_picture

        if where not in ("twin", "bench"):
            raise UserError(f"--where {where}: allowed are twin, bench")
        on_bench = where == "bench"
        written = generate_picture(file, count, on_bench, seed, out, steps, label, guidance, eta)
        print(f"wrote {written}")
