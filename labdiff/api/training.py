"""Train an optical denoising unit from a notebook or a script."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from labdiff.api.opening import borrowed, origin_of
from labdiff.api.progress import Progress, run_job
from labdiff.api.run import RUN_FILE, Run, read_run
from labdiff.bench.bench import Bench
from labdiff.config.training import TrainingOptions
from labdiff.errors import JobStoppedError, UserError
from labdiff.jobs.chosen_options import chosen_options
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.session.layer_file import layer_path


def train(
    bench: Bench | str | Path = "mock",
    *,
    out: str | Path,
    options: TrainingOptions | None = None,
    layers_from: str | Path | None = None,
    recalibrate: bool = False,
    workers: int = 0,
    data_dir: str | Path | None = None,
    progress: Progress = False,
) -> Run:
    """Train an optical denoising unit: offline, on the calibrated twin, online on the bench; then generate.

    Args:
        bench: An open bench, or what `open_bench` takes.
        out: Folder of the run file; one that holds a run already is not overwritten.
        options: How to train. Those that are not set are recommended for the data set, or defaults.
        layers_from: A layer file, or "pretrained", instead of training offline.
        recalibrate: Use no stored calibration, measure all anew.
        workers: Processes that train layer sets on the twin at the same time; 0 for none.
        data_dir: Folder of data files; None for that of LABDIFF_DATA.
        progress: True for a progress bar, or a function that is called with each event.

    Returns:
        The recorded run.

    Raises:
        UserError: If the bench, the options or the layers do not fit, or a device failed for good.
        CalibrationError: If a calibration fails on which the training rests.
        JobStoppedError: If Ctrl-C stopped it; `resume` continues it.

    Example:
        >>> options = labdiff.TrainingOptions(layer_sets=2, offline_steps=50, online_steps=20)
        >>> run = labdiff.train("mock-small", out="runs/a", options=options, progress=True)
        >>> run.figures["mse_online_bench"]
        0.62
    """
    layers = layer_path(str(layers_from)) if layers_from is not None else None
    given = options.model_dump(include=options.model_fields_set) if options is not None else {}
    chosen = chosen_options(given, layers, "TrainingOptions")
    with borrowed(bench, chosen.seed) as opened:
        origin = origin_of(opened)
        request = Request(
            bench=origin.file,
            out=Path(out),
            options=chosen,
            data_dir=_folder(data_dir),
            calibrations=None if recalibrate else origin.archive,
            start_from=layers,
            workers=workers,
        )
        return _recorded(ExperimentJob(request, opened), Path(out) / RUN_FILE, progress)


def resume(
    run: Run | str | Path,
    *,
    bench: Bench | str | Path | None = None,
    workers: int = 0,
    data_dir: str | Path | None = None,
    progress: Progress = False,
) -> Run:
    """Resume a run that was stopped, or whose program or computer crashed.

    Args:
        run: The run, its file, or the folder that holds `run.h5`.
        bench: An open bench, or what `open_bench` takes; None opens that of the run's bench file.
        workers: As for `train`.
        data_dir: As for `train`.
        progress: As for `train`.

    Returns:
        The run with what was added.

    Raises:
        UserError: If the run cannot be resumed, or the bench is another one.
        JobStoppedError: If Ctrl-C stopped it; it can be resumed again.

    Example:
        >>> run = labdiff.resume("runs/a", progress=True)
        >>> run.outcome
        'completed'
    """
    stopped = run if isinstance(run, Run) else read_run(run)
    request = Request(resume=stopped.path, data_dir=_folder(data_dir), workers=workers)
    if bench is None:
        return _recorded(ExperimentJob(request), stopped.path, progress)
    with borrowed(bench, stopped.file.seed) as opened:
        if origin_of(opened).file.text != stopped.file.bench_text:
            raise UserError(
                f"{stopped.path}: was recorded with another bench file than this bench's"
            )
        request = replace(request, bench=origin_of(opened).file)
        return _recorded(ExperimentJob(request, opened), stopped.path, progress)


def _recorded(prepared: ExperimentJob, path: Path, progress: Progress) -> Run:
    """Run the job and return what it recorded."""
    record = [prepared.recorder] if prepared.recorder is not None else []
    try:
        run_job(prepared.job(), progress, record)
    except JobStoppedError as error:
        raise JobStoppedError(
            f"stopped by the user; continue with labdiff.resume({str(path)!r})"
        ) from error
    return read_run(path)


def _folder(path: str | Path | None) -> Path | None:
    return Path(path) if path is not None else None
