"""Amplitude and phase of super-pixels from their interference, and smooth maps through them."""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre

Array = npt.NDArray[np.float64]
Fields = npt.NDArray[np.complex128]
ROUNDS = 8
HIGHEST_ORDER = 10
WORTH = 0.98
"""A higher order is taken if it brings the held-out error below this share of the best so far."""


def common_reference(fringes: Fields, templates: Fields) -> tuple[Fields, Fields, Array]:
    """Fit fringes (K, X) = t_k template_k(x) conj(R(x)): t (K,), R (X,), and the deviation of t (K,).

    The reference R is whatever else is on the camera: it need not be known, only stand still. Least
    squares by turns, from the strongest singular vector.
    """
    aligned = fringes * templates.conj()
    _, vectors = np.linalg.eigh(aligned @ aligned.conj().T)
    factors: Fields = vectors[:, -1]
    reference: Fields = np.zeros(fringes.shape[1], np.complex128)
    for _ in range(ROUNDS):
        model = factors[:, None] * templates
        reference = (model * fringes.conj()).sum(axis=0)
        reference /= np.maximum((np.abs(model) ** 2).sum(axis=0), 1e-30)
        model = templates * reference.conj()
        power = np.maximum((np.abs(model) ** 2).sum(axis=1), 1e-30)
        factors = (fringes * model.conj()).sum(axis=1) / power
    missed = fringes - factors[:, None] * templates * reference.conj()
    # Each of a complex number's two parts has half of the missing power.
    sigma = np.sqrt((np.abs(missed) ** 2).mean(axis=1) / 2.0 / power)
    scale = 1.0 / np.abs(factors).max()
    return factors * scale, reference / scale, np.asarray(sigma * scale)


def unwrap(phase: Array, weight: Array) -> Array:
    """Return a phase (h, w) without jumps, surest places first (Herraez 2002); NaN: not known."""
    result = np.full(phase.shape, np.nan)
    start = np.unravel_index(
        int(np.nanargmax(np.where(np.isnan(phase), -1.0, weight))), phase.shape
    )
    first = int(start[0]), int(start[1])
    queue = [(0.0, *first, float(phase[first]))]
    while queue:
        _, row, column, near = heapq.heappop(queue)
        if not np.isnan(result[row, column]):
            continue
        here = phase[row, column]
        if np.isnan(here):
            here = near
        result[row, column] = near + np.angle(np.exp(1j * (here - near)))
        for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            r, c = row + down, column + right
            if 0 <= r < phase.shape[0] and 0 <= c < phase.shape[1] and np.isnan(result[r, c]):
                heapq.heappush(queue, (-float(weight[r, c]), r, c, float(result[row, column])))
    result[np.isnan(phase)] = np.nan
    return result


def smooth_map(
    values: Array, sigma: Array, shape: tuple[int, int], seed: int = 0
) -> tuple[Array, float, int]:
    """Fit values on a grid of blocks (m, n), NaN unknown, by a map (h, w); held-out rms; the order taken.

    Legendre polynomials of as high a total order as a fifth of the blocks, left out of the fit, bears.

    Args:
        values: of the blocks, (m, n); NaN: unknown.
        sigma: standard deviation of each value.
        shape: (h, w) of the map.
        seed: of the blocks that are left out.
    """
    rows, columns = (((np.arange(n) + 0.5) / n * 2.0 - 1.0) for n in values.shape)
    known = np.isfinite(values) & np.isfinite(sigma)
    weight = 1.0 / np.maximum(sigma[known], 0.3 * np.median(sigma[known]))
    held = np.random.default_rng(seed).random(int(known.sum())) < 0.2
    y, x = (a[known] for a in np.meshgrid(rows, columns, indexing="ij"))
    best_order, best = 0, np.inf
    for order in range(HIGHEST_ORDER + 1):
        design = _terms(y, x, order)
        if design.shape[1] > 0.6 * (~held).sum():
            break
        fitted = _weighted(design[~held], values[known][~held], weight[~held])
        missed = (design[held] @ fitted - values[known][held]) * weight[held]
        error = float(np.sqrt(np.sum(missed**2) / np.sum(weight[held] ** 2)))
        if error < WORTH * best:
            best_order, best = order, error
    fitted = _weighted(_terms(y, x, best_order), values[known], weight)
    full_rows, full_columns = (((np.arange(n) + 0.5) / n * 2.0 - 1.0) for n in shape)
    table = np.zeros((best_order + 1, best_order + 1))
    for weight_of, (i, j) in zip(fitted, _orders(best_order), strict=True):
        table[i, j] = weight_of
    return (
        np.asarray(legendre.leggrid2d(full_rows, full_columns, table), np.float64),
        best,
        best_order,
    )


def _orders(order: int) -> list[tuple[int, int]]:
    return [(i, n - i) for n in range(order + 1) for i in range(n + 1)]


def _terms(y: Array, x: Array, order: int) -> Array:
    """Return products of Legendre polynomials up to a total order, (K, terms)."""
    along_y, along_x = legendre.legvander(y, order), legendre.legvander(x, order)
    return np.stack([along_y[:, i] * along_x[:, j] for i, j in _orders(order)], axis=1)


def _weighted(design: Array, values: Array, weight: Array) -> Array:
    solution = np.linalg.lstsq(design * weight[:, None], values * weight, rcond=None)[0]
    return np.asarray(solution, np.float64)
