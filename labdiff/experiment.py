"""The main job: from a bench nobody has measured to light that denoises and generates."""

from __future__ import annotations

import time

import torch

from labdiff.calibrate import KeptCalibration, measure_routines
from labdiff.classifier import DigitClassifier
from labdiff.data import load_images
from labdiff.evaluate import baselines, score
from labdiff.events import JobStarted, Measured, StageStarted
from labdiff.generate import generate
from labdiff.learning.loop import train
from labdiff.prompts import classes_of, prompts_in_turn
from labdiff.routines import FIRST_LOOK, REST
from labdiff.runner import Job
from labdiff.session import Session
from labdiff.staleness import bring_up_to_date


def experiment(
    session: Session, seconds_before: float = 0.0, kept: KeptCalibration | None = None
) -> Job[dict[str, float]]:
    """Train offline, see it fail on the bench, calibrate, learn again and online, generate.

    With layers from a file what would be the training offline is not.

    Returns the figures. kept: the bench's calibrations; what is stored and still holds is used, and what
    is measured is stored. Without it all is measured, and nothing kept.

    A resumed session goes on from its position; the bench is looked at anew, because it may have moved
    meanwhile.
    """
    started_s = time.monotonic() - seconds_before
    figures, where = session.figures, session.position
    yield JobStarted("experiment", session.options.layer_sets)
    if "mse_wiener" not in figures:
        figures.update(baselines(session))
    yield Measured(dict(figures))

    if where.stage == "offline":
        yield from train(session, "offline")
        where.stage, where.layer_set, where.step = "offline_on_bench", 0, 0
    if where.stage == "offline_on_bench" and "mse_offline_twin" not in figures:
        figures["mse_offline_twin"], _ = score(session, "twin")
        yield session.checkpoint()

    if kept is not None and kept.any_stored():
        yield from bring_up_to_date(session, kept, needed_only=True)
        if where.stage == "offline_on_bench":
            # What it would do without a calibration is not measured on a bench that has one.
            where.stage = "calibrated"
    else:
        yield from _measured(session, kept, FIRST_LOOK)
        if where.stage == "offline_on_bench":
            figures["mse_offline_bench"], figures["discrepancy_before"] = score(session, "bench")
            where.stage = "calibrated"
            yield Measured(dict(figures))
        yield from _measured(session, kept, REST)
    if "mse_calibrated_bench" not in figures:
        figures["mse_calibrated_bench"], _ = score(session, "bench")

    if where.stage == "calibrated":
        yield from train(session, "calibrated")
        figures["mse_retrained_bench"], _ = score(session, "bench")
        where.stage, where.layer_set, where.step = "online", 0, 0
        yield Measured(dict(figures))
        yield session.checkpoint()
    if where.stage == "online":
        yield from train(session, "online")
        where.stage, where.layer_set, where.step = "scored", 0, 0
        yield session.checkpoint()
    figures["mse_online_bench"], figures["discrepancy_after"] = score(session, "bench")
    figures["mse_online_twin"], _ = score(session, "twin")
    yield Measured(dict(figures))

    if session.options.generated > 0:
        prompts = prompts_in_turn(session, session.options.generated)
        images = yield from generate(session, session.options.generated, "bench", prompts=prompts)
        if session.options.data == "digits":
            yield StageStarted("judging the images", 1)
            figures.update(_recognised(session, images, prompts))
    figures["frames"] = float(session.bench.frames_taken)
    figures["seconds"] = time.monotonic() - started_s
    yield Measured(dict(figures))
    yield session.checkpoint()
    return figures


def _measured(session: Session, kept: KeptCalibration | None, names: tuple[str, ...]) -> Job[None]:
    if kept is None:
        yield from measure_routines(session, names)
    else:
        yield from kept.measure(names)


def _recognised(
    session: Session, images: torch.Tensor, prompts: torch.Tensor | None
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
        asked = torch.tensor(classes_of(session.images))[prompts]
        shares["recognised_as_asked"] = float((classifier.called(images) == asked).float().mean())
    return shares
