"""The command `labdiff generate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

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
            typer.Option(help="Noise that ddim adds, over ddpm's (else as trained)."),
        ] = None,
        least_t: Annotated[
            int | None,
            typer.Option(help="Last timestep; its noise goes in one step (else as trained)."),
        ] = None,
        temperature: Annotated[
            float | None,
            typer.Option(help="Of the noise that ddim and ddpm add (else as trained)."),
        ] = None,
        contrast: Annotated[
            float | None,
            typer.Option(help="Stretches every predicted clean image (else as trained)."),
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
        from labdiff.cli.generated_picture import generate_picture
        from labdiff.generation.request import GenerationRequest

        places: dict[str, Literal["twin", "bench"]] = {"twin": "twin", "bench": "bench"}
        if where not in places:
            raise UserError(f"--where {where}: allowed are twin, bench")
        request = GenerationRequest(
            file,
            count,
            places[where],
            seed,
            steps,
            label,
            guidance,
            eta=eta,
            least_t=least_t,
            temperature=temperature,
            contrast=contrast,
        )
        print(f"wrote {generate_picture(request, out)}")
