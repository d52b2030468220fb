"""Settling: how long the light takes to follow the SLM, measured by steps of its phase."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from calibration.layout import PatchLayout
from calibration.observed_slm import ObservedSLM, TimeSource
from calibration.phase_steps import SteppedBands
from calibration.result import CalibrationResult, Verdict
from calibration.step import CalibrationStep
from calibration.transitions import Transitions, fit_transitions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
TEN_TO_NINETY = float(np.log(9.0))
"""10-90 % time of an exponential, in time constants."""
WITHIN = 0.01
CYCLES = 6
MOST_SPANS = 4
LONGER_THAN_DECLARED = 1.1
LARGEST_MISS = 0.25
WATCHED = 0.65
"""Share of a wait until 0.05 % of a step is left, in which 1 % is reached and steps are watched."""


@dataclass(frozen=True, slots=True)
class SettlingFound(CalibrationResult):
    """Times in ms, with standard deviations.

    latency: from the command until the panel's first row changes, at worst, i.e. when a refresh
    has just been missed. refresh_period: 0 if none was found. scan: from the panel's first row to its
    last. rise, fall: 10-90 % of a step of 2 pi up and down; slowest_tau: time constant of the
    slowest step. settle: from the command until the phase of the slowest step is within 1 % of the
    step from its end in the last row of the patches, at worst. held_out: rms error of the predicted
    phasors exp(j phi) on steps that were not fitted, NaN if steps begin by no rule.
    """

    routine: ClassVar[str] = "settling"
    title: ClassVar[str] = "How long the SLM takes to show a pattern"

    latency_ms: float
    latency_sigma_ms: float
    refresh_period_ms: float
    scan_ms: float
    scan_sigma_ms: float
    rise_ms: float
    rise_sigma_ms: float
    fall_ms: float
    fall_sigma_ms: float
    slowest_tau_ms: float
    settle_ms: float
    settle_sigma_ms: float
    held_out: float
    verdict: Verdict

    def wait_ms(self, left: float) -> float:
        """Return the time until at most this share of the slowest step is left, two sigma sure."""
        more = self.slowest_tau_ms * float(np.log(WITHIN / left))
        return self.settle_ms + more + 2.0 * self.settle_sigma_ms

    def figure(self, patch_shape: tuple[int, int]) -> Figure | None:
        """Return the course of a step, from the command to the end; None if it failed."""
        from matplotlib.figure import Figure

        if not np.isfinite(self.settle_ms):
            return None
        figure = Figure(figsize=(8, 2.6), layout="constrained")
        ax = figure.subplots()
        time_ms = np.linspace(0.0, 1.2 * self.settle_ms, 400)
        begins_ms = self.latency_ms + self.scan_ms
        for edge, ten_ninety_ms in (("rise", self.rise_ms), ("fall", self.fall_ms)):
            tau_ms = ten_ninety_ms / np.log(9.0)
            left = np.where(time_ms < begins_ms, 1.0, np.exp(-(time_ms - begins_ms) / tau_ms))
            ax.plot(time_ms, 1.0 - left, lw=1.5, label=f"{edge}, {ten_ninety_ms:.1f} ms (10-90 %)")
        ax.axvspan(0.0, self.latency_ms, color="0.92", label="waits for the refresh, at worst")
        ax.axvspan(
            self.latency_ms, begins_ms, color="0.84", label="the refresh runs down the panel"
        )
        ax.axvline(self.settle_ms, color="C3", lw=1, label=f"settled, {self.settle_ms:.1f} ms")
        ax.set(xlabel="time from the command, ms", ylabel="share of the step, last row")
        ax.legend(frameon=False, fontsize=7, loc="upper left")
        return figure


def measure_settling(
    bench: ObservedSLM,
    layout: PatchLayout,
    clock: TimeSource,
    phase_by_grey_rad: Array | None = None,
    exposure_ms: float = 0.5,
    cycles: int = CYCLES,
    seed: int = 0,
    waited_ms: float | None = None,
) -> Generator[CalibrationStep, None, SettlingFound]:
    """Step the phase of a band of rows of the last patch up and down, and measure while it moves.

    Two bands, one near the top and one near the foot of the patch, tell the refresh running down.
    A random pattern on the patch before makes the band interfere with the rest all over the camera.
    Settled frames of rising grey levels tell where frames of each phase lie (`PhasorPlane`); frames at
    random times after steps of about 2 pi and of a third of it then tell the phase's course: after a
    wait, phase = end + (start - end) exp(-t / tau). Small steps can be slower than large ones: tau is
    taken to go linearly with the step, and the slowest is that of a vanishing one.

    The camera's shutter is taken to be global. The exposure is put back. Takes 4 LEVELS + 96 frames a
    cycle, 656 in all.

    Args:
        bench: SLM and camera.
        layout: of the patches.
        clock: of the bench, on which the camera's timestamps are.
        phase_by_grey_rad: (2**bits,) the measured phase response; without it phases are taken from the
            frames, where the fringing field at the bands' rims bends them, which costs a few per cent.
        exposure_ms: of each frame, as short as light allows; four times longer and once more where it
            is too little.
        cycles: of all steps on both bands.
        seed: of the scattering pattern and of the frames' times.
        waited_ms: after which the panel is known to have settled (`calibration.coarse_settling`); None: as
            its driver declares.
    """
    slm, camera = bench.slm, bench.camera
    expected_ms = slm.timing.total_ms if waited_ms is None else waited_ms
    stands_ms = camera.exposure_ms
    try:
        for longer in (1.0, 4.0, 16.0):
            camera.exposure_ms = max(exposure_ms * longer, camera.exposure_range_ms[0])
            bands = SteppedBands(bench, layout, clock, phase_by_grey_rad, seed, waited_ms)
            lit = yield from bands.find_planes(cycles)
            if lit:
                break
        else:
            return _failed(
                "the light hardly changes with the grey level",
                "Check that the laser is on, that the SLM shows new patterns, and its polarisation.",
            )
        span_ms = expected_ms if waited_ms is None else WATCHED * waited_ms
        for _ in range(MOST_SPANS):
            steps = yield from bands.steps(cycles, span_ms)
            if steps:
                break
            span_ms *= 2.0
        else:
            return _failed(
                f"the light has not settled {span_ms / 2.0:.0f} ms after a new pattern",
                "Does the panel show each pattern, once? Check its video signal and frame rate.",
            )
        found = fit_transitions(steps, 4, camera.exposure_ms, span_ms, bands.spread)
        if found is None:
            return _failed(
                "hardly any frame saw the phase in motion",
                "Lower the settling time that the driver declares: frames lie too far apart.",
            )
        return _result(found, bands.step_rad, layout, expected_ms)
    finally:
        camera.exposure_ms = stands_ms


def _failed(reason: str, remedy: str) -> SettlingFound:
    none = float("nan")
    verdict = Verdict("fail", reason, remedy)
    return SettlingFound(*(none,) * 4, *(none,) * 4, *(none,) * 5, verdict)


def _result(
    found: Transitions, step_rad: Array, layout: PatchLayout, expected_ms: float
) -> SettlingFound:
    tau, sigma = found.tau_ms, found.tau_sigma_ms
    full: list[tuple[float, float]] = []
    slowest: list[tuple[float, float]] = []
    for large, small in ((0, 2), (1, 3)):
        # Linear in the step: to 2 pi where the stroke is shorter, and to a vanishing step.
        slope = 1.0 / (step_rad[small] - step_rad[large])
        for towards, into in ((2.0 * np.pi, full), (0.0, slowest)):
            weight = (towards - step_rad[large]) * slope
            value = tau[large] + weight * (tau[small] - tau[large])
            into.append(
                (float(value), float(np.hypot((1 - weight) * sigma[large], weight * sigma[small])))
            )
    (rise, rise_sigma), (fall, fall_sigma) = full
    slow, slow_sigma = max(*slowest, *full)
    last_row = (layout.top + layout.patch_shape[0]) / layout.panel_shape[0]
    times = float(np.log(1.0 / WITHIN))
    settle = found.wait_ms + last_row * found.scan_ms + times * slow
    settle_sigma = float(
        np.linalg.norm([found.wait_sigma_ms, last_row * found.scan_sigma_ms, times * slow_sigma])
    )
    rise, rise_sigma, fall, fall_sigma = (
        TEN_TO_NINETY * t for t in (rise, rise_sigma, fall, fall_sigma)
    )
    message = (
        f"settled {settle:.1f} ms after a command at worst: {found.wait_ms:.1f} ms until it shows, rise "
        f"{rise:.2f} ms, fall {fall:.2f} ms (10-90 %)"
    )
    return SettlingFound(
        latency_ms=found.wait_ms,
        latency_sigma_ms=found.wait_sigma_ms,
        refresh_period_ms=found.period_ms,
        scan_ms=found.scan_ms,
        scan_sigma_ms=found.scan_sigma_ms,
        rise_ms=rise,
        rise_sigma_ms=rise_sigma,
        fall_ms=fall,
        fall_sigma_ms=fall_sigma,
        slowest_tau_ms=slow,
        settle_ms=settle,
        settle_sigma_ms=settle_sigma,
        held_out=found.held_out,
        verdict=_verdict(message, settle, expected_ms, found.held_out),
    )


def _verdict(message: str, settle_ms: float, expected_ms: float, held_out: float) -> Verdict:
    if settle_ms > LONGER_THAN_DECLARED * expected_ms:
        return Verdict(
            "warn",
            f"{message}; the bench waited for {expected_ms:.1f} ms until now",
            f"Let the bench wait for {settle_ms:.0f} ms: frames taken earlier show two patterns.",
        )
    if held_out > LARGEST_MISS:
        return Verdict(
            "warn",
            f"{message}; steps that were not fitted are missed by {held_out:.2f}",
            "The light does not approach its end exponentially: wait longer than this says.",
        )
    return Verdict("pass", message)
