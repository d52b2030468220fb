"""Settling: how long the light takes to follow the SLM, measured by steps of its phase."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.layout import PatchLayout
from calibration.phasor import PhasorPlane, find_plane
from calibration.result import Verdict
from calibration.steps import CalibrationStep
from calibration.transitions import Step, Transitions, fit_transitions
from drivers.protocols import SLM, Camera
from drivers.types import Frame

Array = npt.NDArray[np.float64]
TEN_TO_NINETY = float(np.log(9.0))
"""10-90 % time of an exponential, in time constants."""
WITHIN = 0.01
LEVELS = 20
CYCLES, FRAMES_A_STEP = 6, 12
BAND = 12
"""A band of rows is this part of the patch's height: rows of one band begin at about the same time."""
SMALL_STEP_RAD = 2.0 * np.pi / 3.0
PATIENCE = 3.0
"""Declared settling times that are waited before a pattern is taken to stand."""
MOST_SPANS = 4
UNSETTLED = 0.35
"""A phasor that far from its end has not arrived."""
LONGER_THAN_DECLARED = 1.1
LARGEST_MISS = 0.25


@dataclass(frozen=True, slots=True)
class SettlingFound:
    """Times in ms, with standard deviations.

    latency: from the command until the panel's first row changes, at worst, i.e. when a refresh
    has just been missed. refresh_period: 0 if none was found. scan: from the panel's first row to its
    last. rise, fall: 10-90 % of a step of 2 pi up and down; slowest_tau: time constant of the
    slowest step. settle: from the command until the phase of the slowest step is within 1 % of the
    step from its end in the last row of the patches, at worst. held_out: rms error of the predicted
    phasors exp(j phi) on steps that were not fitted, NaN if steps begin by no rule.
    """

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
        """From the command until at most this share of the slowest step is left, two sigma sure."""
        more = self.slowest_tau_ms * float(np.log(WITHIN / left))
        return self.settle_ms + more + 2.0 * self.settle_sigma_ms


def measure_settling(
    slm: SLM,
    camera: Camera,
    layout: PatchLayout,
    pedestal_counts: float,
    now_s: Callable[[], float],
    sleep_s: Callable[[float], None],
    phase_by_grey_rad: Array | None = None,
    exposure_ms: float = 0.5,
    cycles: int = CYCLES,
    seed: int = 0,
) -> Generator[CalibrationStep, None, SettlingFound]:
    """Step the phase of a band of rows of the last patch up and down, and look while it moves.

    Two bands, one near the top and one near the foot of the patch, tell the refresh running down.
    A random pattern on the patch before makes the band interfere with the rest all over the camera.
    Settled frames of rising grey levels tell where frames of each phase lie (`PhasorPlane`); frames at
    random times after steps of about 2 pi and of a third of it then tell the phase's course: after a
    wait, phase = end + (start - end) exp(-t / tau). Small steps can be slower than large ones: tau is
    taken to go linearly with the step, and the slowest is that of a vanishing one.

    phase_by_grey_rad: (2**bits,) the measured phase response; without it phases are taken from the
    frames, where the fringing field at the bands' rims bends them, which costs a few per cent.
    now_s, sleep_s: the bench's clock, on which the camera's timestamps are. exposure_ms: of each
    frame, as short as light allows; four times longer and once more where it is too little. The
    camera's shutter is taken to be global. Exposure is put back; the SLM ends flat. Takes
    4 LEVELS + 96 frames a cycle, 656 in all.
    """
    stands_ms = camera.exposure_ms
    try:
        for longer in (1.0, 4.0, 16.0):
            camera.exposure_ms = max(exposure_ms * longer, camera.exposure_range_ms[0])
            bench = _Bands(slm, camera, layout, pedestal_counts, now_s, sleep_s, phase_by_grey_rad, seed)
            lit = yield from bench.find_planes(cycles)
            if lit:
                break
        else:
            return _failed(
                "the light hardly changes with the grey level",
                "Check that the laser is on, that the SLM shows new patterns, and its polarisation.",
            )
        span_ms = slm.timing.total_ms
        for _ in range(MOST_SPANS):
            steps = yield from bench.steps(cycles, span_ms)
            if steps:
                break
            span_ms *= 2.0
        else:
            return _failed(
                f"the light has not settled {span_ms / 2.0:.0f} ms after a new pattern",
                "Does the panel show each pattern, once? Check its video signal and frame rate.",
            )
        found = fit_transitions(steps, 4, camera.exposure_ms, span_ms, bench.spread)
        if found is None:
            return _failed(
                "hardly any frame saw the phase in motion",
                "Lower the settling time that the driver declares: frames lie too far apart.",
            )
        return _result(found, bench.step_rad, layout, slm.timing.total_ms)
    finally:
        camera.exposure_ms = stands_ms
        slm.set_grey(np.zeros(layout.panel_shape))


