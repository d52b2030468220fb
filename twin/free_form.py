"""The twin's free-form part: a phase of each pixel of the SLM, and a coherent stray field on the sensor.

It stands for what no alignment parameter describes: phase noise of the panel, fringing that depends on the
pattern, reflections that meet no pattern.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from twin.parameters import FREE_FORM_PARAMETERS


class FreeFormModule(nn.Module):
    """A module that has the free-form part as buffers: not there at first, and then of no cost.

    They are buffers and not parameters since a vector of all parameters has a covariance, which thousands
    of pixels cannot have.
    """

    def __init__(self, layers: int, patches: int, patch_shape: tuple[int, int]) -> None:
        super().__init__()
        self._free_form_sizes = {
            record.name: record.sizes(layers, patches, patch_shape)
            for record in FREE_FORM_PARAMETERS
        }
        self.set_free_form({})

    @property
    def free_form(self) -> dict[str, Tensor]:
        """Return the free-form part, by the names of FREE_FORM_PARAMETERS; empty if there is none."""
        return {n: v for n in self._free_form_sizes if (v := self._buffers[n]) is not None}

    def set_free_form(self, values: Mapping[str, Tensor]) -> None:
        """Have these tensors, and no others, as the free-form part; gradients reach them.

        Raises ValueError if one is not of its record's shape.
        """
        for name, sizes in self._free_form_sizes.items():
            found = values.get(name)
            if found is not None and tuple(found.shape) != sizes:
                raise ValueError(f"{name} is of shape {tuple(found.shape)}, not {sizes}")
            self.register_buffer(name, found)

    def no_free_form(self) -> dict[str, Tensor]:
        """Return a free-form part that changes nothing."""
        return {name: torch.zeros(sizes) for name, sizes in self._free_form_sizes.items()}


def parted(values: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the free-form part of a twin's values by name, and all others."""
    names = {record.name for record in FREE_FORM_PARAMETERS}
    free_form = {name: value for name, value in values.items() if name in names}
    return free_form, {name: value for name, value in values.items() if name not in names}


def stray_field(stray_percent: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return the stray field (h, w), complex, in units of the source's root mean square.

    Args:
        stray_percent: (K, K, 2), real and imaginary part of the weight of each product of a cosine along
            y and one along x, of 0 ... K - 1 half waves over the plane.
        shape: (h, w), samples of the field.
    """
    weights = torch.complex(stray_percent[..., 0], stray_percent[..., 1]) / 100.0
    along_y, along_x = (
        _cosines(len(stray_percent), size, stray_percent.device).to(weights.dtype) for size in shape
    )
    field: Tensor = along_y.mT @ weights @ along_x
    return field


def _cosines(count: int, size: int, device: torch.device) -> Tensor:
    """Return cos(pi k (n + 1/2) / size), (count, size)."""
    place = (torch.arange(size, device=device) + 0.5) / size
    return torch.cos(math.pi * torch.arange(count, device=device)[:, None] * place)
