"""The main job: from a bench that nobody has measured to one that denoises and generates."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import TypeAlias

import torch

from labdiff.calibrations.routines import IMAGING, PREDICTION
from labdiff.errors import UserError
from labdiff.events import Calibrated, GenerationStep, JobStarted, Measured, StageStarted
from labdiff.generation.denoise import baselines, score
from labdiff.generation.sample import generate
from labdiff.generation.tone_curve import fit_tone_curve
from labdiff.job import Job
from labdiff.jobs.calibrator import Calibrator
from labdiff.jobs.recognition import recognised
from labdiff.session.checkpoint import checkpoint_due, make_checkpoint, restore_bench
from labdiff.session.class_prompts import prompts_in_turn
from labdiff.session.training_session import TrainingSession
from labdiff.training.loop import train
from labdiff.training.methods import COMPARISONS, PEERS, Method, compared_methods

ON_BENCH = "_on_bench"
"""End of the name of the stage in which a method's layers are scored on the bench."""
TrainOnTwin: TypeAlias = Callable[[TrainingSession, Method], Job[None]]
DONE = "done"
"""Name of the stage after the last one. Run files store the names of stages."""
BEFORE_THE_BENCH = ("offline", "offline_on_twin")
"""Stages that need no calibrated bench."""
CALIBRATING = ("first_look", "offline_on_bench", "look", "calibration")
"""Stages that end in a calibrated bench."""


def experiment(
    session: TrainingSession,
    calibrator: Calibrator,
    seconds_before: float = 0.0,
    on_twin: TrainOnTwin = train,
) -> Job[dict[str, float]]:
    """Train offline, see it fail on the bench, calibrate, train again and online, generate.

    A session whose layers came from a file is not trained offline. A resumed one continues from its
    position: a bench that can be put back to where it was gives to the bit what it would have given; a
    real one is checked, because it may have moved.

    Args:
        session: the training session; its position and figures change.
        calibrator: how the bench is calibrated.
        seconds_before: duration of the run until it was interrupted.
        on_twin: trains on the twin, as `labdiff.training.loop.train` does, or by several workers.

    Returns:
        The figures.
    """
    started_s = time.monotonic() - seconds_before
    figures, where = session.figures, session.position
    yield JobStarted("experiment", session.options.all_layer_sets, session.images.description)
    if session.resumed:
        yield from _resume(session, calibrator)
    yield make_checkpoint(session)
    if "mse_wiener" not in figures:
        figures.update(baselines(session))
    yield Measured(dict(figures))

    while where.stage != DONE:
        yield from _stage(session, calibrator, on_twin)
        session.in_progress.clear()
        yield make_checkpoint(session)
        yield Measured(dict(figures))
    figures["frames"] = float(session.calibrated.bench.frames_taken)
    figures["seconds"] = time.monotonic() - started_s
    yield Measured(dict(figures))
    yield make_checkpoint(session)
    return figures


def _stage(session: TrainingSession, calibrator: Calibrator, on_twin: TrainOnTwin) -> Job[None]:
    """Run the session's stage from its position in it, and go to the next one."""
    figures, where = session.figures, session.position
    match where.stage:
        case "offline":
            yield from on_twin(session, "offline")
            where.go_to("offline_on_twin")
        case "offline_on_twin":
            figures["mse_offline_twin"], _ = score(session, "twin")
            if calibrator.any_stored():
                # What it would do without a calibration is not measured on a bench that has one.
                where.go_to("look")
            else:
                where.go_to("first_look", IMAGING)
        case "first_look":
            yield from _calibrate(session, calibrator)
            where.go_to("offline_on_bench")
        case "offline_on_bench":
            figures["mse_offline_bench"], figures["discrepancy_before"] = score(session, "bench")
            where.go_to("calibration", PREDICTION)
        case "look":
            where.go_to("calibration", (yield from calibrator.plan()))
        case "calibration":
            yield from _calibrate(session, calibrator)
            where.go_to("calibrated_on_bench")
        case "calibrated_on_bench":
            figures["mse_calibrated_bench"], _ = score(session, "bench")
            where.go_to("calibrated")
        case "calibrated":
            yield from on_twin(session, "calibrated")
            where.go_to("retrained_on_bench")
        case "retrained_on_bench":
            figures["mse_retrained_bench"], _ = score(session, "bench")
            compared = compared_methods(session.options)
            if compared:
                session.store_starting_layers()
            where.go_to(compared[0] if compared else "online")
        case stage if (method := _compared_method(stage)) is not None:
            if stage == method:
                yield from train(session, method)
                where.go_to(f"{method}{ON_BENCH}")
            else:
                figures[f"mse_{method}_bench"], _ = score(session, "bench")
                session.load_starting_layers()
                compared = compared_methods(session.options)
                after = compared[compared.index(method) + 1 :] if method in compared else ()
                where.go_to(after[0] if after else "online")
        case "online":
            yield from train(session, "online")
            where.go_to("online_on_bench")
        case "online_on_bench":
            figures["mse_online_bench"], figures["discrepancy_after"] = score(session, "bench")
            figures["mse_online_twin"], _ = score(session, "twin")
            where.go_to("generation")
        case "generation":
            if session.options.generated > 0:
                yield from _generate(session)
            where.go_to(DONE)
        case other:
            raise UserError(
                f"its checkpoint is of stage {other!r}, which this version does not know"
            )


def _compared_method(stage: str) -> Method | None:
    """Return the method that is trained or scored in a stage; None in a stage of another kind."""
    name = stage.removesuffix(ON_BENCH)
    return next((method for method in COMPARISONS + PEERS if method == name), None)


def _resume(session: TrainingSession, calibrator: Calibrator) -> Job[None]:
    """Bring the bench to where the checkpoint was made, or check and calibrate it."""
    where = session.position
    if restore_bench(session):
        # What was measured after the checkpoint is measured again.
        calibrator.forget_unfinished()
        return
    session.calibrated.calibrations.clear()
    if where.stage in BEFORE_THE_BENCH:
        return
    yield from calibrator.bring_up_to_date()
    if where.stage in CALIBRATING:
        where.go_to("calibrated_on_bench")


def _calibrate(session: TrainingSession, calibrator: Calibrator) -> Job[None]:
    """Measure the routines that are planned and not done yet, with a checkpoint after each."""
    where = session.position
    with closing(calibrator.measure(where.planned[where.step :])) as job:
        for event in job:
            yield event
            if isinstance(event, Calibrated):
                where.step += 1
                yield make_checkpoint(session)


def _generate(session: TrainingSession) -> Job[None]:
    """Generate images on the bench, and score them by a classifier of digits."""
    count = session.options.generated
    if not session.in_progress:
        yield from fit_tone_curve(session)
    prompts = prompts_in_turn(session, count)
    generation = generate(session, count, "bench", prompts=prompts, progress=session.in_progress)
    with closing(generation):
        for event in generation:
            yield event
            if isinstance(event, GenerationStep) and checkpoint_due(session):
                yield make_checkpoint(session)
    images = torch.from_numpy(session.in_progress["images"]).clamp(-1.0, 1.0)
    if session.options.data == "digits":
        yield StageStarted("scoring the images", 1)
        prompted = None if prompts is None else torch.tensor(session.classes)[prompts]
        session.figures.update(recognised(session.options, images, prompted))
