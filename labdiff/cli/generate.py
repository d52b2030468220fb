"""The command `labdiff generate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from labdiff.cli.arguments import BenchHere, Yes
from labdiff.cli.lazy_command import add_lazily
from labdiff.errors import UserError

if TYPE_CHECKING:
    from labdiff.config.option import Value

SUMMARY = "Generate images out of noise, on the digital twin or on the bench."
PLACES: dict[str, Literal["twin", "bench"]] = {"twin": "twin", "bench": "bench"}


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_lazily(app, "generate", SUMMARY, _command)


def _command() -> Callable[..., None]:
    from labdiff.cli.generated_options import GeneratedCommand, OptionSource
    from labdiff.config.training import COMPUTING, SAMPLER

    options = OptionSource((SAMPLER, COMPUTING), default="as trained", prefix="sampler_")
    return GeneratedCommand(_generate, GenerateArguments, options)


@dataclass(frozen=True, slots=True)
class GenerateArguments:
    """What `labdiff generate` takes beside the sampler's options."""

    file: Annotated[
        Path | None,
        typer.Argument(help="Run file or layer file; the pretrained layers if left out."),
    ] = None
    count: Annotated[int, typer.Option(help="Number of images.", min=1)] = 16
    where: Annotated[str, typer.Option(help="twin or bench.")] = "twin"
    seed: Annotated[int, typer.Option(help="Seed of the noise.", min=0)] = 0
    label: Annotated[
        int | None,
        typer.Option("--class", help="Class to ask for, of a run trained with --prompt."),
    ] = None
    guidance: Annotated[
        float,
        typer.Option(help="Weight of the class; other than 1, two forward passes an image."),
    ] = 1.0
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG file.")] = Path("generated.png")
    bench: BenchHere = None
    yes: Yes = False


def _generate(arguments: GenerateArguments, sampler: Mapping[str, Value]) -> None:
    from labdiff.cli.generated_picture import generate_picture
    from labdiff.cli.outputs import check_output_file
    from labdiff.generation.request import GenerationRequest

    if arguments.where not in PLACES:
        raise UserError(f"--where {arguments.where}: allowed are twin, bench")
    check_output_file(arguments.out)
    request = GenerationRequest(
        path=arguments.file,
        count=arguments.count,
        where=PLACES[arguments.where],
        seed=arguments.seed,
        label=arguments.label,
        guidance=arguments.guidance,
        sampler=sampler,
        bench=arguments.bench,
        confirmed=arguments.yes,
    )
    print(f"wrote {generate_picture(request, arguments.out)}")
