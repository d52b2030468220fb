"""Seconds of a training step by layers, pixels and images, and the model of docs/scaling.md beside them."""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import torch

from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting
from benchmarks.scaling_checks.setting import independent, session_of
from benchmarks.small_benches import small_bench_text
from labdiff.training.batches import draw_batch
from labdiff.training.forward_choice import forward_of
from labdiff.training.loss import training_loss
from labdiff.training.optimiser import LayerOptimiser

FITTED = ((2, 40, 4), (4, 40, 4), (4, 40, 16), (4, 80, 8), (8, 80, 8))
"""Sizes to which the model is fitted: layers, side of a patch in px, images a batch."""
PREDICTED = ((8, 40, 8), (6, 80, 16), (4, 100, 16), (4, 120, 8))


def step_s(layers: int, side_px: int, batch: int, repeats: int) -> float:
    """Return the seconds of the processor for one step, a median: other work on the machine counts less."""
    session = session_of(small_bench_text(side_px, layers), independent(1, 10, batch))
    learner = LayerOptimiser(session.odu, 0, session.options, 0.1, 10)
    forward = forward_of(session, "offline")
    times = []
    for step in range(1 + repeats):
        began_s = time.process_time()
        drawn = draw_batch(session, "offline", 0, step)
        submitted = forward.submit(drawn, 0, learner.phases)
        learner.backward(training_loss(session, submitted, forward(submitted), 0))
        learner.step()
        times.append(time.process_time() - began_s)
    return median(times[1:])


def work(layers: int, side_px: int, batch: int) -> float:
    """Return what the model takes as proportional to time: images x passages x padded pixels x log2."""
    padded = (2 * side_px) ** 2
    return batch * (layers + 1) * padded * float(np.log2(padded))


def measure(setting: Setting) -> Outcome:
    """Fit fixed cost and cost a unit of work on some sizes, and predict others."""
    torch.set_num_threads(1)
    repeats = setting.amount("steps of each size", smoke=1, quick=3, full=7)
    sizes = setting.amount("sizes fitted", smoke=FITTED[:3], quick=FITTED, full=FITTED)
    others = setting.amount(
        "sizes predicted", smoke=PREDICTED[:1], quick=PREDICTED[:2], full=PREDICTED
    )
    fitted = [(work(*size), step_s(*size, repeats)) for size in sizes]
    table = np.array([[1.0 / seconds, amount / seconds] for amount, seconds in fitted])
    # Relative errors are what counts: the sizes differ by a factor of thirty.
    fixed_s, unit_s = np.linalg.lstsq(table, np.ones(len(fitted)), rcond=None)[0]
    wrong, rows = [], []
    for size in others:
        seconds, model_s = step_s(*size, repeats), fixed_s + unit_s * work(*size)
        wrong.append(abs(model_s / seconds - 1.0))
        rows.append({"layers_side_batch": size, "measured_s": seconds, "model_s": model_s})
    figures: dict[str, object] = {
        "fixed_s": float(fixed_s),
        "s_per_unit_of_work": float(unit_s),
        "fitted": [
            {"layers_side_batch": size, "measured_s": seconds}
            for size, (_, seconds) in zip(sizes, fitted, strict=True)
        ],
        "predicted": rows,
    }
    title = "cost of a step: the model's largest error on sizes it was not fitted to"
    return Outcome([claim(title, max(wrong), "<= 0.3")], figures)
