"""Phase response: the phase that each grey level really gives."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from calibration.ellipse import circle_from_ellipse
from calibration.layout import PatchLayout
from calibration.observed_slm import ObservedSLM
from calibration.packing import full_scale_counts
from calibration.phase_signs import LEAST_BRIGHTNESS, brightness_alone, response_signs, stands_still
from calibration.result import CalibrationResult, Verdict
from calibration.signs import Sign
from calibration.step import CalibrationStep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
POLYNOMIAL_ORDER = 7
LARGEST_RESIDUAL_RAD = 0.10
LEAST_LIGHT = 4.0
MORE_THAN_NOISE = 4.0
RIM_PX = ((0,), (-4, 0, 4))
"""Rims of the two patterns, from the patch's middle along each side. So close together each of the three is
lit as the one is; and 4 px apart they leave each other alone."""
LEAST_MISSING_STEPS = 2.5
"""Steps of a panel of 2 pi that may be missing of a turn: L levels divide it into L steps."""
SHORT_REMEDY = (
    "Layers are trained with the phases that there are. For a whole turn load the maker's table for this "
    "wavelength into the panel, or use a shorter wavelength."
)
RIMS_LEFT = 0.3
"""Share of the rims' bias, as two lengths of them tell it, that is wrong after it is taken off."""
STRIDES = (4, 2, 1)
"""Distances of the levels that are measured in each round, in levels, until a round is enough."""
GOOD_HELD_OUT_RAD, GOOD_BRIGHTNESS = 0.02, 0.0035
"""Residual on levels that are not fitted, and scatter of brightness, with which fewer levels are enough."""
GRAIN_PX = 1
COARSE = 8
"""Grains along each side where there is one patch alone: the half at rest scatters."""


