"""A batch between its submission and its optimiser step, with all that was made of it."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from drivers.errors import DeviceStateError
from labdiff.bench.acquisition_thread import Pace, PendingBatch
from labdiff.bench.measurement import Measurement
from labdiff.bench.snapshot import BenchSnapshot
from labdiff.training.batches import Batch
from twin.alignment_fit import Triples

Fields = tuple[Tensor, Tensor]
"""Inputs (B, h, w) and layers, (N, h, w) for the whole batch or (B, N, h, w)."""


class SubmittedBatch:
    """Images, their encodings, and the bench's measurement, which comes later.

    Attributes:
        batch: the images.
        encoded: inputs and layers with the gradient of the parameters that encode them.
        all_displayed: what the modulators display, pre-compensated, in grey levels, no gradient; probe
            patterns that are measured with the batch come last, and every frame then has its own layers.
        learning_set: the layer set that learns by the batch; None: it is only measured.
    """

    def __init__(
        self,
        batch: Batch,
        encoded: Fields,
        displayed: Fields,
        pending: PendingBatch | None = None,
        learning_set: int | None = None,
    ) -> None:
        self.batch, self.encoded, self.all_displayed = batch, encoded, displayed
        self._pending, self.learning_set = pending, learning_set
        self._count = len(batch.x_t)

    @cached_property
    def displayed(self) -> Fields:
        """Return inputs and layers of the batch's images as displayed, without the probes."""
        inputs, layers = self.all_displayed
        if len(inputs) == self._count:
            return inputs, layers
        shared = self.encoded[1].dim() == 3
        return inputs[: self._count], layers[0] if shared else layers[: self._count]

    @property
    def probes(self) -> Triples | None:
        """Wait for the bench and return the probe frames measured with the batch; None without any."""
        inputs, layers = self.all_displayed
        if len(inputs) == self._count:
            return None
        some = slice(self._count, None)
        clipped, intensity = self.measurement.clipped, self.measurement.intensity
        valid = None if clipped is None else torch.from_numpy(~clipped[some])
        return Triples(inputs[some], layers[some], torch.from_numpy(intensity[some]), valid)

    def straight_through(self) -> Fields:
        """Return inputs and layers with the displayed values and the encoded gradient.

        What is displayed is linear in what is encoded: the gradient is the same, also where the layers
        have moved since they were displayed.
        """
        inputs, layers = (
            encoded + (displayed - encoded).detach()
            for encoded, displayed in zip(self.encoded, self.displayed, strict=True)
        )
        return inputs, layers

    @property
    def pending(self) -> PendingBatch:
        """Return the measurement in progress. Raises DeviceStateError on a twin."""
        if self._pending is None:
            raise DeviceStateError("bench: this batch was not submitted to one")
        return self._pending

    @cached_property
    def measurement(self) -> Measurement:
        """Wait for the bench and return what it measured. Raises what the bench raised."""
        return self.pending.result()

    @property
    def measured(self) -> Tensor:
        """Wait for the bench and return the intensity (B, h, w) that it measured."""
        return self._here(self.measurement.intensity[: self._count])

    @property
    def valid(self) -> Tensor | None:
        """Wait for the bench and return where the camera was not saturated (B, h, w); None: everywhere."""
        clipped = self.measurement.clipped
        return None if clipped is None else self._here(~clipped[: self._count])

    @property
    def noise_floor(self) -> Tensor:
        """Wait for the bench and return the discrepancy (B,) that the frames' own noise makes."""
        return self._here(self.measurement.noise_floor[: self._count])

    def _here(self, measured: np.ndarray) -> Tensor:
        """Return what the bench measured, where the images are."""
        return torch.from_numpy(measured).to(self.batch.x_t.device)

    @property
    def pace(self) -> Pace | None:
        """Return how well the batch used the bench; None on a twin."""
        return None if self._pending is None else self._pending.pace

    @property
    def bench_before(self) -> BenchSnapshot | None:
        """Return the bench's state when it began with the batch; None if it has none, and on a twin."""
        return None if self._pending is None else self._pending.before
