"""Checkpoints: a training session as plain arrays and scalars, and resumed from them.

Names in a checkpoint begin with what they belong to: "odu.", "twin.", "bench.", "at_work." (the stage in
progress), "start." (the layers with which online learning starts), "calibration.", "contribution." (to the
twin, by routine) and the recorder's "figure.".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from calibration.dark import DarkLevel
from calibration.registration import Registration
from calibration.result_file import Result
from labdiff.bench.snapshot import BenchSnapshot
from labdiff.config.stored_options import stored_options
from labdiff.config.training import TrainingOptions
from labdiff.data.catalogue import selection
from labdiff.errors import UserError, reading
from labdiff.events import Checkpoint
from labdiff.runs.hdf5_tables import FIGURE
from labdiff.runs.reader import RunFile
from labdiff.session.data_record import DataRecord
from labdiff.session.denoiser import Denoiser
from labdiff.session.device import device_description
from labdiff.session.training_session import Position, TrainingSession
from twin.prior import Estimate

ODU, TWIN, BENCH, START = "odu.", "twin.", "bench.", "start."
IN_PROGRESS, CALIBRATION, CONTRIBUTION = "at_work.", "calibration.", "contribution."
FITTING = "one that fits this program, its bench and its options"
"""What a checkpoint has to be, for messages."""
REAL_IMAGES = 12
"""Number of held-out images that a checkpoint shows beside the generated ones."""

R = TypeVar("R", bound=Result)
V = TypeVar("V")


def checkpoint_due(session: TrainingSession) -> bool:
    """Return whether the last checkpoint is long ago.

    When checkpoints are made changes nothing of what a run does.
    """
    return time.monotonic() - session.last_checkpoint_s > session.checkpoint_seconds


def make_checkpoint(session: TrainingSession, bench: BenchSnapshot | None = None) -> Checkpoint:
    """Return all that `resume` needs. bench: where it is to be put back to; where it is if not given."""
    session.last_checkpoint_s = time.monotonic()
    calibrated, where = session.calibrated, session.position
    if bench is None and calibrated.has_bench:
        bench = calibrated.bench.state()
    arrays: dict[str, np.ndarray] = {
        "precompensation_rad": calibrated.precompensation_rad.cpu().numpy().copy(),
        "real_images": session.images.test[:REAL_IMAGES].numpy().copy(),
    }
    if calibrated.covariance is not None:
        arrays["covariance"] = calibrated.covariance.numpy().copy()
    scalars: dict[str, float | int | str] = {
        "stage": where.stage,
        "layer_set": where.layer_set,
        "step": where.step,
        "planned": ",".join(where.planned),
        "pretrained": int(session.pretrained),
        "aligned": int(calibrated.aligned),
        "device": device_description(session.device),
    }
    for prefix, module in ((ODU, session.odu), (TWIN, calibrated.twin)):
        for name, value in module.state_dict().items():
            arrays[prefix + name] = value.detach().cpu().numpy().copy()
    arrays.update({IN_PROGRESS + name: value.copy() for name, value in session.in_progress.items()})
    arrays.update({START + name: value.copy() for name, value in session.starting_layers.items()})
    scalars.update(session.data.scalars())
    scalars.update({FIGURE + name: value for name, value in session.figures.items()})
    scalars.update({CALIBRATION + name: found for name, found in calibrated.calibrations.items()})
    for routine, estimates in calibrated.contributions.items():
        for name, estimate in estimates.items():
            values = np.array([estimate.value, estimate.sigma])
            arrays[f"{CONTRIBUTION}{routine}.{name}"] = values
    results: dict[str, Result] = {}
    if bench is not None:
        for name, value in bench.values.items():
            if isinstance(value, np.ndarray):
                arrays[BENCH + name] = value
            else:
                scalars[BENCH + name] = value
        if bench.dark is not None:
            results["dark"] = bench.dark
        if bench.registration is not None:
            results["registration"] = bench.registration
    return Checkpoint(arrays, scalars, results)


def checkpoint_of(run: RunFile) -> Checkpoint:
    """Return a run file's checkpoint. Raises UserError if it holds none."""
    if not run.checkpoint:
        raise UserError(f"{run.path}: stopped before its first checkpoint; start it again")
    return Checkpoint(run.checkpoint, run.checkpoint_scalars, run.checkpoint_results)


def resume_run(session: TrainingSession, run: RunFile) -> None:
    """Resume a recorded run; `restore_bench` then puts its bench back.

    Raises UserError if the run holds no checkpoint, or that of another program.
    """
    resume(session, checkpoint_of(run), str(run.path))


