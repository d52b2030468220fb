"""See whether light follows the laser, counts follow the exposure, and frames follow the patterns."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from calibration.saturation import key_to_set
from drivers.errors import DeviceError
from drivers.types import Frame
from labdiff.bench.bench import Bench
from labdiff.bench.check_devices import CheckFinding
from labdiff.bench.presence import Lack

FRAMES = 4
"""Number of frames of one setting."""
SIGMAS = 5.0
"""Number of standard deviations of the noise from which a difference counts."""
DARK_SHARE = 0.25
"""Share of full scale beyond which a dark frame has stray light in it."""
FLAT_SHARE = 0.7
"""Share of the expected rise of counts below which they do not follow the exposure."""
DIM_SHARE = 0.1
"""Share of full scale below which a rise of counts is compared with the dark at the same exposure."""
RISING = 1.2
"""Ratio of counts up to which they do not rise with more light."""
EXPECTED_SHARE = 0.85
"""Share of the counts that four times the exposure is expected to give, below which they have stopped."""
SIGNAL_COUNTS = 8.0
"""Counts above the dark ones from which there is light."""
MUCH_LESS = 64.0
"""Ratio by which an exposure is shortened to see whether counts fall at all."""
BRIGHT_SHARE = 0.001
"""Share of the pixels, the brightest, by which light is judged."""


@dataclass(frozen=True, slots=True)
class _Frames:
    """Frames of one setting.

    mean: (height, width), counts. sigma: noise of one pixel. top: mean of the brightest pixels. largest: of
    all counts.
    """

    mean: npt.NDArray[np.float64]
    sigma: float
    top: float
    largest: int


def check_light(bench: Bench, lacks: Collection[Lack] = ()) -> Iterator[CheckFinding]:
    """Take frames with the laser off and on, at several exposures and patterns; the bench ends safe.

    A device that fails meanwhile ends it, and is the last finding.

    Args:
        bench: an open bench with a camera.
        lacks: devices that it lacks; what is seen by them is named as not checked.
    """
    missing = {lack.kind: lack for lack in lacks}
    try:
        if "laser" in missing or "input" in missing:
            yield _taken(_frames(bench), 2**bench.camera.bit_depth - 1)
        else:
            yield from _checks(bench, "slm" in missing)
        for lack in lacks:
            yield CheckFinding(lack.kind, "note", f"light is not checked with {lack}")
    except DeviceError as error:
        yield CheckFinding("bench", "wrong", str(error))


def _checks(bench: Bench, without_patterns: bool) -> Iterator[CheckFinding]:
    full = bench.full_scale_counts
    bench.make_safe()
    bench.clock.sleep_s(bench.laser.timing.total_ms / 1e3)
    dark = _frames(bench)
    yield _dark(dark, full)
    with bench.lent():
        bench.show(np.zeros((bench.planes, *bench.layout.patch_shape)))
        if bench.dmd is not None:
            bench.dmd.show(np.ones(bench.dmd.shape))
        exposure_ms = _useful_exposure_ms(bench, full, dark.top)
        lit = _frames(bench)
        if lit.top - dark.top < DIM_SHARE * full:
            dark = _dark_now(bench)  # a sensor's dark current grows with the exposure too
        found = _lit(dark, lit, bench, full)
        if found.level == "wrong" and without_patterns:  # without an SLM there may be no path yet
            found = replace(found, level="note")
        yield found
        if found.level != "ok":
            return
        yield _linear(bench, dark, full, exposure_ms)
        bench.camera.exposure_ms = exposure_ms
        if not without_patterns:
            yield _follows_patterns(bench, lit)


def _frames(bench: Bench) -> _Frames:
    bench.camera.get_frame()  # a camera may apply a new exposure only from its second frame
    frames = [bench.camera.get_frame() for _ in range(FRAMES)]
    stack = np.array([frame.pixels for frame in frames], np.float64)
    return _Frames(
        stack.mean(axis=0),
        float(stack.std(axis=0, ddof=1).mean()),
        float(np.mean([_top(frame) for frame in frames])),
        int(stack.max()),
    )


def _dark_now(bench: Bench) -> _Frames:
    """Take frames with the laser off at the present exposure, and switch it on again."""
    bench.laser.emission = False
    bench.clock.sleep_s(bench.laser.timing.total_ms / 1e3)
    dark = _frames(bench)
    bench.switch_on()
    return dark


def _top(frame: Frame) -> float:
    """Return the mean of the brightest pixels, without the very brightest: these may be defects."""
    ranked = np.sort(frame.pixels, axis=None)[::-1]
    count = max(int(BRIGHT_SHARE * ranked.size), 8)
    return float(ranked[count // 4 : count].mean())


def _useful_exposure_ms(bench: Bench, full: int, dark: float) -> float:
    """Shorten or lengthen the exposure until the brightest pixels fill a quarter to three quarters.

    It is not lengthened further where they do not get brighter.

    Args:
        bench: an open bench, with its laser on.
        full: count from which a pixel is saturated.
        dark: count of the brightest pixels without light.
    """
    low_ms, high_ms = bench.camera.exposure_range_ms
    before: float | None = None
    for _ in range(8):
        top = _top(bench.camera.get_frame())
        fill = top / full
        stuck = before is not None and SIGNAL_COUNTS < top - dark < RISING * (before - dark)
        if 0.25 <= fill <= 0.75 or stuck:
            break
        factor = 0.25 if fill > 0.95 else float(np.clip(0.5 / max(fill, 1e-3), 0.25, 4.0))
        exposure_ms = float(np.clip(bench.camera.exposure_ms * factor, low_ms, min(high_ms, 1e3)))
        if exposure_ms == bench.camera.exposure_ms:
            break
        before = top if factor > RISING else None
        bench.camera.exposure_ms = exposure_ms
    return bench.camera.exposure_ms


def _taken(seen: _Frames, full: int) -> CheckFinding:
    """Return what frames hold in whatever light there is."""
    return CheckFinding(
        "camera",
        "ok",
        f"takes frames: mean {seen.mean.mean():.1f}, largest {seen.largest} of {full} counts, noise "
        f"{seen.sigma:.2f}",
    )


def _dark(dark: _Frames, full: int) -> CheckFinding:
    level = float(dark.mean.mean())
    if level > DARK_SHARE * full:
        return CheckFinding(
            "camera",
            "wrong",
            f"with the laser off the mean is {level:.0f} counts of {full}",
            "Shield it from stray light; does the laser's shutter close?",
        )
    return CheckFinding("camera", "ok", f"dark: {level:.1f} counts, noise {dark.sigma:.2f}")


def _lit(dark: _Frames, lit: _Frames, bench: Bench, full: int) -> CheckFinding:
    rise = lit.top - dark.top
    if rise < SIGMAS * max(dark.sigma, 0.5):
        return CheckFinding(
            "laser",
            "wrong",
            f"with the laser on at {bench.laser.power_mw:g} mW and {bench.camera.exposure_ms:g} ms the "
            f"brightest pixels rise by {rise:.1f} counts: no light reaches the camera",
            "Is the beam blocked, the interlock open, a cap on the camera, the power set?",
        )
    return CheckFinding(
        "laser",
        "ok",
        f"light follows the laser: {rise:.0f} of {full} counts at {bench.camera.exposure_ms:g} ms",
    )


def _linear(bench: Bench, dark: _Frames, full: int, exposure_ms: float) -> CheckFinding:
    """Compare the rise of counts at half, once and four times the exposure."""
    half, longer = 0.5 * exposure_ms, 4.0 * exposure_ms
    low_ms, high_ms = bench.camera.exposure_range_ms
    rises: dict[float, tuple[float, int]] = {}
    for wanted_ms in (half, exposure_ms, longer):
        bench.camera.exposure_ms = float(np.clip(wanted_ms, low_ms, high_ms))
        seen = _frames(bench)
        rises[wanted_ms] = (seen.top - dark.top, seen.largest)
    once = rises[exposure_ms][0]
    ratio = min(longer, high_ms) / exposure_ms
    expected = min(ratio * once, full - dark.top)
    stops = rises[longer][0] < EXPECTED_SHARE * expected and rises[longer][1] < 0.9 * full
    too_flat = rises[half][0] > (1.0 - 0.5 * FLAT_SHARE) * once
    if stops and too_flat:
        # All three may be saturated; an automatic gain holds the counts at any exposure.
        bench.camera.exposure_ms = float(np.clip(exposure_ms / MUCH_LESS, low_ms, high_ms))
        too_flat = _frames(bench).top - dark.top > (1.0 - 0.5 * FLAT_SHARE) * once
    if too_flat:
        return CheckFinding(
            "camera",
            "wrong",
            f"half the exposure gives {rises[half][0] / once:.0%} of the counts",
            "Switch automatic gain, automatic exposure and gamma off in the camera.",
        )
    if stops:
        most = rises[longer][1]
        return CheckFinding(
            "camera",
            "wrong",
            f"counts stop rising at {most} of {full}: the sensor is saturated there",
            key_to_set(most, full),
        )
    return CheckFinding(
        "camera",
        "ok",
        f"counts follow the exposure: {rises[half][0] / once:.0%} at half of it",
    )


def _follows_patterns(bench: Bench, flat: _Frames) -> CheckFinding:
    rng = np.random.default_rng(0)
    shape = (bench.planes, *bench.layout.patch_shape)
    repeated = _frames(bench)
    bench.show(rng.uniform(0.0, 2.0 * np.pi, shape))
    other = _frames(bench)
    noise = float(np.abs(repeated.mean - flat.mean).mean())
    change = float(np.abs(other.mean - repeated.mean).mean())
    if change < SIGMAS * max(noise, 0.05):
        return CheckFinding(
            "slm",
            "wrong",
            f"another pattern changes the frame by {change:.2f} counts, repeating it by {noise:.2f}",
            "Is the SLM switched on, its window on the right output, and the beam on its patches?",
        )
    return CheckFinding(
        "slm", "ok", f"frames follow patterns: {change / max(noise, 0.05):.0f} times the noise"
    )
