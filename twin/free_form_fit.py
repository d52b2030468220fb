"""Learn a twin's free-form part from a sliding window of frames, by stochastic gradient."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from twin.alignment_fit import Triples
from twin.digital_twin import DigitalTwin
from twin.discrepancy import centred
from twin.parameters import FREE_FORM_PARAMETERS

FRAMES = 8
"""Most frames of one batch of the window that a step of the fit takes."""
RATE = 0.1
"""Step of each value at first, in its prior sigmas."""
DECAY = 0.05
"""Share of the rate that goes with each batch, down to LEAST_RATE of it: what is left then is tracking."""
LEAST_RATE = 0.1
BETAS = (0.9, 0.99)
"""Decay rates of the two means of Adam (Kingma & Ba 2015)."""
MEANS = ("exp_avg", "exp_avg_sq")
"""Names of the two means in the optimiser's state."""


class FreeFormFit:
    """The free-form part of a twin as the latest frames and its prior have it (maximum a posteriori).

    Minimised is the squared residual of frames over the variance of their pixels, and the square of each
    value over its prior sigma. Other than in the alignment's fit, frames are compared by their absolute
    light: layers are learnt by it, and stray light is light. One step of Adam takes one batch of
    the window: its frames have their layers in common, which makes it cheap.
    """

    def __init__(self, twin: DigitalTwin, frames: int) -> None:
        """Begin with a part that changes nothing.

        Args:
            twin: gives intensities; its own free-form part is left as it is.
            frames: the latest that the window holds.
        """
        self._twin, self._most = twin, frames
        self._window: deque[Triples] = deque()
        self._sigma = {record.name: record.prior_sigma for record in FREE_FORM_PARAMETERS}
        self.forget()

    def forget(self) -> None:
        """Begin again."""
        self._begin(self._twin.free_form or self._twin.no_free_form())
        self._steps, self._batches = 0, 0
        self._window.clear()

    def _begin(self, values: Mapping[str, Tensor]) -> None:
        """Let the optimiser move copies of these values, from rest."""
        self._values = {name: value.clone().requires_grad_() for name, value in values.items()}
        groups = [{"params": [value], "name": name} for name, value in self._values.items()]
        self._optimiser = torch.optim.Adam(groups, betas=BETAS, eps=1e-12)
        for value in self._values.values():
            nothing = {mean: torch.zeros_like(value) for mean in MEANS}
            self._optimiser.state[value] = {"step": torch.tensor(0.0), **nothing}

    @property
    def values(self) -> dict[str, Tensor]:
        """Return the free-form part by name, which the twin may have or not."""
        return {name: value.detach().clone() for name, value in self._values.items()}

    def forget_frames(self) -> None:
        """Forget the window and keep the values."""
        self._window.clear()

    @property
    def frames(self) -> int:
        """Return the number of frames in the window."""
        return sum(len(batch.inputs) for batch in self._window)

    def add(self, batch: Triples) -> None:
        """Add the frames of a batch; layers that all of them share are (1, N, h, w)."""
        self._window.append(batch)
        self._batches += 1
        while self.frames > self._most and len(self._window) > 1:
            self._window.popleft()

    def improve(self, steps: int) -> None:
        """Make some steps of the values, each by one batch of the window; the latest batch comes first."""
        left = max(1.0 - DECAY * self._batches, LEAST_RATE)
        for _ in range(steps):
            self._steps += 1
            turn = self._steps % (2 * len(self._window))
            # Every other step the latest batch, whose layers are those that are being learnt.
            index = -1 if turn % 2 else turn // 2
            self._step(_some(self._window[index], self._steps), left)

    def missed(self, frames: Triples, with_values: bool) -> float:
        """Return half the mean squared residual of frames, with the values or without a free-form part."""
        before = self._twin.free_form
        self._twin.set_free_form(self._values if with_values else {})
        with torch.no_grad():
            residual = _residual(frames, self._twin(frames.inputs, _shared(frames)))
        self._twin.set_free_form(before)
        return 0.5 * float(residual.square().sum()) / len(residual)

    def state(self) -> dict[str, Tensor]:
        """Return all that resuming needs."""
        stored = {"counts": torch.tensor([self._steps, self._batches, len(self._window)])}
        for name, value in self._values.items():
            stored[f"value.{name}"] = value.detach()
            stored |= {f"{mean}.{name}": self._optimiser.state[value][mean] for mean in MEANS}
        for number, batch in enumerate(self._window):
            stored[f"{number}.inputs"], stored[f"{number}.phases"] = batch.inputs, batch.phases
            stored[f"{number}.intensity"] = batch.intensity
            if batch.valid is not None:
                stored[f"{number}.valid"] = batch.valid
        return {name: value.clone() for name, value in stored.items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Resume from what `state` gave. Raises KeyError if something is missing."""
        self._steps, self._batches, batches = (int(n) for n in state["counts"])
        self._begin({name: state[f"value.{name}"] for name in self._sigma})
        for name, value in self._values.items():
            own = self._optimiser.state[value]
            own["step"] = torch.tensor(float(self._steps))
            own.update({mean: state[f"{mean}.{name}"].clone() for mean in MEANS})
        self._window.clear()
        for number in range(batches):
            inputs, phases, intensity = (
                state[f"{number}.{name}"].clone() for name in ("inputs", "phases", "intensity")
            )
            valid = state.get(f"{number}.valid")
            self._window.append(
                Triples(inputs, phases, intensity, None if valid is None else valid.bool())
            )

    def _step(self, batch: Triples, rate: float) -> None:
        before = self._twin.free_form
        self._twin.set_free_form(self._values)
        residual = _residual(batch, self._twin(batch.inputs, _shared(batch)))
        self._twin.set_free_form(before)
        misfit = 0.5 * residual.square().sum() / len(residual)
        variance = float(residual.detach().square().mean())
        # The gradient of these values alone: those of the twin's parameters are somebody else's.
        slopes = torch.autograd.grad(misfit, list(self._values.values()))
        for group, slope in zip(self._optimiser.param_groups, slopes, strict=True):
            sigma, (value,) = self._sigma[group["name"]], group["params"]
            group["lr"] = RATE * sigma * rate
            value.grad = slope + variance / sigma**2 / self.frames * value.detach()
        self._optimiser.step()


def _residual(frames: Triples, modelled: Tensor) -> Tensor:
    """Return modelled - measured (B, h, w), over the norm of the measured frame without its mean."""
    norm = centred(frames.intensity, frames.valid).flatten(1).norm(dim=1)
    residual: Tensor = (modelled - frames.intensity) / norm.clamp_min(1e-12)[:, None, None]
    return residual if frames.valid is None else residual * frames.valid


def _some(batch: Triples, turn: int) -> Triples:
    """Return FRAMES frames of a batch, others at each turn."""
    count = len(batch.inputs)
    if count <= FRAMES:
        return batch
    chosen = (torch.arange(FRAMES) + turn * FRAMES) % count
    phases = batch.phases if len(batch.phases) == 1 else batch.phases[chosen]
    valid = None if batch.valid is None else batch.valid[chosen]
    return replace(
        batch,
        inputs=batch.inputs[chosen],
        phases=phases,
        intensity=batch.intensity[chosen],
        valid=valid,
    )


def _shared(batch: Triples) -> Tensor:
    """Return the layers, (N, h, w) if all frames share them, else (B, N, h, w)."""
    return batch.phases[0] if len(batch.phases) == 1 else batch.phases