class _Bands:
    """The two bands of rows, their phasor planes, and steps on them."""

    def __init__(
        self,
        slm: SLM,
        camera: Camera,
        layout: PatchLayout,
        pedestal_counts: float,
        now_s: Callable[[], float],
        sleep_s: Callable[[float], None],
        phase_by_grey_rad: Array | None,
        seed: int,
    ) -> None:
        self._slm, self._camera, self._pedestal = slm, camera, pedestal_counts
        self._now_s, self._sleep_s = now_s, sleep_s
        self._rng = np.random.default_rng(seed)
        self._response = phase_by_grey_rad
        self._top_grey = 2**slm.bit_depth - 1
        height, width = layout.patch_shape
        tall = max(height // BAND, 1)
        tops = [layout.top + place * height // BAND for place in (1, BAND - 2)]
        self._panel = np.zeros(layout.panel_shape)
        if len(layout.lefts) > 1:
            scatter = self._rng.integers(0, self._top_grey + 1, layout.patch_shape)
            left = layout.lefts[-2]
            self._panel[layout.top : layout.top + height, left : left + width] = scatter
        columns = slice(layout.lefts[-1], layout.lefts[-1] + width)
        self._bands = [(slice(top, top + tall), columns) for top in tops]
        panel_height = layout.panel_shape[0]
        self._row_share = [((top - 0.5) / panel_height, (top + tall - 0.5) / panel_height) for top in tops]
        self._planes: list[PhasorPlane] = []
        self._greys: list[Array] = []
        self.spread = 0.0
        self.step_rad: Array = np.zeros(4)
        self._done, self._total = 0, 0

    def find_planes(self, cycles: int) -> Generator[CalibrationStep, None, bool]:
        """False if the light does not follow the grey level."""
        self._total = len(self._bands) * (LEVELS + 4 * cycles)
        greys = np.rint(np.linspace(0, self._top_grey, LEVELS))
        wait_s = PATIENCE * self._slm.timing.total_ms * 1e-3
        self._planes, self._greys = [], []
        for number in range(len(self._bands)):
            frames = np.empty((2, LEVELS, int(np.prod(self._camera.roi.shape))))
            # In random order a drift is noise, in rising order it would be phase.
            for index in self._rng.permutation(LEVELS):
                self._show(number, greys[index])
                self._sleep_s(wait_s)
                for one in range(2):
                    frame = self._camera.get_frame()
                    frames[one, index] = self._counts(frame)
                yield self._said(f"grey {greys[index]:.0f} on band {number}", frame)
            self._panel[self._bands[number]] = 0.0  # the other band is measured beside it at rest
            known = None if self._response is None else self._response[greys.astype(int)]
            plane = find_plane(*frames, known)
            if plane is None:
                return False
            self._planes.append(plane)
            wanted = np.array([0.0, SMALL_STEP_RAD, 2.0 * np.pi])
            rad = np.maximum.accumulate(plane.level_rad)
            self._greys.append(np.rint(np.interp(wanted, rad, greys)))
        self.spread = max(plane.spread for plane in self._planes)
        import sys; print("spread",self.spread, self._planes[0].level_rad[-1],file=sys.stderr)
        return True

    def steps(
        self, cycles: int, span_ms: float
    ) -> Generator[CalibrationStep, None, list[Step]]:
        """Steps up and down, large and small, on both bands; none if any had not arrived after span_ms."""
        steps: list[Step] = []
        for _ in range(cycles):
            for number, plane in enumerate(self._planes):
                zero, small, large = self._greys[number]
                for kind, (start, end) in enumerate(
                    ((zero, large), (large, zero), (zero, small), (small, zero))
                ):
                    self._show(number, start)
                    self._sleep_s(span_ms * 1e-3 * (2.0 + self._rng.random()))
                    command_s = self._now_s()
                    self._show(number, end)
                    frames = self._watch(command_s, span_ms)
                    after_ms = np.array([(f.timestamp_s - command_s) * 1e3 for f in frames])
                    seen = plane.phasors(np.stack([self._counts(f) for f in frames]))
                    start_rad, end_rad = self._rad(plane, start), self._rad(plane, end)
                    self.step_rad[kind] += abs(end_rad - start_rad) / (cycles * len(self._planes))
                    steps.append(
                        Step(
                            kind,
                            command_s * 1e3,
                            self._row_share[number],
                            plane.curve,
                            float(start_rad),
                            float(end_rad),
                            after_ms,
                            seen,
                        )
                    )
                    words = f"step from {start_rad:.1f} to {end_rad:.1f} rad on band {number}"
                    yield self._said(words, frames[-1])
                    if abs(seen[-1] - plane.curve(end_rad)) > UNSETTLED:
                        self.step_rad[:] = 0.0
                        return []
        return steps

    def _watch(self, command_s: float, span_ms: float) -> list[Frame]:
        """Frames at random times, spread evenly over the span; the last at its end."""
        places = (np.arange(FRAMES_A_STEP) + self._rng.random(FRAMES_A_STEP)) / FRAMES_A_STEP
        places[-1] = 1.0
        frames = []
        for place in places:
            self._sleep_s(max(command_s + place * span_ms * 1e-3 - self._now_s(), 0.0))
            frames.append(self._camera.get_frame())
        return frames

    def _show(self, band: int, grey: float) -> None:
        self._panel[self._bands[band]] = grey
        self._slm.set_grey(self._panel)

    def _rad(self, plane: PhasorPlane, grey: float) -> float:
        if self._response is not None:
            return float(self._response[int(grey)])
        greys = np.rint(np.linspace(0, self._top_grey, LEVELS))
        return float(np.interp(grey, greys, plane.level_rad))

    def _counts(self, frame: Frame) -> Array:
        return frame.pixels.ravel() - self._pedestal

    def _said(self, words: str, frame: Frame) -> CalibrationStep:
        index = min(self._done, self._total - 1)
        self._done += 1
        picture = frame.pixels.astype(np.float32)
        return CalibrationStep("settling", index, self._total, words, picture)


def _failed(reason: str, remedy: str) -> SettlingFound:
    return SettlingFound(*[float("nan")] * 13, Verdict("fail", reason, remedy))


def _result(
    found: Transitions, step_rad: Array, layout: PatchLayout, declared_ms: float
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
        np.linalg.norm(
            [found.wait_sigma_ms, last_row * found.scan_sigma_ms, times * slow_sigma]
        )
    )
    rise, rise_sigma, fall, fall_sigma = (
        TEN_TO_NINETY * t for t in (rise, rise_sigma, fall, fall_sigma)
    )
    words = (
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
        verdict=_verdict(words, settle, declared_ms, found.held_out),
    )


def _verdict(words: str, settle_ms: float, declared_ms: float, held_out: float) -> Verdict:
    if settle_ms > LONGER_THAN_DECLARED * declared_ms:
        return Verdict(
            "warn",
            f"{words}; the driver declares {declared_ms:.1f} ms",
            f"Let the bench wait for {settle_ms:.0f} ms: frames taken earlier show two patterns.",
        )
    if held_out > LARGEST_MISS:
        return Verdict(
            "warn",
            f"{words}; steps that were not fitted are missed by {held_out:.2f}",
            "The light does not approach its end exponentially: wait longer than this says.",
        )
    return Verdict("pass", words)
