"""The main job: from a bench nobody has measured to light that denoises and generates."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import TypeAlias

import torch

from labdiff.calibrations.archived import ArchivedCalibration, measure_routines
from labdiff.calibrations.routines import IMAGING, PREDICTION
from labdiff.calibrations.validity import bring_up_to_date, what_to_measure
from labdiff.data.image_set import load_images
from labdiff.errors import UserError
from labdiff.events import Calibrated, GenerationStep, JobStarted, Measured, StageStarted
from labdiff.generation.denoise import baselines, score
from labdiff.generation.sample import generate
from labdiff.job import Job
from labdiff.metrics.digit_classifier import DigitClassifier
from labdiff.session.checkpoint import checkpoint_due, make_checkpoint, restore_bench
from labdiff.session.class_prompts import prompts_in_turn
from labdiff.session.training_session import TrainingSession
from labdiff.training.loop import train
from labdiff.training.methods import Method

LearnOnTwin: TypeAlias = Callable[[TrainingSession, Method], Job[None]]
DONE = "done"
BEFORE_THE_BENCH = ("offline", "offline_on_twin")
CALIBRATING = ("first_look", "offline_on_bench", "look", "calibration")


def experiment(
    session: TrainingSession,
    seconds_before: float = 0.0,
    kept: ArchivedCalibration | None = None,
    on_twin: LearnOnTwin = train,
) -> Job[dict[str, float]]:
    """Train offline, see it fail on the bench, calibrate, learn again and online, generate.

    With layers from a file what would be the training offline is not.

    Returns the figures. kept: the bench's calibrations; what is stored and still holds is used, and what
    is measured is stored. Without it all is measured, and nothing kept. on_twin: trains on the twin, as
    `labdiff.training.loop.train` does, or by several workers.

    A resumed session goes on from its position. A bench that can be put back to where it was then gives
    to the bit what it would have given; a real one is looked at anew, because it may have moved.
    """
    started_s = time.monotonic() - seconds_before
    figures, where = session.figures, session.position
    yield JobStarted("experiment", session.options.layer_sets)
    if session.resumed:
        yield from _take_up(session, kept)
    yield make_checkpoint(session)
    if "mse_wiener" not in figures:
        figures.update(baselines(session))
    yield Measured(dict(figures))

    while where.stage != DONE:
        yield from _stage(session, kept, on_twin)
        session.in_progress.clear()
        yield make_checkpoint(session)
        yield Measured(dict(figures))
    figures["frames"] = float(session.calibrated.bench.frames_taken)
    figures["seconds"] = time.monotonic() - started_s
    yield Measured(dict(figures))
    yield make_checkpoint(session)
    return figures


def _stage(
    session: TrainingSession, kept: ArchivedCalibration | None, on_twin: LearnOnTwin
) -> Job[None]:
    """The stage at which the session is, from where it is in it; the session is then at the next."""
    figures, where = session.figures, session.position
    match where.stage:
        case "offline":
            yield from on_twin(session, "offline")
            where.go_to("offline_on_twin")
        case "offline_on_twin":
            figures["mse_offline_twin"], _ = score(session, "twin")
            if kept is not None and kept.any_stored():
                # What it would do without a calibration is not measured on a bench that has one.
                where.go_to("look")
            else:
                where.go_to("first_look", IMAGING)
        case "first_look":
            yield from _calibrated(session, kept)
            where.go_to("offline_on_bench")
        case "offline_on_bench":
            figures["mse_offline_bench"], figures["discrepancy_before"] = score(session, "bench")
            where.go_to("calibration", PREDICTION)
        case "look":
            assert kept is not None
            plan, _ = yield from what_to_measure(session.calibrated, kept, needed_only=True)
            where.go_to("calibration", plan)
        case "calibration":
            yield from _calibrated(session, kept)
            where.go_to("calibrated_on_bench")
        case "calibrated_on_bench":
            figures["mse_calibrated_bench"], _ = score(session, "bench")
            where.go_to("calibrated")
        case "calibrated":
            yield from on_twin(session, "calibrated")
            where.go_to("retrained_on_bench")
        case "retrained_on_bench":
            figures["mse_retrained_bench"], _ = score(session, "bench")
            where.go_to("online")
        case "online":
            yield from train(session, "online")
            where.go_to("online_on_bench")
        case "online_on_bench":
            figures["mse_online_bench"], figures["discrepancy_after"] = score(session, "bench")
            figures["mse_online_twin"], _ = score(session, "twin")
            where.go_to("generation")
        case "generation":
            if session.options.generated > 0:
                yield from _generated(session)
            where.go_to(DONE)
        case other:
            raise UserError(
                f"its checkpoint is of stage {other!r}, which this version does not know"
            )


def _take_up(session: TrainingSession, kept: ArchivedCalibration | None) -> Job[None]:
    """Be where the checkpoint was made, with a bench of which is known where it is."""
    where = session.position
    if restore_bench(session):
        if kept is not None:
            # What was measured after the checkpoint is measured again.
            kept.forget_unfinished()
        return
    session.calibrated.calibrations.clear()
    if where.stage in BEFORE_THE_BENCH:
        return
    if kept is not None:
        yield from bring_up_to_date(session.calibrated, kept, needed_only=True)
    else:
        yield from measure_routines(session.calibrated)
    if where.stage in CALIBRATING:
        where.go_to("calibrated_on_bench")


def _calibrated(session: TrainingSession, kept: ArchivedCalibration | None) -> Job[None]:
    """The routines that are planned and not done yet, with a checkpoint after each."""
    names = session.position.planned[session.position.step :]
    job = measure_routines(session.calibrated, names) if kept is None else kept.measure(names)
    with closing(job):
        for event in job:
            yield event
            if isinstance(event, Calibrated):
                session.position.step += 1
                yield make_checkpoint(session)


def _generated(session: TrainingSession) -> Job[None]:
    """Images by the bench, and what a classifier says of them."""
    count = session.options.generated
    prompts = prompts_in_turn(session, count)
    drawing = generate(session, count, "bench", prompts=prompts, progress=session.in_progress)
    with closing(drawing):
        for event in drawing:
            yield event
            if isinstance(event, GenerationStep) and checkpoint_due(session):
                yield make_checkpoint(session)
    images = torch.from_numpy(session.in_progress["images"]).clamp(-1.0, 1.0)
    if session.options.data == "digits":
        yield StageStarted("judging the images", 1)
        session.figures.update(_recognised(session, images, prompts))


def _recognised(
    session: TrainingSession, images: torch.Tensor, prompts: torch.Tensor | None
) -> dict[str, float]:
    """Shares that a classifier, trained on all ten classes of real digits, is sure of.

    And, where classes were asked for, the share that it calls what they were asked to be.
    """
    options = session.options
    real = load_images(options.data, options.image_size, (), None, options.seed)
    classifier = DigitClassifier(real.train, real.train_labels, options.seed)
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(options.seed))
    shares = {
        "recognised_generated": classifier.share_recognised(images),
        "recognised_real": classifier.share_recognised(real.test),
        "recognised_noise": classifier.share_recognised(noise),
    }
    if prompts is not None:
        asked = torch.tensor(session.classes)[prompts]
        shares["recognised_as_asked"] = float((classifier.classify(images) == asked).float().mean())
    return shares
