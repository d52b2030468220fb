"""The command line. Heavy imports wait until a command needs them, so that --help is instant."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib import metadata, resources
from pathlib import Path
from typing import Annotated, Any

import typer

from labdiff.commands.arguments import Cluster, Workers, WorkersOn, by_workers
from labdiff.errors import JobStoppedError, UserError

app = typer.Typer(
    name="labdiff",
    help="Run an optical diffusion bench: calibrate it, train its layers, generate images by light.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Bench = Annotated[str, typer.Option("--bench", "-b", help="Bench file, or a shipped bench.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the run file and the report.")]
Seed = Annotated[int, typer.Option(help="Seed of data, training and mock laboratory.", min=0)]
Json = Annotated[bool, typer.Option("--json", help="Print the figures as one JSON line, last.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of data files (else LABDIFF_DATA).")]

DEMO_FOLDER = Path("runs/demo")
EXIT_STALE = 1
"""`labdiff calibrate --check` found something that no longer holds."""
EXIT_USER = 2
EXIT_INTERRUPTED = 130


def main() -> None:
    """Entry point: a user's mistake is one clear line and exit code 2, never a traceback."""
    from labdiff.commands import (
        bench,
        data,
        devices,
        evaluate,
        generate,
        layers,
        monitors,
        reproduce,
        slm,
        sweep,
        watch,
    )

    for command in (
        generate,
        layers,
        data,
        evaluate,
        reproduce,
        watch,
        monitors,
        devices,
        slm,
        sweep,
        bench,
    ):
        command.register(app)
    for entry in metadata.entry_points(group="labdiff.commands"):
        register: Callable[[typer.Typer], None] = entry.load()
        register(app)
    sys.exit(guarded(app))


def guarded(command: Callable[..., Any]) -> int:
    """Run a command; the exit code. Prints what went wrong to stderr."""
    from calibration.result import CalibrationError
    from drivers.errors import DeviceError

    try:
        command()
    except (UserError, CalibrationError, DeviceError) as error:
        print(f"labdiff: {error}", file=sys.stderr)
        return EXIT_USER
    except JobStoppedError as error:
        print(f"labdiff: stopped; what was recorded is kept; {error}", file=sys.stderr)
        return EXIT_INTERRUPTED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


@app.command()
def demo(
    out: Out = DEMO_FOLDER,
    bench: Bench = "mock",
    seed: Seed = 0,
    quick: Annotated[bool, typer.Option(help="A minute instead of minutes; worse images.")] = False,
    as_json: Json = False,
) -> None:
    """The main job on the mock bench: offline, calibrate, learn online, generate, report."""
    from labdiff.config import TrainingOptions
    from labdiff.jobs import QUICK, Request

    options = TrainingOptions(seed=seed, **(QUICK if quick else {}))
    _run_experiment(Request(bench, _fresh(out), options), as_json)


