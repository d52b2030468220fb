"""Coarse settling: when frames stop changing after a new pattern; nothing else is known yet."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from calibration.exposure import step_towards
from calibration.layout import PatchLayout
from calibration.observed_slm import ObservedSLM, TimeSource
from calibration.registration_causes import STATIC
from calibration.relaxation import Relaxation, fit_relaxation
from calibration.result import CalibrationResult, Verdict
from calibration.signs import Sign
from calibration.step import CalibrationStep
from calibration.watched_steps import WatchedSteps

Array = npt.NDArray[np.float64]
FILL, LEAST_FILL, MOST_FILL = 0.5, 0.2, 0.85
"""Of full scale: what the exposure aims at, and between which fills a frame is good enough."""
DARK_FILL = 0.1
"""Fill below which no light arrives, after EXPOSURE_FRAMES frames of ever longer exposure."""
EXPOSURE_FRAMES = 5
CHECKS = 2
"""Number of times that the declared time is tried: one frame may be bad."""
LEFT = 0.01
"""Share of a step that may be left after the declared time, and in the definition of settled."""
LEFT_WAITED = 5e-4
"""Share of a step that is left after the time for which the bench waits."""
LONGEST_MS = 30_000.0
REPEATS = 2
"""Steps up, and as many down, from which a slow panel's time constant is fitted."""
SPAN = 8.0
"""Time constants over which a slow panel is watched."""
QUICK_FRAMES, SLOW_FRAMES = 10, 80
"""Frames that are taken if the panel is as fast as declared, and about how many if it is not."""


@dataclass(frozen=True, slots=True)
class CoarseSettling(CalibrationResult):
    """Times in ms.

    declared: by the driver, or by the bench file. left: share of a step that was left after it. tau: time
    constant of the slower direction of small steps, with its standard deviation; NaN where the panel is as
    fast as declared. settle: from the command until 1 % of a step is left. wait: for which the bench
    waits from now on.
    """

    routine: ClassVar[str] = "coarse settling"
    title: ClassVar[str] = "Whether the SLM settles in the declared time, and if not, in which"

    declared_ms: float
    left: float
    tau_ms: float
    tau_sigma_ms: float
    settle_ms: float
    wait_ms: float
    verdict: Verdict

    @property
    def slower(self) -> bool:
        """Return whether the panel takes longer than declared."""
        return self.wait_ms > self.declared_ms


def measure_coarse_settling(
    bench: ObservedSLM, layout: PatchLayout, clock: TimeSource, seed: int = 0
) -> Generator[CalibrationStep, None, CoarseSettling]:
    """Switch blocks of the last patch between two grey levels, and see when the frames stop changing.

    No phase response, registration or exposure is needed. If hardly anything changes between the declared
    time and twice that, the panel is as fast as declared: QUICK_FRAMES frames. Otherwise frames at
    doubled times tell how slow it is, and steps up and down, watched over that time, tell the time
    constant (`fit_relaxation`). Steps are small: these are the slowest, and light follows them almost
    linearly. The exposure is put back.

    Args:
        bench: SLM and camera.
        layout: of the patches.
        clock: of the bench, on which the camera's timestamps are.
        seed: of the blocks.
    """
    camera, declared_ms = bench.camera, bench.slm.timing.total_ms
    stands_ms = camera.exposure_ms
    watched = WatchedSteps(bench, layout, clock, seed)
    try:
        fill = yield from _expose(bench, watched)
        left = 1.0
        for _ in range(CHECKS):
            watched.rest(2.0 * declared_ms)
            found: list[float] = []
            for _ in range(2):
                step = watched.step((declared_ms, 2.0 * declared_ms))
                yield _reported(
                    watched, f"{step.left(1):.1%} of a step left after {declared_ms:.0f} ms"
                )
                if not step.seen:
                    sign: Sign = "no light" if fill < DARK_FILL else "picture stands still"
                    return _failed(
                        declared_ms, "the picture does not change with the pattern", STATIC, sign
                    )
                found.append(step.left(1))
            left = max(found)
            if left <= LEFT:
                message = f"{max(left, 0.0):.1%} of a step is left after the declared {declared_ms:.0f} ms"
                nan = float("nan")
                return CoarseSettling(
                    declared_ms, left, nan, nan, declared_ms, declared_ms, Verdict("pass", message)
                )
        # The light of a slow panel goes on changing: wait ever longer.
        times_ms = [declared_ms]
        while (after := 2.0 * times_ms[-1]) <= LONGEST_MS:
            times_ms.append(after)
        step = watched.step(tuple(times_ms), until=LEFT)
        yield _reported(watched, f"settled before {step.after_ms[-1]:.0f} ms")
        if step.left(len(step.after_ms) - 1) > LEFT:
            return _failed(
                declared_ms,
                f"the light has not settled {LONGEST_MS / 1e3:.0f} s after a new pattern",
                "Does the panel show each pattern, once? Check its video signal and frame rate.",
                "never settles",
            )
        return (yield from _slow(watched, declared_ms, left, step.tau_ms(), bench))
    finally:
        camera.exposure_ms = stands_ms