def resume(session: TrainingSession, checkpoint: Checkpoint, name: str) -> None:
    """Bring a session to where a checkpoint was made.

    Args:
        session: new, with the checkpoint's options.
        checkpoint: of a run file.
        name: what it is called in messages.

    Raises:
        UserError: The checkpoint is that of another program, or was trained on other pictures.
    """
    load_denoiser(session, checkpoint, name)
    arrays, scalars = checkpoint.arrays, checkpoint.scalars
    session.data.require_same(data_of(checkpoint, name), name)
    with reading(f"{name}: its checkpoint", FITTING):
        planned = str(scalars["planned"])
        session.position = Position(
            str(scalars["stage"]),
            int(scalars["layer_set"]),
            int(scalars["step"]),
            tuple(planned.split(",")) if planned else (),
        )
        session.pretrained = bool(scalars["pretrained"])
        session.figures = {k: float(v) for k, v in _part(FIGURE, scalars).items()}
    session.in_progress = {k: np.array(v) for k, v in _part(IN_PROGRESS, arrays).items()}
    session.starting_layers = {k: np.array(v) for k, v in _part(START, arrays).items()}
    values = _part(BENCH, {**arrays, **scalars})
    if values:
        session.bench_snapshot = BenchSnapshot(
            values,
            _result(checkpoint, "dark", DarkLevel, name),
            _result(checkpoint, "registration", Registration, name),
        )
    session.resumed = True


def load_denoiser(denoiser: Denoiser, checkpoint: Checkpoint, name: str) -> None:
    """Load what denoising needs: the unit, the twin and what the calibrations found of it.

    Args:
        denoiser: new, with the checkpoint's options.
        checkpoint: of a run file.
        name: what it is called in messages.

    Raises:
        UserError: The checkpoint is that of another program.
    """
    arrays, scalars, calibrated = checkpoint.arrays, checkpoint.scalars, denoiser.calibrated
    with reading(f"{name}: its checkpoint", FITTING):
        denoiser.odu.load_state_dict({k: _tensor(v) for k, v in _part(ODU, arrays).items()})
        calibrated.twin.load_alignment({k: _tensor(v) for k, v in _part(TWIN, arrays).items()})
        displayed = _tensor(arrays["precompensation_rad"])
        if displayed.shape != calibrated.precompensation_rad.shape:
            raise ValueError(f"precompensation_rad is of shape {tuple(displayed.shape)}")
        calibrated.precompensation_rad = displayed
        calibrated.covariance = _tensor(arrays["covariance"]) if "covariance" in arrays else None
        calibrated.aligned = bool(scalars["aligned"])
        calibrated.calibrations = {k: str(v) for k, v in _part(CALIBRATION, scalars).items()}
        calibrated.contributions.clear()
        for key, (value, sigma) in _part(CONTRIBUTION, arrays).items():
            routine, _, quantity = key.partition(".")
            estimate = Estimate(float(value), float(sigma))
            calibrated.contributions.setdefault(routine, {})[quantity] = estimate


def restore_bench(session: TrainingSession) -> bool:
    """Put the bench back to where a resumed run left it; False if it has to be checked instead."""
    if session.bench_snapshot is None:
        return False
    session.calibrated.bench.restore(session.bench_snapshot)
    return True


def options_of(run: RunFile) -> TrainingOptions:
    """Return the options with which a run was recorded. Raises UserError if they are none of today's."""
    return stored_options(run.options_json, f"{run.path}, options")


def data_of(checkpoint: Checkpoint, name: str) -> DataRecord | None:
    """Return what a checkpoint stores of its data; None if it is of format 1, which stores nothing.

    name: what to call the run in messages. Raises UserError if it is damaged.
    """
    with reading(f"{name}: its checkpoint", FITTING):
        return DataRecord.stored_in(checkpoint.scalars)


def options_to_resume(run: RunFile) -> TrainingOptions:
    """Return a run's options with the absolute path of its data, in whatever folder it is resumed."""
    options = options_of(run)
    data = DataRecord.stored_in(run.checkpoint_scalars)
    if data is None or selection(options.data) is not None or not Path(data.path).exists():
        return options  # the images may have been moved along with the run
    return options.model_copy(update={"data": data.path})


def _result(checkpoint: Checkpoint, key: str, kind: type[R], name: str) -> R | None:
    found = checkpoint.results.get(key)
    if found is None or isinstance(found, kind):
        return found
    raise UserError(
        f"{name}: its checkpoint: {key} is a {type(found).__name__}; expected a {kind.__name__}"
    )


def _part(prefix: str, named: Mapping[str, V]) -> dict[str, V]:
    return {k.removeprefix(prefix): v for k, v in named.items() if k.startswith(prefix)}


def _tensor(array: np.ndarray) -> Tensor:
    """Return a copy in torch's own memory: the last bits of a sum may depend on its alignment."""
    return torch.from_numpy(np.array(array)).clone()
