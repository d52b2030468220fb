"""What each batch of frames tells of the twin while training goes on: `look` after every measurement."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from twin.digital_twin import DigitalTwin
from twin.discrepancy import discrepancy
from twin.refine import OnlineRefiner
from twin.track import track_drift

FRAMES_FOLLOWED = 4


@dataclass(frozen=True, slots=True)
class Look:
    """What one batch told.

    discrepancy: mean D of its frames, before anything was changed. noise_floor: the D that a perfect twin
    would show, NaN if the frames' noise is not known. refined: the twin was changed. sudden: the bench is
    no longer the one that it was a few batches ago.
    """

    discrepancy: float
    noise_floor: float
    refined: bool
    sudden: bool


class Refinement:
    """Keeps a twin true to a bench that drifts. Deterministic; `state` is all that it remembers."""

    def __init__(self, twin: DigitalTwin) -> None:
        self.twin = twin
        self._refiner = OnlineRefiner(twin)

    def look(
        self, inputs: Tensor, layers: Tensor, measured: Tensor, noise_floor: Tensor, now_s: float
    ) -> Look:
        """Inputs (B, h, w) and layers ([B,] N, h, w) as written, and the bench's answer (B, h, w).

        noise_floor (B,): as `labdiff.bench.Frames` has it. now_s: the bench's clock.
        """
        with torch.no_grad():
            d = float(discrepancy(measured, self.twin(inputs, layers)).mean())
        floor = float(noise_floor.mean())
        self._refiner.step(inputs, layers, measured)
        few = slice(FRAMES_FOLLOWED)
        followed = layers[few] if layers.dim() == 4 else layers
        track_drift(self.twin, inputs[few], followed, measured[few])
        return Look(d, floor, refined=True, sudden=False)

    def deviation(self) -> dict[str, float]:
        """One standard deviation of each of the alignment's values, names as `DigitalTwin.alignment`."""
        return {}

    def state(self) -> dict[str, Tensor]:
        """All that a resumed training needs beside the twin's own parameters."""
        values: dict[str, Tensor] = {}
        for index, kept in self._refiner.optimiser.state_dict()["state"].items():
            values |= {f"{index}.{name}": value.clone() for name, value in kept.items()}
        return values

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave. Raises KeyError if it is another twin's."""
        whole = self._refiner.optimiser.state_dict()
        whole["state"] = {}
        for name, value in state.items():
            index, part = name.split(".")
            whole["state"].setdefault(int(index), {})[part] = value.clone()
        self._refiner.optimiser.load_state_dict(whole)