@dataclass(frozen=True, slots=True)
class PhaseResponse(CalibrationResult):
    """phase_by_grey_rad: (2**bits,), 0 at grey 0. held_out_rad: rms on levels not fitted.

    sigma_rad: standard deviation of the phases, rms over the table without what they have in
    common. brightness_scatter: by which frames are brighter or darker as a whole than their
    phases make them, rms share. Both NaN if they were not stored.
    """

    routine: ClassVar[str] = "phase response"
    title: ClassVar[str] = "Phase of each grey level of the SLM"
    plotted: ClassVar[str] = "phase_by_grey_rad"
    shapes: ClassVar[Mapping[str, tuple[int | None, ...]]] = {"phase_by_grey_rad": (None,)}

    phase_by_grey_rad: Array
    held_out_rad: float
    verdict: Verdict
    sigma_rad: float = float("nan")
    brightness_scatter: float = float("nan")

    def derived_quantities(self) -> dict[str, float]:
        """Return the phase of the highest grey level."""
        return {"stroke_rad": float(self.phase_by_grey_rad[-1])}

    def figure(self, patch_shape: tuple[int, int]) -> Figure | None:
        """Return the phase of each grey level, and what a linear one misses."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 3), layout="constrained")
        left, right = figure.subplots(1, 2)
        grey = np.arange(len(self.phase_by_grey_rad))
        linear = 2.0 * np.pi * grey / len(grey)
        left.plot(grey, self.phase_by_grey_rad / np.pi, lw=1.5, label="measured")
        left.plot(grey, linear / np.pi, "--", color="0.5", lw=1, label="without a table")
        left.set(xlabel="grey level", ylabel="phase, pi")
        left.legend(frameon=False)
        right.plot(grey, self.phase_by_grey_rad - linear, lw=1.5)
        right.axhline(0.0, color="0.5", lw=0.8)
        right.set(xlabel="grey level", ylabel="measured - without a table, rad")
        return figure


def measure_phase_response(
    bench: ObservedSLM,
    layout: PatchLayout,
    levels: int = 61,
    seed: int = 0,
    thorough: bool = False,
) -> Generator[CalibrationStep, None, PhaseResponse]:
    """Measure a chequerboard of four blocks on the last patch: half at grey 0, half at grey g, for many g.

    Whatever the optics, the field on the camera is A + exp(j phi(g)) B, so every pixel sees
    a + b cos phi(g) + c sin phi(g) with its own a, b, c: over all pixels the frames form an ellipse
    in a plane, which principal components find and which is mapped back to a circle (phase
    shifting by principal components, Vargas 2011). Nothing of the optics need be known.

    At a block's rim the fringing field makes phases in between, which biases the result. A random
    pattern on the patch before scatters the light, so that it interferes all over the camera and not at
    the rims alone; and what is left grows with the rims' length, so that two lengths, 1 and 3, tell the
    phase without rims: phi_1 - (phi_3 - phi_1) / 2. That takes rims that are lit alike: two further ones
    beside each (with rims spread over the patch, 0.020 rad were left instead of 0.011, worst of 8 mock
    benches). Where one patch is all there is, as on a bench with the camera in the Fourier plane, the half
    that rests scatters: without that, a symmetric pattern shows cos phi alone.

    A smooth response needs few levels: what limits it are the rims, and not noise. Every fourth level is
    measured first, and those in between only if the result is no pass, if anything was noticed, or if the
    levels that were not fitted are missed.

    Args:
        bench: SLM and camera.
        layout: of the patches.
        levels: largest number of grey levels, at each length of the rims.
        seed: of the scattering pattern and of the levels' order.
        thorough: whether all levels are measured, whatever the first ones show.
    """
    top_grey = 2**bench.slm.bit_depth - 1
    greys = np.unique(np.rint(np.linspace(0, top_grey, levels)).astype(int))
    rng = np.random.default_rng(seed + 1)
    series = [_Series(bench, chequerboard(layout, rims, top_grey, seed)) for rims in RIM_PX]
    done = 0
    for stride in STRIDES[-1:] if thorough else STRIDES:
        wanted = greys[_every(stride, len(greys))]
        missing = [grey for grey in wanted if grey not in series[0].greys]
        planned = done + len(series) * len(missing)
        for each, rims_px in zip(series, RIM_PX, strict=True):
            # In random order drift becomes noise, which the fit averages; in rising order a bend.
            for grey in rng.permutation(missing):
                picture = each.measure(int(grey))
                message = f"grey {grey}, {len(rims_px)} rims"
                yield CalibrationStep("phase response", done, planned, message, picture)
                done += 1
        response = _response(series, top_grey)
        if _enough(response):
            break
    return response


def _every(stride: int, count: int) -> npt.NDArray[np.int_]:
    """Return the numbers below count at a distance of stride, and the last one."""
    return np.unique(np.append(np.arange(0, count, stride), count - 1))


def _enough(response: PhaseResponse) -> bool:
    """Return whether levels in between would tell nothing that matters."""
    return (
        response.verdict.level != "fail"
        and not response.verdict.signs
        and response.held_out_rad < GOOD_HELD_OUT_RAD
        and response.brightness_scatter < GOOD_BRIGHTNESS
    )


class _Series:
    """Frames of one chequerboard, in the order in which they were taken. greys: level of each."""

    def __init__(self, bench: ObservedSLM, pattern: tuple[Array, npt.NDArray[np.bool_]]) -> None:
        self._bench = bench
        self._panel, self._where = pattern
        self._frames: list[npt.NDArray[np.float32]] = []
        self.greys: list[int] = []

    def measure(self, grey: int) -> npt.NDArray[np.float32]:
        """Take a frame (H, W) with one half of the squares at a level; counts above the dark level."""
        bench = self._bench
        self._panel[self._where] = grey
        bench.slm.set_grey(self._panel)
        bench.settle()
        frame = bench.camera.get_frame().pixels - np.float32(bench.pedestal_counts)
        self._frames.append(frame)
        self.greys.append(grey)
        return frame

    @property
    def rising(self) -> npt.NDArray[np.intp]:
        """Return the numbers of the frames in the order of their levels."""
        return np.argsort(self.greys)

    def lit(self) -> Array:
        """Return all frames (K, pixels) in their order, of the pixels that never saturate."""
        bench = self._bench
        full = full_scale_counts(bench.camera) - bench.pedestal_counts
        frames = np.stack(self._frames)
        return frames[:, (frames < full).all(axis=0)].astype(np.float64)


def _response(series: list[_Series], top_grey: int) -> PhaseResponse:
    """Return what the series of both lengths of the rims tell; a failure if frames do not follow levels."""
    found: list[Array] = []
    signs: list[Sign] = []
    scatters: list[float] = []
    for each in series:
        in_time, rising = each.lit(), each.rising
        telling = _telling(in_time[rising])
        angle = _phase_from_frames(telling)
        if angle is None:
            verdict = _without_effect(in_time)
            return PhaseResponse(np.full(top_grey + 1, np.nan), float("nan"), verdict)
        found.append(angle)
        # Numbers of the levels in the order in which they were taken.
        seen, scatter = response_signs(telling, np.argsort(rising), angle)
        signs += [sign for sign in seen if sign not in signs]
        scatters.append(scatter)
    if max(scatters) > LEAST_BRIGHTNESS:
        signs.append("brightness scatters")
    few, many = found
    rims = (many - few) / 2.0
    greys = np.sort(series[0].greys)
    response = _smooth_response(few - rims, greys, top_grey)
    noise = response.held_out_rad * np.sqrt(POLYNOMIAL_ORDER / len(greys))
    verdict = replace(response.verdict, signs=tuple(signs))
    sigma_rad = float(np.hypot(RIMS_LEFT * rims.std(), noise))
    return replace(response, sigma_rad=sigma_rad, brightness_scatter=max(scatters), verdict=verdict)


def _without_effect(in_time: Array) -> Verdict:
    """Return the failure of frames (K, pixels) that do not follow the grey level."""
    varies = brightness_alone(in_time)
    if varies > 0.0:
        return Verdict(
            "fail",
            f"the frames change in brightness by {varies:.0%} rms, far more than with the grey level",
            "Let the laser warm up; look for mode hops and reflections back into it.",
            ("brightness scatters",),
        )
    still: tuple[Sign, ...] = ("picture stands still",) if stands_still(in_time) else ()
    return Verdict(
        "fail",
        "the frames hardly change with the grey level",
        "Check that the laser is on, that the SLM shows patterns, and its polarisation.",
        ("grey levels without effect", *still),
    )


def chequerboard(
    layout: PatchLayout, rims_px: tuple[int, ...], top_grey: int, seed: int
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return a panel with the scattering pattern, and where on it grey g goes.

    Args:
        layout: Of the panel.
        rims_px: Where its squares meet, from the patch's middle on.
        top_grey: Largest grey level.
        seed: Of the pattern.
    """
    height, width = layout.patch_shape
    places = [np.s_[layout.top : layout.top + height, left : left + width] for left in layout.lefts]
    rows, columns = (
        sum(np.arange(side) >= side // 2 + rim for rim in rims_px) for side in layout.patch_shape
    )
    where = np.zeros(layout.panel_shape, bool)
    where[places[-1]] = (np.add.outer(rows, columns)) % 2 == 0
    panel = np.zeros(layout.panel_shape)
    rng = np.random.default_rng(seed)
    if len(places) == 1:
        grains = rng.integers(0, top_grey + 1, (COARSE, COARSE))
        panel[places[0]] = _magnified(grains, layout.patch_shape)
    else:
        grains = rng.integers(0, top_grey + 1, (-(-height // GRAIN_PX), -(-width // GRAIN_PX)))
        panel[places[-2]] = _magnified(grains, layout.patch_shape)
    return panel, where


def _magnified(cells: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Return each cell as a block, all together (h, w)."""
    rows, columns = (np.arange(n) * cells.shape[i] // n for i, n in enumerate(shape))
    return cells[np.ix_(rows, columns)]


def _telling(frames: Array) -> Array:
    """Select the pixels of frames (K, pixels), in the order of grey levels, that change more than noise.

    From one level to the next light changes smoothly; noise is what second differences show.
    """
    noise = np.mean(np.diff(frames, n=2, axis=0) ** 2, axis=0) / 6.0
    return frames[:, frames.var(axis=0) > MORE_THAN_NOISE * noise]


def _phase_from_frames(frames: Array) -> Array | None:
    """Return the phase (K,) of frames (K, pixels) against the first; None if they show none."""
    if frames.shape[1] < 2:
        return None
    centred = frames - frames.mean(axis=0)
    # The small Gram matrix has the same principal components as the large covariance.
    values, vectors = np.linalg.eigh(centred @ centred.T)
    if values[-2] < LEAST_LIGHT * max(values[-3], 1e-12):
        return None
    points = vectors[:, -2:] * np.sqrt(values[-2:])
    mapped = circle_from_ellipse(points)
    if mapped is None:
        return None
    centre, to_circle = mapped
    circle = (points - centre) @ to_circle
    angle = np.asarray(np.unwrap(np.arctan2(circle[:, 1], circle[:, 0])), np.float64)
    upwards = 1.0 if angle[-1] > angle[0] else -1.0
    result: Array = upwards * (angle - angle[0])
    return result


def _smooth_response(angle: Array, greys: npt.NDArray[np.int_], top_grey: int) -> PhaseResponse:
    """Fit a polynomial to four fifths of the levels, and check it on the others."""
    x = greys / top_grey
    held = np.arange(len(greys)) % 5 == 2
    powers = np.arange(1, POLYNOMIAL_ORDER + 1)
    weights = np.linalg.lstsq(x[~held, None] ** powers, angle[~held], rcond=None)[0]
    check = float(np.sqrt(np.mean((x[held, None] ** powers @ weights - angle[held]) ** 2)))
    table = (np.arange(top_grey + 1) / top_grey)[:, None] ** powers @ weights
    verdict = Verdict(
        "pass", f"full stroke {table[-1] / np.pi:.2f} pi, known to {check:.3f} rad on check levels"
    )
    if check > LARGEST_RESIDUAL_RAD or (np.diff(table) < -0.01).any():
        verdict = Verdict(
            "fail",
            f"the response is not monotone, or misses check levels by {check:.2f} rad",
            "Is the laser's power steady and nothing saturated? Run it again.",
        )
    elif missing := missing_share(table):
        verdict = Verdict(
            "warn",
            f"{verdict.reason}: short of 2 pi; {missing:.0%} of all phases are shown as the nearer end",
            SHORT_REMEDY,
        )
    return PhaseResponse(table, check, verdict)


def missing_share(phase_by_grey_rad: Array) -> float:
    """Return the share of a turn that no grey level reaches; 0 for a step between two levels."""
    turn_rad = 2.0 * np.pi
    missing_rad = turn_rad - float(np.ptp(phase_by_grey_rad))
    steps_rad = LEAST_MISSING_STEPS * turn_rad / len(phase_by_grey_rad)
    return missing_rad / turn_rad if missing_rad > steps_rad else 0.0
