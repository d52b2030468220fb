"""Signs in the frames of an alignment: when, where and how the fitted twin misses them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from calibration.alignment_found import AlignmentFound
from calibration.frame_residual import (
    changes_at,
    one_picture,
    response_of_pixels,
    roughness,
    second_image,
    two_levels,
)
from calibration.signs import Sign
from calibration.steady_light import (
    CLIPPED,
    DARK_CHANGE,
    EXPLAINED,
    LARGEST_OFFSET,
    LARGEST_POWER,
    LEAST_EXPONENT,
    POWER,
    SCATTER,
    SteadyLight,
)
from labdiff.calibrations.patch_residual import PatchResidual, patch_residual
from labdiff.calibrations.probe_frames import predicted
from twin.alignment_fit import Triples
from twin.digital_twin import DigitalTwin
from twin.discrepancy import discrepancy

Array = npt.NDArray[np.float64]
SHARP_KINDS = 3
"""So many of the last kinds are compared by place: they are sharp."""
SLOW, ROUGH = 0.5, 0.7
"""Roughness of the scale's course below which it is slow, and above which it differs at random."""
LEAST_COURSE = 4
"""Frames of a kind from which on their scale has a course in time."""
LEVELS = 0.94
"""Share of the scale's variance from which on it has two levels."""
ONE_PICTURE = 0.35
"""Share of the residual from which on it is one picture: what one sample a pixel misses is up to 0.15."""
DOUBTED = 0.005
"""Discrepancy beyond what a right model leaves (0.002) from which on places are looked for on patches."""
STRONGER = 3.5
"""Ratio of the discrepancies of strong and of weak patterns; of a right model it is 2."""
ONE_PICTURE_FRAMES = 24
"""Frames for which that holds; of fewer, what is independent has the larger a part in their mean."""
DARKER, DARK_PIXELS = -0.5, 8
"""Share of the light that a pixel lacks in all frames, and so many pixels are a sign."""
LEAST_LIGHT = 0.2
"""Light of a pixel over that of the others, rms, below which it tells nothing of what it lacks."""
IMAGE, SURE = 0.03, 12.0
"""Strength of a second image from which on it is one, and deviations by which it stands out."""
ZERO_ORDER_PERCENT, GHOST_PERCENT = 7.0, 3.0
"""Amplitudes of light that is not modulated, and of a second beam, beyond what benches have."""
BEAM_PX, EDGE_PX = 0.2, 0.15
"""How far the beam's centre, and the mirror's edge, may lie in the patch, shares of its side."""


@dataclass(frozen=True, slots=True)
class AlignmentSigns:
    """signs: what was seen. patches: where on the patches frames are wrong; None if all of them are missed.

    residual (h, w): mean of what the twin misses in sharp frames, share of the mean light.
    """

    signs: tuple[Sign, ...]
    patches: PatchResidual | None
    residual: npt.NDArray[np.float32]

    @property
    def sureness(self) -> npt.NDArray[np.float32]:
        """Return how sure it is that a pixel of a patch is wrong (P, h, w); empty if it is not known."""
        if self.patches is None:
            return np.zeros((0, 0, 0), np.float32)
        return self.patches.sure.astype(np.float32)


def alignment_signs(
    twin: DigitalTwin,
    kinds: Sequence[Triples],
    light: SteadyLight,
    largest_d: float,
    before: Sequence[Triples] = (),
) -> AlignmentSigns:
    """Return the signs in the frames of an alignment.

    Args:
        twin: as it was fitted.
        kinds: of probes, weak ones first, those that were not fitted last.
        light: what they show of power, gain and offset.
        largest_d: discrepancy up to which frames count as predicted.
        before: frames that were measured before those, and are not among them.
    """
    modelled = [predicted(twin, frames) for frames in kinds]
    missed = [_missed(*each) for each in zip(kinds, modelled, strict=True)]
    missed_before = [_missed(frames, predicted(twin, frames)) for frames in before]
    sharp = Triples.joined(list(kinds[-SHARP_KINDS:]))
    residual, scaled = _residual(sharp, torch.cat(modelled[-SHARP_KINDS:]))
    picture = (residual.mean(axis=0) / max(float(scaled.mean()), 1e-30)).astype(np.float32)
    # Of the light, frames that the model misses tell nothing.
    found = _of_power(light)
    if changes_at(np.concatenate([*missed_before, *missed])):
        return AlignmentSigns((*found, "frames after a moment"), None, picture)
    if float(np.median(missed[-1])) > 10.0 * largest_d:
        return AlignmentSigns((*found, "all frames missed"), None, picture)
    found += _of_scale(light, _courses(kinds, modelled))
    typical = [float(np.median(each)) for each in missed]
    patches = patch_residual(twin, sharp)
    if patches.any and typical[-1] > DOUBTED:
        found.append("places on a patch")
    if max(typical) > DOUBTED and max(typical) > STRONGER * typical[0]:
        found.append("strong patterns missed")
    dark = (response_of_pixels(residual, scaled) < DARKER) & _inside_light(scaled)
    if dark.sum() >= DARK_PIXELS:
        found.append("places on the sensor")
    if one_picture(residual) > _one_picture_limit(len(residual)):
        found.append("same picture in all frames")
    strength, sure = second_image(residual, scaled)
    if strength > IMAGE and sure > SURE:
        found.append("second image")
    return AlignmentSigns(tuple(found), patches, picture)


