"""Small training sessions, and one step of theirs as the loop makes it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from drivers.phase_quantiser import PhaseQuantiser
from labdiff.config.bench import bench_text, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from labdiff.training.batch_queue import BatchQueue
from labdiff.training.forward import TwinForward
from labdiff.training.loss import training_loss
from labdiff.training.optimiser import LayerOptimiser

CONFIG = parse_bench(
    bench_text("mock")[1]
    .replace("patch_shape = [100, 100]", "patch_shape = [40, 40]")
    .replace("waist_mm = 0.60", "waist_mm = 0.25")
    .replace("z_gap_mm = 5.7 ", "z_gap_mm = 1.0 "),
    "small bench",
)
FOUND = {
    "stroke_percent": 0.5,
    "crosstalk_px": 0.4,
    "output_shift_px": 0.3,
    "mirror_edge_px": 2.0,
    "zero_order_percent": 1.0,
}
DESIGNS: dict[str, dict[str, Any]] = {
    "plain": {},
    "noise": {"prediction": "epsilon"},
    "mixture": {"prediction": "preconditioned", "layers": "data"},
    "prompts": {"prompt": True, "classes": (0, 1, 2), "image_size": 8},
    "halves": {"writing": "differential", "detection": "differential", "cells": "soft"},
}


"""Options that take other ways through unit and twin."""


def small_session(design: str, calibrated: bool, quantised: bool) -> TrainingSession:
    """Return a session whose steps take milliseconds.

    Args:
        design: of the unit, one of DESIGNS.
        calibrated: whether the twin deviates from the data sheet in all that has a way of its own.
        quantised: whether layers are displayed in an SLM's grey levels.
    """
    quantiser = PhaseQuantiser(8) if quantised else None
    options = TrainingOptions(layer_sets=2, batch=4, offline_steps=3, **DESIGNS[design])
    session = TrainingSession.create(CalibratedBench(CONFIG, None, quantiser), options)
    if calibrated:
        twin = session.calibrated.twin
        values = twin.state_dict()
        values |= {name: torch.full_like(values[name], value) for name, value in FOUND.items()}
        twin.load_alignment(values)
        session.calibrated.precompensate()
    return session


def training_step(
    session: TrainingSession,
    forward: TwinForward,
    optimiser: LayerOptimiser,
    queue: BatchQueue,
    step: int,
) -> Tensor:
    """Make one step as `labdiff.training.loop` does, but for its report; return the loss.

    Args:
        session: the unit and its images.
        forward: the forward pass.
        optimiser: of the layer set.
        queue: of the batches.
        step: of the layer set.
    """
    queue.submit(step)
    submitted = queue.collect()
    result = forward(submitted)
    loss = training_loss(session, submitted, result, optimiser.layer_set)
    optimiser.backward(loss)
    refinement = forward.refine(submitted, result)
    optimiser.step(trusted=refinement.trusted)
    queue.encode_again()
    return loss
