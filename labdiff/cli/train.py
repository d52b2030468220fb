"""The command `labdiff train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from labdiff.cli.arguments import (
    Bench,
    Cluster,
    DataDir,
    Json,
    Out,
    Seed,
    Workers,
    WorkersOn,
    by_workers,
)
from labdiff.cli.training_run import run_experiment
from labdiff.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("train")(_train)


def _train(
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
    from labdiff.calibrations.archived import archive_folder
    from labdiff.cli.arguments import class_numbers, edge_numbers
    from labdiff.config.bench import load_bench
    from labdiff.data.catalogue import for_training
    from labdiff.jobs.training_job import Request
    from labdiff.session.layer_file import layer_path, options_from_layers

    if resume is not None:
        if layers_from is not None:
            raise UserError(
                "--layers-from: a run that is gone on with has its layers; leave it out"
            )
        elsewhere = by_workers(workers, workers_on, cluster)
        request = Request(resume=resume, data_dir=data_dir, remote=remote, **elsewhere)
        run_experiment(request, as_json)
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
    run_experiment(request, as_json)


def _options(**values: Any) -> Any:
    from pydantic import ValidationError

    from drivers.validation_messages import explain
    from labdiff.config.training import TrainingOptions

    try:
        return TrainingOptions(**values)
    except ValidationError as error:
        raise UserError(explain(error, "options", TrainingOptions)) from None


def _given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"
