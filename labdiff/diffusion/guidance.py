"""Classifier-free guidance: more of what the class says than training taught."""

from __future__ import annotations

from torch import Tensor


def guided(unasked: Tensor, asked: Tensor, weight: float) -> Tensor:
    """eps_unasked + w (eps_asked - eps_unasked), all (B, H, W): Ho & Salimans 2022.

    unasked: the noise predicted without a prompt; asked: with it. weight 0: no prompt; 1: the prompt as it
    was trained; above 1: further the same way. (Their w is less by one.)
    """
    return unasked + weight * (asked - unasked)