def _expose(bench: ObservedSLM, watched: WatchedSteps) -> Generator[CalibrationStep, None, float]:
    """Bring the brightest pixels of a frame into range, and return how full they are."""
    camera, fill = bench.camera, 0.0
    full = 2**camera.bit_depth - 1 - bench.pedestal_counts
    watched.begin()
    for _ in range(EXPOSURE_FRAMES):
        fill = watched.brightest() / full
        yield _reported(watched, f"{camera.exposure_ms:.3g} ms fills {fill:.0%}")
        if LEAST_FILL < fill < MOST_FILL or not step_towards(camera, fill, FILL):
            break
    return fill


def _slow(
    watched: WatchedSteps, declared_ms: float, left: float, tau_ms: float, bench: ObservedSLM
) -> Generator[CalibrationStep, None, CoarseSettling]:
    """Fit the time constant of each direction; tau_ms: a first guess of it."""
    fits: tuple[list[Relaxation], list[Relaxation]] = ([], [])
    for _ in range(REPEATS):
        for direction in fits:
            span_ms = SPAN * tau_ms + declared_ms
            watched.rest(span_ms)
            step = watched.step(watched.spread_times(span_ms))
            fit = fit_relaxation(step, tau_ms, declared_ms)
            direction.append(fit)
            yield _reported(watched, f"time constant {fit.tau_ms:.1f} ms")
    means = [float(np.mean([fit.tau_ms for fit in direction])) for direction in fits]
    slower = fits[int(np.argmax(means))]
    taus = np.array([fit.tau_ms for fit in slower])
    tau, sigma = float(taus.mean()), float(taus.std(ddof=1) / np.sqrt(len(taus)))
    begins = max(fit.begins_ms for direction in fits for fit in direction)
    begins = max(begins, bench.slm.timing.latency_ms)
    settle = begins + tau * float(np.log(1.0 / LEFT))
    wait = max(begins + (tau + 2.0 * sigma) * float(np.log(1.0 / LEFT_WAITED)), declared_ms)
    verdict = Verdict(
        "warn",
        f"settled {settle:.0f} ms after a command; declared are {declared_ms:.0f} ms",
        f"The bench waits for {wait:.0f} ms from now on. Put slm.options.crystal_ms = "
        f"{wait - bench.slm.timing.latency_ms:.0f} into the bench file, unless the panel should be faster.",
        ("settles late",),
    )
    return CoarseSettling(declared_ms, left, tau, sigma, settle, wait, verdict)


def _failed(declared_ms: float, reason: str, remedy: str, sign: Sign) -> CoarseSettling:
    """Return a failed result.

    Args:
        declared_ms: by the driver.
        reason: of the failure.
        remedy: what to do about it.
        sign: that was seen.
    """
    nan = float("nan")
    verdict = Verdict("fail", reason, remedy, (sign,))
    return CoarseSettling(declared_ms, nan, nan, nan, nan, nan, verdict)


def _reported(watched: WatchedSteps, message: str) -> CalibrationStep:
    index = min(watched.frames, SLOW_FRAMES) - 1
    return CalibrationStep("coarse settling", index, SLOW_FRAMES, message, watched.picture)
