"""From the phasors of many phase steps to time constants, refresh and scan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from calibration.refresh_phase import Begun, find_clock

Array = npt.NDArray[np.float64]
Phasors = npt.NDArray[np.complex128]
HELD_OUT_EVERY = 5
EXPOSURE_NODES, ROW_NODES = 4, 3
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(EXPOSURE_NODES)
LARGEST_DOUBT_MS = 1.0
"""A step of which no frame saw the motion could have begun any time between two frames."""
LARGEST_DOUBT = 0.3
"""The same for a slow panel, in time constants: how sharply its frames tell when a step began."""


@dataclass(frozen=True, slots=True)
class Step:
    """One phase step and the frames that follow it; times in ms.

    kind: which of the time constants it has. command_ms: when it was commanded, on the bench's clock.
    row_share: of the rows that change, first and last, 0 ... 1 of the panel from its first row.
    start_rad, end_rad: where the phase comes from and goes to. after_ms: (K,) beginnings of the
    exposures after the command. curve: phasors of phases at rest. phasors: (K,) what the frames saw.
    """

    kind: int
    command_ms: float
    row_share: tuple[float, float]
    curve: Callable[[Array], Phasors]
    start_rad: float
    end_rad: float
    after_ms: Array
    phasors: Phasors


@dataclass(frozen=True, slots=True)
class Transitions:
    """Found: tau_ms (kinds,) time constants with sigma. Times in ms.

    period_ms: of the refresh, 0 if the panel does not wait for one. scan_ms: from the panel's
    first row to its last. wait_ms: from a command until its first row changes, at worst.
    held_out: rms of the phasors of steps that were not fitted, of those frames that saw motion.
    fitted: how many steps determine when they began.
    """

    tau_ms: Array
    tau_sigma_ms: Array
    period_ms: float
    scan_ms: float
    scan_sigma_ms: float
    wait_ms: float
    wait_sigma_ms: float
    held_out: float
    fitted: int


def fit_transitions(
    steps: list[Step], kinds: int, exposure_ms: float, span_ms: float, spread: float
) -> Transitions | None:
    """Fit time constants of each kind and when steps begin; None if too few steps show their motion.

    First every step begins when it likes; then the beginnings tell the clock of the refresh, which has
    few unknowns, so that frames in mid-motion tell of nothing but the time constant. A fifth of the
    steps is held out.

    Args:
        steps: that were measured.
        kinds: number of kinds of steps.
        exposure_ms: of a frame.
        span_ms: longest time after its command at which a step is expected.
        spread: rms error of a phasor at rest, the unit of doubt.
    """
    tau_ms = np.array(
        [_coarse_tau([s for s in steps if s.kind == k], exposure_ms, span_ms) for k in range(kinds)]
    )
    found = [_begin(s, tau_ms[s.kind], exposure_ms, span_ms, spread) for s in steps]
    most_ms = [max(LARGEST_DOUBT_MS, LARGEST_DOUBT * tau_ms[s.kind]) for s in steps]
    timed = [i for i, (_, doubt_ms) in enumerate(found) if doubt_ms < most_ms[i]]
    fitted = [i for i in timed if i % HELD_OUT_EVERY != 2]
    if {steps[i].kind for i in fitted} != set(range(kinds)):
        return None
    begins_ms = np.array([begin for begin, _ in found])
    clock = find_clock([_begun(steps[i], begins_ms[i]) for i in timed])
    if clock.kind == "irregular":
        timed = fitted  # beginnings that follow no rule cannot be predicted: there is nothing to hold out
        clock = find_clock([_begun(steps[i], begins_ms[i]) for i in timed])
    start = np.concatenate([np.log(tau_ms), [clock.scan_ms], clock.parameters])
    chosen = [steps[i] for i in timed]
    beginning = np.isin(timed, fitted)

    def missed(x: Array, which: npt.NDArray[np.bool_]) -> Array:
        begin = clock.begins_ms(x[kinds + 1 :])
        scan = x[kinds] if clock.kind != "irregular" else 0.0
        errors = []
        for s, b, used in zip(chosen, begin, which, strict=True):
            if used:
                modelled = predicted(s, b, np.exp(x[s.kind]), scan, exposure_ms)
                errors.append(_without_drift(modelled, s.phasors))
        together: Array = np.concatenate(errors).view(np.float64)
        return together

    solved = scipy.optimize.least_squares(
        lambda x: missed(x, beginning), start, loss="soft_l1", f_scale=3.0 * spread, x_scale="jac"
    )
    degrees = max(len(solved.fun) - len(start) - 2 * len(fitted), 1)
    # Steps that fit badly count less in the fit, but not in how sure it is.
    scatter = float(np.sum(missed(solved.x, beginning) ** 2)) / degrees
    covariance = np.linalg.pinv(solved.jac.T @ solved.jac) * scatter
    # The inverse leaves out what no step tells; rounding may make its variance negative.
    sigma = np.sqrt(np.diag(covariance).clip(0.0))
    parameters = solved.x[kinds + 1 :]
    wait_ms, wait_sigma_ms = clock.worst_wait_ms(parameters)
    check = missed(solved.x, ~beginning).view(np.complex128) if not beginning.all() else np.zeros(0)
    tau_ms = np.exp(solved.x[:kinds])
    # Steps that begin by no rule have their own rows' beginnings: a scan is part of these.
    scan_ms, scan_sigma_ms = (
        (0.0, 0.0) if clock.kind == "irregular" else (solved.x[kinds], sigma[kinds])
    )
    return Transitions(
        tau_ms=tau_ms,
        tau_sigma_ms=tau_ms * sigma[:kinds],
        period_ms=clock.period_ms(parameters),
        scan_ms=float(scan_ms),
        scan_sigma_ms=float(scan_sigma_ms),
        wait_ms=wait_ms,
        wait_sigma_ms=wait_sigma_ms,
        held_out=float(np.sqrt(np.mean(np.abs(check) ** 2))) if len(check) else float("nan"),
        fitted=len(fitted),
    )


def predicted(
    step: Step, begin_ms: float | Array, tau_ms: float | Array, scan_ms: float, exposure_ms: float
) -> Phasors:
    """Return mean phasors (..., K) over exposure and rows.

    Args:
        step: of the phase.
        begin_ms: of the panel's first row.
        tau_ms: time constant.
        scan_ms: of the refresh, over the panel.
        exposure_ms: of a frame.
    """
    within = exposure_ms * (_NODES + 1.0) / 2.0
    rows = np.linspace(*step.row_share, 2 * ROW_NODES + 1)[1::2]
    begin, tau = (np.asarray(v, float)[..., None, None, None] for v in (begin_ms, tau_ms))
    elapsed = step.after_ms[:, None, None] + within - scan_ms * rows[:, None] - begin
    left = np.exp(-np.maximum(elapsed, 0.0) / tau)
    phase = step.end_rad + (step.start_rad - step.end_rad) * left
    mean: Phasors = (step.curve(phase) @ (_WEIGHTS / 2.0)).mean(axis=-1)
    return mean


def _without_drift(modelled: Phasors, seen: Phasors) -> Phasors:
    """Return what is left of modelled - seen (K,) if the plane has drifted since it was measured.

    A drift displaces all phasors of one step alike, and turns and stretches them alike.
    """
    centred, wanted = modelled - modelled.mean(), seen - seen.mean()
    gain = np.vdot(wanted, centred) / max(float(np.vdot(wanted, wanted).real), 1e-12)
    left: Phasors = centred - gain * wanted
    return left


def _missed(step: Step, begin_ms: Array, tau_ms: Array, exposure_ms: float) -> Array:
    """Return the sum of squared errors (...) for beginnings and time constants, of the step's own rows."""
    error = predicted(step, begin_ms, tau_ms, 0.0, exposure_ms) - step.phasors
    result: Array = (np.abs(error) ** 2).sum(axis=-1)
    return result


