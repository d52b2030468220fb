"""The command `labdiff hologram`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labdiff.cli.arguments import DEFAULT_BENCH, Bench, Json, Seed, one_bench
from labdiff.cli.lazy_command import add_lazily
from labdiff.errors import UserError

if TYPE_CHECKING:
    from labdiff.config.option import Value
    from labdiff.holograms.target import Wanted

SUMMARY = (
    "Shape the light: any picture or spots on the camera, by the twin and the camera in the loop."
)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_lazily(app, "hologram", SUMMARY, _command)


def _command() -> Callable[..., None]:
    from labdiff.cli.generated_options import GeneratedCommand, OptionSource

    return GeneratedCommand(_hologram, HologramArguments, OptionSource(()))


@dataclass(frozen=True, slots=True)
class HologramArguments:
    """What `labdiff hologram` takes."""

    target: Annotated[
        str | None,
        typer.Argument(metavar="TARGET", help="Image file: png, jpg, ..., or npy of intensities."),
    ] = None
    bench_file: Annotated[
        str | None,
        typer.Argument(
            metavar="BENCH", help="Bench file, or a shipped bench; the first argument with spots."
        ),
    ] = None
    bench: Bench = None
    spots: Annotated[
        str | None, typer.Option(help="Spots in place of an image: a grid of 100, or 8x12.")
    ] = None
    spots_file: Annotated[
        Path | None, typer.Option(help="Text file of spots, one a line: x y, or x y weight.")
    ] = None
    region: Annotated[
        tuple[int, int, int, int] | None,
        typer.Option(
            metavar="TOP LEFT HEIGHT WIDTH",
            help="Where the light is to be, plane pixels (else the middle three quarters).",
        ),
    ] = None
    frames: Annotated[int, typer.Option(help="Frames with the camera in the loop.")] = 20
    steps: Annotated[int, typer.Option(help="Steps on the twin before them.")] = 300
    rate: Annotated[float, typer.Option(help="Learning rate of these steps, radians.")] = 0.1
    smoothness: Annotated[
        float, typer.Option(help="Weight of the phases' roughness; 0 for none.")
    ] = 0.0
    steps_per_frame: Annotated[int, typer.Option(help="Steps between two frames.")] = 20
    flat_input: Annotated[
        bool, typer.Option("--flat-input", help="Keep the input patch flat; layers alone.")
    ] = False
    calibrations: Annotated[
        Path | None, typer.Option(help="Folder of the calibrations (else that of the bench).")
    ] = None
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the result.")] = Path(
        "hologram"
    )
    seed: Seed = 0
    as_json: Json = False


def _hologram(arguments: HologramArguments, options: Mapping[str, Value]) -> None:
    from labdiff.cli.outputs import check_output_folder
    from labdiff.holograms.options import HologramOptions
    from labdiff.job import run
    from labdiff.jobs.camera_hologram_job import CameraHologramJob, HologramRequest
    from labdiff.jobs.stop_signal import StopOnSignal
    from labdiff.reports.hologram_report import figure_rows, hologram_json, write_hologram
    from labdiff.reports.progress_bar import ProgressBar

    wanted, bench = _wanted(arguments)
    request = HologramRequest(
        wanted,
        bench,
        arguments.seed,
        arguments.region,
        HologramOptions(
            arguments.frames,
            arguments.steps,
            arguments.rate,
            arguments.smoothness,
            arguments.steps_per_frame,
            arguments.flat_input,
        ),
        arguments.calibrations,
    )
    check_output_folder(arguments.out)
    prepared = CameraHologramJob(request)
    name = prepared.config.name
    try:
        with StopOnSignal() as stop, ProgressBar() as progress:
            run(prepared.job(), watch=[progress], should_stop=stop.requested)
    finally:
        # What was reached until it was stopped, or failed, is written too.
        if prepared.result is not None:
            page = write_hologram(
                arguments.out, prepared.result, name, request.seed, prepared.simulated
            )
            print(f"{'':30}twin alone   best, twin   best, camera")
            for label, texts in figure_rows(prepared.result):
                print(f"{label:30}{texts[0]:>10}{texts[1]:>13}{texts[2]:>15}")
            print(f"wrote {page}")
    if prepared.simulated:
        print(prepared.simulated)
    if arguments.as_json and prepared.result is not None:
        found = hologram_json(prepared.result, name, request.seed, prepared.simulated)
        print(json.dumps(found))


def _wanted(arguments: HologramArguments) -> tuple[Wanted, str]:
    """Return what is wanted, and the bench. Raises UserError if it is nothing, or two things."""
    from labdiff.holograms.target import HologramSpots

    target, bench_file = arguments.target, arguments.bench_file
    spots = [each for each in (arguments.spots, arguments.spots_file) if each is not None]
    if len(spots) == 2:
        raise UserError("--spots and --spots-file exclude each other; give one of them")
    if spots:
        if bench_file is not None:
            raise UserError(
                f"{target}: an image and spots exclude each other; give one of them, and one bench"
            )
        bench = one_bench(target, arguments.bench) or DEFAULT_BENCH
        return HologramSpots(spots[0]), bench
    if target is None:
        raise UserError("TARGET: give an image file, or --spots 100, or --spots-file FILE")
    return target, one_bench(bench_file, arguments.bench) or DEFAULT_BENCH