def _missed(frames: Triples, modelled: torch.Tensor) -> Array:
    return discrepancy(frames.intensity, modelled, frames.valid).numpy().astype(np.float64)


def parameter_signs(found: AlignmentFound, side_px: int) -> list[Sign]:
    """Return the signs in an alignment's parameters; side_px: of a patch."""
    value = dict(zip(found.names, found.value, strict=True))
    ghost = np.hypot(value.get("ghost_percent[0]", 0.0), value.get("ghost_percent[1]", 0.0))
    centre = max(abs(value.get(f"source_centre_px[{axis}]", 0.0)) for axis in range(2))
    off: list[tuple[Sign, bool]] = [
        (
            "beam off",
            centre > BEAM_PX * side_px or value.get("mirror_edge_px", 0.0) > EDGE_PX * side_px,
        ),
        ("zero order off", abs(value.get("zero_order_percent", 0.0)) > ZERO_ORDER_PERCENT),
        ("ghost off", ghost > GHOST_PERCENT),
    ]
    return [sign for sign, seen in off if seen]


def _residual(frames: Triples, modelled: torch.Tensor) -> tuple[Array, Array]:
    """Return what frames leave over, and the modelled frames at their scale, both (F, h, w)."""
    valid = frames.valid_pixels
    seen, model = frames.intensity * valid, modelled * valid
    scale = (seen * model).sum((1, 2)) / model.square().sum((1, 2)).clamp_min(1e-24)
    scaled = scale[:, None, None] * model
    return (seen - scaled).double().numpy(), scaled.double().numpy()


def _inside_light(modelled: Array) -> npt.NDArray[np.bool_]:
    """Return where (h, w) frames (F, h, w) have light, the rim aside, where the model has none beyond."""
    power = np.square(modelled).mean(axis=0)
    inside: npt.NDArray[np.bool_] = power > LEAST_LIGHT**2 * power.mean()
    inside[[0, -1], :] = False
    inside[:, [0, -1]] = False
    return inside


def _one_picture_limit(frames: int) -> float:
    """Return the share of the residual from which on it is one picture, of so many frames."""
    shared = 1.0 - (1.0 - ONE_PICTURE) / (1.0 - 1.0 / ONE_PICTURE_FRAMES)
    return shared + (1.0 - shared) / max(frames, 1)


def _courses(kinds: Sequence[Triples], modelled: Sequence[torch.Tensor]) -> list[Array]:
    """Return the logarithm of the scale of each kind's frames, without its mean; not of few frames."""
    found = []
    for frames, model in zip(kinds, modelled, strict=True):
        if len(model) < LEAST_COURSE:
            continue
        valid = frames.valid_pixels
        means = [(images * valid).sum((1, 2)).double() for images in (frames.intensity, model)]
        course = (means[0].clamp_min(1e-9) / means[1].clamp_min(1e-9)).log().numpy()
        found.append(course - course.mean())
    return found


def _of_power(light: SteadyLight) -> list[Sign]:
    """Return the signs for which no model of the frames is needed."""
    found: list[Sign] = []
    if abs(light.dark_change) > DARK_CHANGE:
        found.append("dark level changed")
    if light.clipped > CLIPPED:
        found.append("too much light")
    if light.power_minute > POWER or light.power_scatter > LARGEST_POWER:
        found.append("power of one pattern")
    return found


def _of_scale(light: SteadyLight, courses: list[Array]) -> list[Sign]:
    """Return the signs in offset and scale of the frames against the model."""
    found: list[Sign] = []
    if abs(light.offset) > LARGEST_OFFSET:
        found.append("offset")
    if not light.scale_scatter > SCATTER or light.misfit:
        return found
    if not courses:
        return found
    rough = roughness(courses)
    if abs(light.gain_exponent) > LEAST_EXPONENT and light.explained > EXPLAINED:
        found.append("scale with brightness")
    elif two_levels(courses) > LEVELS:
        found.append("scale in two levels")
    elif rough < SLOW:
        found.append("scale slowly")
    elif rough > ROUGH:
        found.append("scale from frame to frame")
    return found
