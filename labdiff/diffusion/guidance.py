"""Classifier-free guidance: a class is followed more closely than the trained prediction does."""

from __future__ import annotations

from torch import Tensor


def guided(unconditional: Tensor, conditional: Tensor, weight: float) -> Tensor:
    """Return eps_u + w (eps_c - eps_u), (B, H, W): classifier-free guidance (Ho & Salimans 2022).

    Their w is less by one.

    Example:
        noise = guided(predict(x, no_class), predict(x, digit), weight=1.5)

    Args:
        unconditional: the noise predicted without a prompt, eps_u, (B, H, W).
        conditional: the noise predicted with the prompt, eps_c, (B, H, W).
        weight: 0: as without a prompt; 1: as trained with the prompt; above 1: further from no prompt.
    """
    return unconditional + weight * (conditional - unconditional)