def _coarse_tau(steps: list[Step], exposure_ms: float, span_ms: float) -> float:
    """Find the best of a grid, twice, each step beginning where it fits best."""
    tau = np.geomspace(span_ms / 500.0, span_ms / 4.0, 20)
    for _ in range(2):
        begin = np.arange(0.0, span_ms, np.clip(0.4 * tau[0], span_ms / 200.0, span_ms / 80.0))
        total = np.zeros(len(tau))
        for step in steps:
            total += _missed(step, begin[None, :], tau[:, None], exposure_ms).min(axis=1)
        best = int(total.argmin())
        low, high = tau[max(best - 1, 0)], tau[min(best + 1, len(tau) - 1)]
        result = float(tau[best])
        tau = np.geomspace(low, high, 9)
    return result


def _begin(
    step: Step, tau_ms: float, exposure_ms: float, span_ms: float, spread: float
) -> tuple[float, float]:
    """Return when a step begins, and over how long a time it might as well have begun, ms."""
    begin = np.linspace(0.0, span_ms, 1000, endpoint=False).astype(np.float64)
    missed = _missed(step, begin, np.array(tau_ms), exposure_ms)
    likely = begin[missed < missed.min() + 9.0 * spread**2 + 0.2 * missed.min()]
    return float(begin[missed.argmin()]), float(likely.max() - likely.min())


def _begun(step: Step, begin_ms: float) -> Begun:
    return Begun(step.command_ms, float(np.mean(step.row_share)), begin_ms)
