"""Class prompts: from class numbers to the block of the strip that is bright."""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.errors import UserError
from labdiff.session.denoiser import Denoiser
from twin.input_layout import NO_PROMPT

LEFT_OUT = 0.1
"""Share of training images without a prompt, so that the unit also denoises without one (Ho & Salimans
2022)."""


def prompts_of(denoiser: Denoiser, labels: Tensor) -> Tensor | None:
    """Return the blocks (B,) of class numbers (B,); None where the unit has no prompts."""
    if not denoiser.classes:
        return None
    return torch.searchsorted(denoiser.class_numbers.to(labels.device), labels)


def prompts_for_training(denoiser: Denoiser, labels: Tensor, rng: torch.Generator) -> Tensor | None:
    """Return the blocks (B,) of class numbers with no prompt for a tenth of the images.

    Args:
        denoiser: Its unit; where nothing is written beside images, None is returned and nothing drawn.
        labels: (B,) class numbers.
        rng: Draws the images that are left without a prompt.
    """
    prompts = prompts_of(denoiser, labels)
    if prompts is None or not denoiser.odu.layout.prompts:
        return None
    left_out = torch.rand(prompts.shape, generator=rng, device=labels.device) < LEFT_OUT
    return prompts.masked_fill(left_out, NO_PROMPT)


def prompts_for_class(denoiser: Denoiser, label: int, count: int) -> Tensor:
    """Return the block of one class for every image.

    Args:
        denoiser: Its unit.
        label: The class number.
        count: Number of images.

    Raises:
        UserError: The class cannot be prompted.
    """
    if not denoiser.classes:
        raise UserError(
            f"--class {label}: these layers were trained without prompts; "
            "train others with: labdiff train --prompt"
        )
    if label not in denoiser.classes:
        known = ", ".join(map(str, denoiser.classes))
        raise UserError(f"--class {label}: no class of this run; it has {known}")
    return torch.full((count,), denoiser.classes.index(label))


def prompts_in_turn(denoiser: Denoiser, count: int) -> Tensor | None:
    """Return every class equally often, to within one image; None where there are no prompts."""
    if not denoiser.classes:
        return None
    return torch.arange(count) % len(denoiser.classes)
