"""The time constant with which frames go from one pattern's to the next, whatever the optics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.watched_steps import WatchedStep

Array = npt.NDArray[np.float64]
ORDER = 2
"""Powers of the phase's distance from its end in which a frame is developed."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """tau_ms: time constant. begins_ms: after the command, mean over the rows."""

    tau_ms: float
    begins_ms: float


def fit_relaxation(step: WatchedStep, tau_ms: float, latest_ms: float) -> Relaxation:
    """Fit frame = end + a x + b x^2, x = exp(-(t - begin) / tau), with images end, a and b of any kind.

    These are linear, and are solved for at each pair of time constant and beginning (variable
    projection); the best pair of a grid is searched three times, ever finer.

    Args:
        step: frames, of which the first shows the state before the step, x = 1.
        tau_ms: a first guess, right to a factor of three.
        latest_ms: at which the step begins at the latest.
    """
    frames = np.concatenate([step.frames, step.again[None]])
    after_ms = np.concatenate([[-np.inf], step.after_ms, step.after_ms[-1:]])
    gram = frames @ frames.T
    taus = tau_ms * np.geomspace(1.0 / 3.0, 3.0, 25)
    begins = np.linspace(0.0, latest_ms, 25)
    for _ in range(3):
        missed = np.array([[_missed(gram, after_ms, t, b) for b in begins] for t in taus])
        i, j = divmod(int(missed.argmin()), len(begins))
        best = Relaxation(float(taus[i]), float(begins[j]))
        taus = np.geomspace(taus[max(i - 1, 0)], taus[min(i + 1, len(taus) - 1)], 11)
        begins = np.linspace(begins[max(j - 1, 0)], begins[min(j + 1, len(begins) - 1)], 11)
    return best


def _missed(gram: Array, after_ms: Array, tau_ms: float, begins_ms: float) -> float:
    """Return the sum of squares that the best images leave.

    Args:
        gram: (K, K) of the frames.
        after_ms: (K,).
        tau_ms: time constant.
        begins_ms: of the step.
    """
    x = np.exp(-np.maximum(after_ms - begins_ms, 0.0) / tau_ms)
    basis, _ = np.linalg.qr(x[:, None] ** np.arange(ORDER + 1))
    return float(np.trace(gram) - np.trace(basis.T @ gram @ basis))
