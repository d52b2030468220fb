"""The SLM's grey levels where a GPU computes: the table of `drivers.phase_quantiser`, held there."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


class DisplayTable:
    """The phases that an SLM displays, for phases on any device; its table is sent there once."""

    def __init__(self) -> None:
        self._source: npt.NDArray[np.float32] | None = None
        self._table: Tensor | None = None

    def realised(self, phases: Tensor, table: npt.NDArray[np.float32]) -> Tensor:
        """Return the phases that are displayed for these, of the same shape, rad.

        Args:
            phases: as requested, rad.
            table: phase of each of equal steps of a turn, as `PhaseQuantiser.realised_by_step` has it.
        """
        held = self._table
        if held is None or table is not self._source or held.device != phases.device:
            held = self._table = torch.from_numpy(table).to(phases.device)
            self._source = table
        turns = phases * (0.5 / math.pi)
        step = ((turns - turns.floor()) * len(held)).to(torch.int64)
        # The last index is met by a phase a hair below a whole turn.
        return held[step.clamp_max(len(held) - 1)]
