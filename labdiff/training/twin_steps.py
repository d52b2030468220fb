"""Steps on the refined twin, without a frame, between two batches of the bench."""

from __future__ import annotations

import torch

from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import draw_batch
from labdiff.training.forward import ForwardResult, TwinForward
from labdiff.training.loss import training_loss
from labdiff.training.optimiser import LayerOptimiser
from labdiff.training.submitted_batch import SubmittedBatch
from twin.frame_light import frame_light

FIRST_STEP = 500_000
"""Number of the first batch for a twin: smaller ones are measured by the bench."""


def step_on_twin(
    session: TrainingSession, optimiser: LayerOptimiser, submitted: SubmittedBatch, step: int
) -> None:
    """Make as many steps on the twin as it is now as the options say after each step on the bench.

    The rate is that of the step on the bench. Frames pay off more often: each refines the twin, and the
    twin then leads the layers on, by images of their own. Its light is brought to the bench's by the line
    through the latest frames: layers would else learn another unit of intensity than they are read in.

    Args:
        session: the images, the unit and the twin.
        optimiser: of the layer set.
        submitted: the batch that the bench measured in this step.
        step: of the layer set, on the bench.
    """
    count = session.options.twin_steps
    if not count:
        return
    forward, twin = TwinForward(session), session.calibrated.twin
    with torch.no_grad():
        light = frame_light(submitted.measured, twin(*submitted.displayed), submitted.valid)
    scale, offset = float(light.scale.mean()), float(light.offset.mean())
    for number in range(FIRST_STEP + step * count, FIRST_STEP + (step + 1) * count):
        batch = draw_batch(session, "online", optimiser.layer_set, number)
        drawn = forward.submit(batch, optimiser.layer_set, optimiser.phases)
        modelled = scale * twin(*drawn.straight_through()) + offset
        result = ForwardResult(modelled, modelled.detach(), modelled.detach())
        optimiser.backward(training_loss(session, drawn, result, optimiser.layer_set))
        optimiser.step(scheduled=False)
