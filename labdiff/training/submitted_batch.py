"""A batch between its submission and its optimiser step, with all that was made of it."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from drivers.errors import DeviceStateError
from labdiff.bench.acquisition_thread import Pace, PendingBatch
from labdiff.bench.measurement import Measurement
from labdiff.bench.snapshot import BenchSnapshot
from labdiff.training.batches import Batch

Fields = tuple[Tensor, Tensor]
"""Inputs (B, h, w) and layers, (N, h, w) for the whole batch or (B, N, h, w)."""


class SubmittedBatch:
    """Images, their encodings, and the bench's measurement, which comes later.

    Attributes:
        batch: the images.
        encoded: inputs and layers with the gradient of the parameters that encode them.
        displayed: the same as the modulators display them: pre-compensated, in grey levels, no gradient.
    """

    def __init__(
        self, batch: Batch, encoded: Fields, displayed: Fields, pending: PendingBatch | None = None
    ) -> None:
        self.batch, self.encoded, self.displayed = batch, encoded, displayed
        self._pending = pending

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
        return torch.from_numpy(self.measurement.intensity)

    @property
    def valid(self) -> Tensor | None:
        """Wait for the bench and return where the camera was not saturated (B, h, w); None: everywhere."""
        clipped = self.measurement.clipped
        return None if clipped is None else torch.from_numpy(~clipped)

    @property
    def noise_floor(self) -> Tensor:
        """Wait for the bench and return the discrepancy (B,) that the frames' own noise makes."""
        return torch.from_numpy(self.measurement.noise_floor)

    @property
    def pace(self) -> Pace | None:
        """Return how well the batch used the bench; None on a twin."""
        return None if self._pending is None else self._pending.pace

    @property
    def bench_before(self) -> BenchSnapshot | None:
        """Return the bench's state when it began with the batch; None if it has none, and on a twin."""
        return None if self._pending is None else self._pending.before
