"""Zernike polynomials against their definition."""

from __future__ import annotations

import math

import torch

from twin.zernike import zernike

COUNT = 15


def disc() -> tuple[torch.Tensor, torch.Tensor]:
    axis = (torch.arange(600, dtype=torch.float64) + 0.5) / 300.0 - 1.0
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    inside = y.square() + x.square() <= 1.0
    return y[inside], x[inside]


def test_they_are_orthonormal_over_the_disc() -> None:
    modes = zernike(range(COUNT), *disc())
    products = modes @ modes.T / modes.shape[1]
    assert float((products - torch.eye(COUNT)).abs().max()) < 0.01


def test_the_low_orders_are_what_textbooks_print() -> None:
    y, x = disc()
    squared = x.square() + y.square()
    printed = {
        1: 2.0 * y,
        2: 2.0 * x,
        3: math.sqrt(6.0) * 2.0 * x * y,
        4: math.sqrt(3.0) * (2.0 * squared - 1.0),
        5: math.sqrt(6.0) * (x.square() - y.square()),
        7: math.sqrt(8.0) * (3.0 * squared - 2.0) * y,
        8: math.sqrt(8.0) * (3.0 * squared - 2.0) * x,
        12: math.sqrt(5.0) * (6.0 * squared.square() - 6.0 * squared + 1.0),
    }
    for index, wanted in printed.items():
        assert torch.allclose(zernike((index,), y, x)[0], wanted, atol=1e-12), index
