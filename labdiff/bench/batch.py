"""A batch of patterns: the inputs, and the layers through which they are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from calibration.layout import PatchLayout

Arrays: TypeAlias = npt.NDArray[np.floating]
ShouldStop: TypeAlias = Callable[[], bool]
"""Function that is asked before each frame; true ends the measurement there."""
NextBatch: TypeAlias = Callable[[], "tuple[Arrays, Arrays] | None"]
"""Function that returns inputs and layers of the next batch; None if there is none, or none known yet."""


@dataclass(frozen=True, slots=True)
class PatternBatch:
    """Inputs (B, h, w) and phases_rad, layers (N, h, w) for all of them or (B, N, h, w).

    Inputs are radians for an SLM patch, amplitude in 0 ... 1 for a DMD.
    """

    inputs: Arrays
    phases_rad: Arrays

    def __len__(self) -> int:
        """Return the number of inputs."""
        return len(self.inputs)

    @property
    def layers_differ(self) -> bool:
        """True if each input has layers of its own."""
        return self.phases_rad.ndim == 4

    def layers(self, index: int) -> Arrays:
        """Return the layers (N, h, w) of one input."""
        return self.phases_rad[index] if self.layers_differ else self.phases_rad

    def panel(self, index: int, layout: PatchLayout) -> npt.NDArray[np.float32]:
        """Return what an SLM that also writes the input displays for it, (height, width)."""
        return layout.panel(np.concatenate([self.inputs[index][None], self.layers(index)]))
