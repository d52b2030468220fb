"""Which class is asked for: from class numbers to the block of the strip that is bright."""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.data.image_set import ImageSet
from labdiff.errors import UserError
from labdiff.session.session import Session
from twin.input_layout import NO_PROMPT

LEFT_OUT = 0.1
"""Share of training images without a prompt, so that light learns to do without (Ho & Salimans 2022)."""


def classes_of(images: ImageSet) -> list[int]:
    """Class numbers of the training images, in order: class number k of them has block k."""
    return sorted(set(images.train_labels.tolist()))


def prompts_of(session: Session, labels: Tensor) -> Tensor | None:
    """Blocks (B,) for class numbers (B,); None where the session writes no prompts."""
    if not session.options.prompt:
        return None
    return torch.searchsorted(torch.tensor(classes_of(session.images)), labels)


def prompts_for_training(session: Session, labels: Tensor, rng: torch.Generator) -> Tensor | None:
    """The same, left out for a tenth of the images. Nothing is drawn where there are no prompts."""
    prompts = prompts_of(session, labels)
    if prompts is None:
        return None
    left_out = torch.rand(prompts.shape, generator=rng) < LEFT_OUT
    return prompts.masked_fill(left_out, NO_PROMPT)


def prompts_for_class(session: Session, label: int, count: int) -> Tensor:
    """One class for all of `count` images. Raises UserError if it cannot be asked for."""
    if not session.options.prompt:
        raise UserError(
            f"--class {label}: these layers were trained without prompts; "
            "train others with: labdiff train --prompt"
        )
    classes = classes_of(session.images)
    if label not in classes:
        known = ", ".join(map(str, classes))
        raise UserError(f"--class {label}: no class of this run; it has {known}")
    return torch.full((count,), classes.index(label))


def prompts_in_turn(session: Session, count: int) -> Tensor | None:
    """Every class as often as the others, to within one image; None where there are no prompts."""
    if not session.options.prompt:
        return None
    return torch.arange(count) % len(classes_of(session.images))