@app.command()
def train(
    context: typer.Context,
    bench: Bench = "mock",
    out: Out = Path("runs/train"),
    seed: Seed = 0,
    data: Annotated[str, typer.Option(help="Data set: a name, a file or a folder.")] = "digits",
    data_dir: DataDir = None,
    classes: Annotated[
        str | None, typer.Option(help="Classes, as 0,1,2 (else as recommended); empty for all.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Image side in cells (else as recommended).")
    ] = None,
    layer_sets: Annotated[
        int, typer.Option(help="Timestep ranges M (else as many as the edges make).")
    ] = 5,
    timestep_edges: Annotated[
        str | None,
        typer.Option(help="First timesteps of ranges 2 ... M, as 100,200,400 (else equal ranges)."),
    ] = None,
    offline_steps: Annotated[
        int, typer.Option(help="Steps of the first layer set on the data sheet's twin.")
    ] = 500,
    calibrated_steps: Annotated[
        int, typer.Option(help="Steps of the first layer set on the calibrated twin.")
    ] = 500,
    online_steps: Annotated[
        int, typer.Option(help="Steps of the first layer set on the bench.")
    ] = 100,
    further_steps: Annotated[
        float, typer.Option(help="Steps of each further layer set, over those of the first.")
    ] = 0.25,
    warm_start: Annotated[
        bool,
        typer.Option(
            help="On a twin each layer set starts from its neighbour with less noise; or by itself."
        ),
    ] = True,
    batch: Annotated[int, typer.Option(help="Images a step.")] = 16,
    prediction: Annotated[
        str, typer.Option(help="sample, preconditioned, or epsilon (the paper's).")
    ] = "sample",
    layers: Annotated[
        str, typer.Option(help="passive, or data: they carry the image too, an SLM update each.")
    ] = "passive",
    detection: Annotated[str, typer.Option(help="cells or differential.")] = "cells",
    writing: Annotated[
        str,
        typer.Option(help="cells, or differential: two signs a pixel, so that light sees it all."),
    ] = "cells",
    cells: Annotated[
        str,
        typer.Option(help="sharp, or soft: pixels written and read as spots of learnt width."),
    ] = "sharp",
    prompt: Annotated[
        bool,
        typer.Option("--prompt", help="Write the class beside the image, to ask for one later."),
    ] = False,
    generated: Annotated[int, typer.Option(help="Images generated at the end.")] = 100,
    eta: Annotated[float, typer.Option(help="Noise that the sampler adds, over ddpm's.")] = 1.0,
    least_t: Annotated[
        int, typer.Option(help="The sampler's last timestep, whose noise goes in one step.")
    ] = 0,
    temperature: Annotated[
        float, typer.Option(help="Of the noise that the sampler adds, ddim or ddpm.")
    ] = 1.0,
    contrast: Annotated[
        float, typer.Option(help="The sampler stretches every predicted clean image by so much.")
    ] = 1.0,
    resume: Annotated[Path | None, typer.Option(help="Run file to go on with.")] = None,
    layers_from: Annotated[
        str | None,
        typer.Option(
            help="Layer file, or 'pretrained', instead of training offline; brings its options."
        ),
    ] = None,
    recalibrate: Annotated[
        bool, typer.Option("--recalibrate", help="Use no stored calibration, measure all.")
    ] = False,
    workers: Workers = None,
    workers_on: WorkersOn = "auto",
    cluster: Cluster = None,
    remote: Annotated[
        str | None,
        typer.Option(help="Use the bench that is served there (labdiff bench serve), HOST:PORT."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train an optical denoising unit on a bench, or go on with a stopped run."""
    from labdiff.calibrate import archive_folder
    from labdiff.commands.arguments import class_numbers, edge_numbers
    from labdiff.config import load_bench
    from labdiff.data.catalogue import for_training
    from labdiff.jobs import Request
    from labdiff.layer_file import layer_path, options_from_layers

    if resume is not None:
        if layers_from is not None:
            raise UserError(
                "--layers-from: a run that is gone on with has its layers; leave it out"
            )
        elsewhere = by_workers(workers, workers_on, cluster)
        request = Request(resume=resume, data_dir=data_dir, remote=remote, **elsewhere)
        _run_experiment(request, as_json)
        return
    recommended = for_training(data)
    edges = edge_numbers(timestep_edges) if timestep_edges is not None else ()
    if edges and not _given(context, "layer_sets"):
        layer_sets = len(edges) + 1
    wanted = dict(
        seed=seed,
        data=data,
        classes=recommended.classes if classes is None else class_numbers(classes),
        image_size=recommended.image_size if image_size is None else image_size,
        layer_sets=layer_sets,
        timestep_edges=edges,
        offline_steps=offline_steps,
        calibrated_steps=calibrated_steps,
        online_steps=online_steps,
        further_steps=further_steps,
        warm_start=warm_start,
        batch=batch,
        prediction=prediction,
        layers=layers,
        detection=detection,
        writing=writing,
        cells=cells,
        prompt=prompt,
        generated=generated,
        eta=eta,
        least_t=least_t,
        temperature=temperature,
        contrast=contrast,
    )
    start_from = layer_path(layers_from) if layers_from is not None else None
    if start_from is not None:
        given = {n for n in wanted if _given(context, n)}
        wanted = options_from_layers(start_from, wanted, given)
    options = _options(**wanted)
    stored = None
    if not recalibrate and remote is not None:
        stored = Path("runs", "calibration", "remote-" + remote.replace(":", "-"))
    elif not recalibrate:
        stored = archive_folder(bench, load_bench(bench).camera.driver == "mock", options.seed)
    request = Request(
        bench,
        out,
        options,
        data_dir,
        calibrations=stored,
        start_from=start_from,
        remote=remote,
        **by_workers(workers, workers_on, cluster),
    )
    _run_experiment(request, as_json)


@app.command()
def calibrate(
    bench: Bench = "mock",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the calibrations, if not the usual."),
    ] = None,
    seed: Seed = 0,
    everything: Annotated[
        bool, typer.Option("--all", help="Measure all, whatever is stored.")
    ] = False,
    only: Annotated[list[str] | None, typer.Option(help="Measure this routine alone.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Look at the bench, measure nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at the bench with a dozen frames and measure anew what no longer holds, and only that."""
    from labdiff.calibration_job import CalibrationJob, CalibrationRequest
    from labdiff.calibration_report import write_calibration_report
    from labdiff.interrupt import StopOnSignal
    from labdiff.progress import ProgressBar
    from labdiff.runner import run

    request = CalibrationRequest(bench, seed, out, everything, tuple(only or ()), check)
    prepared = CalibrationJob(request)
    try:
        with StopOnSignal() as stop, ProgressBar() as progress:
            done = run(prepared.job(), watch=[progress], should_stop=stop.requested)
    finally:
        # What failed is told there too.
        page = write_calibration_report(prepared.archive, prepared.session.config)
    print(f"calibrations  {prepared.archive.folder}\nreport        {page}")
    if as_json:
        print(json.dumps(prepared.figures(done)))
    if check and any(finding.state != "fresh" for finding in done.findings):
        raise typer.Exit(EXIT_STALE)


@app.command()
def report(
    run_file: Annotated[Path, typer.Argument(help="A run file.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="HTML file.")] = None,
) -> None:
    """Write a run as one self-contained HTML page."""
    from labdiff.reader import read_run
    from labdiff.report import write_report

    print(f"wrote {write_report(read_run(run_file), out or run_file.with_name('report.html'))}")


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="Bench file to write.")] = Path("bench.toml"),
    kind: Annotated[str, typer.Option(help="Shipped bench to start from.")] = "mock",
) -> None:
    """Write a bench file, commented line by line, to start from."""
    from labdiff.config import SHIPPED

    if kind not in SHIPPED:
        raise UserError(f"--kind {kind}: no such shipped bench; allowed are {', '.join(SHIPPED)}")
    if path.exists():
        raise UserError(f"{path}: exists already and is not overwritten; choose another name")
    text = resources.files("labdiff").joinpath("benches", f"{kind}.toml")
    try:
        path.write_text(text.read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    print(f"wrote {path}; run it with: labdiff demo --bench {path}")


@app.command()
def doctor() -> None:
    """Say what is installed, and whether anything is wrong with it."""
    from labdiff.doctor import examine

    findings = examine()
    for finding in findings:
        print(f"{'ok ' if finding.good else 'BAD'} {finding.words}")
    if not all(finding.good for finding in findings):
        raise UserError("the installation needs attention; see the lines marked BAD")


def _run_experiment(request: Any, as_json: bool) -> None:
    from labdiff.interrupt import StopOnSignal
    from labdiff.jobs import ExperimentJob
    from labdiff.progress import ProgressBar
    from labdiff.runner import run

    prepared = ExperimentJob(request)
    recorder = prepared.recorder
    with StopOnSignal() as stop, ProgressBar() as progress:
        record = [recorder] if recorder else []
        try:
            figures = run(
                prepared.job(), record=record, watch=[progress], should_stop=stop.requested
            )
        except JobStoppedError as error:
            if recorder is None:
                raise
            how = f" --workers {request.workers}" if request.workers else ""
            how += f" --remote {request.remote}" if request.remote else ""
            raise JobStoppedError(
                f"go on with: labdiff train --resume {recorder.path}{how}"
            ) from error
    _print_table("Figures", figures)
    if recorder is not None:
        _print_report(recorder.path)
    if as_json:
        print(json.dumps(figures))


def _print_report(run_file: Path) -> None:
    from labdiff.reader import read_run
    from labdiff.report import write_report

    page = write_report(read_run(run_file), run_file.with_name("report.html"))
    print(f"run     {run_file}\nreport  {page}")


def _fresh(out: Path) -> Path:
    """The folder, or for a default one the next free with a number: it never overwrites or refuses."""
    candidate, number = out, 1
    while (candidate / "run.h5").exists() and out == DEMO_FOLDER:
        number += 1
        candidate = out.with_name(f"{out.name}-{number}")
    return candidate


def _options(**values: Any) -> Any:
    from pydantic import ValidationError

    from drivers.config import explain
    from labdiff.config import TrainingOptions

    try:
        return TrainingOptions(**values)
    except ValidationError as error:
        raise UserError(explain(error, "options", TrainingOptions)) from None


def _given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _print_table(title: str, figures: dict[str, float]) -> None:
    from rich.console import Console
    from rich.table import Table

    from labdiff.words import WORDS

    table = Table(title=title, show_header=False, title_justify="left")
    order = {name: place for place, name in enumerate(WORDS)}
    for name, value in sorted(figures.items(), key=lambda item: order.get(item[0], len(order))):
        shown = f"{value:.1%}" if name.startswith("recognised") else f"{value:.4g}"
        table.add_row(name, shown, WORDS.get(name, ""))
    Console(width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "110"))).print(
        table
    )
