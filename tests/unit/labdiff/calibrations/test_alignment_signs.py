"""Signs in an alignment's frames, made by a twin that knows what is wrong and seen by one that does not."""

from __future__ import annotations

import pytest
import torch

from calibration.signs import Sign
from calibration.steady_light import SteadyLight
from labdiff.calibrations.alignment_signs import alignment_signs
from labdiff.calibrations.light_check import light_of
from labdiff.calibrations.patch_residual import patch_residual
from labdiff.calibrations.probe_frames import predicted
from twin.alignment_fit import Triples
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.probes import smooth_phases

SIDE, FRAMES, KINDS = 40, 10, 4
TWIN = DigitalTwin(TwinGeometry((SIDE, SIDE), 2, 9.2e-6, 850e-9, 2e-3, 0.25e-3, "slm_patch"))
NOISE = 0.01


def kinds() -> list[Triples]:
    """Frames of four kinds as the twin has them, with some noise."""
    found = []
    for number in range(KINDS):
        phases = smooth_phases(3 * FRAMES, (SIDE, SIDE), 2.0, number).view(FRAMES, 3, SIDE, SIDE)
        frames = Triples(phases[:, 0], phases[:, 1:], torch.zeros(FRAMES, SIDE, SIDE))
        found.append(with_light(frames, predicted(TWIN, frames), number))
    return found


def with_light(frames: Triples, light: torch.Tensor, seed: int = 9) -> Triples:
    noise = torch.randn(light.shape, generator=torch.Generator().manual_seed(seed))
    return Triples(frames.inputs, frames.phases, light * (1.0 + NOISE * noise))


def signs(frames: list[Triples]) -> tuple[Sign, ...]:
    return alignment_signs(TWIN, frames, light_of(TWIN, frames[-1]), 0.03).signs


def seen_with(frames: Triples, first: torch.Tensor) -> Triples:
    """Return the frames with another factor (h, w) on the first patch."""
    with torch.no_grad():
        modulated, layers = TWIN.modulation(frames.inputs, frames.phases)
        return with_light(frames, TWIN.intensity(modulated * first, layers))


def test_frames_as_the_twin_has_them_have_no_sign() -> None:
    assert signs(kinds()) == ()


def test_frames_from_another_bench_are_missed_from_one_moment_on() -> None:
    frames = kinds()
    for number in (2, 3):
        moved = torch.roll(frames[number].intensity, (4, 4), dims=(1, 2))
        frames[number] = with_light(frames[number], moved)
    assert "frames after a moment" in signs(frames)


def test_a_grain_is_found_on_its_patch() -> None:
    passed = torch.ones(SIDE, SIDE)
    passed[12:16, 20:24] = 0.0
    frames = [seen_with(each, passed) for each in kinds()]
    found = alignment_signs(TWIN, frames, light_of(TWIN, frames[-1]), 0.03)
    assert "places on a patch" in found.signs
    assert found.patches is not None
    assert found.patches.places[0, 11:17, 19:25].sum() >= 4
    assert found.patches.places[0].sum() > 5 * found.patches.places[1:].sum()
    assert found.patches.surest[0] == 0
    assert found.sureness.shape == (3, SIDE, SIDE)


def test_a_column_without_effect_is_found_as_a_column() -> None:
    frames = Triples.joined(kinds())
    phases = frames.phases.clone()
    phases[:, 1, :, 20] = 0.0
    stuck = Triples(frames.inputs, phases, frames.intensity)
    light = predicted(TWIN, stuck)
    found = patch_residual(TWIN, with_light(frames, light))
    patch, _, column = found.surest
    assert (patch, column) == (2, 20)
    assert str(found).endswith("patch 3")


def test_dark_pixels_of_the_camera_stay_on_the_sensor() -> None:
    frames = []
    for each in kinds():
        light = each.intensity.clone()
        light[:, 15:19, 15:19] = 0.0
        frames.append(with_light(each, light))
    assert "places on the sensor" in signs(frames)


def test_a_second_image_and_an_offset_have_signs_of_their_own() -> None:
    frames = []
    for each in kinds():
        light = each.intensity
        frames.append(with_light(each, light + 0.15 * torch.roll(light, (6, 6), dims=(1, 2))))
    assert "second image" in signs(frames)


@pytest.mark.parametrize(
    ("scale", "sign"),
    [
        (lambda t: 1.0 + 0.06 * torch.sin(0.1 * t), "scale slowly"),
        (lambda t: 1.0 - 0.1 * (t.remainder(7.0) < 3.0), "scale in two levels"),
        (lambda t: 1.0 + 0.06 * torch.sin(2.7 * t * t), "scale from frame to frame"),
    ],
)
def test_how_the_scale_varies_has_a_sign(scale: object, sign: Sign) -> None:
    assert callable(scale)
    frames = []
    for number, each in enumerate(kinds()):
        factor = scale(torch.arange(FRAMES) + float(FRAMES * number))
        frames.append(with_light(each, each.intensity * factor[:, None, None]))
    assert sign in signs(frames)


def test_what_the_light_shows_beside_the_frames_is_a_sign_too() -> None:
    light = SteadyLight(dark_change=0.02, clipped=0.05, power_scatter=0.1)
    found = alignment_signs(TWIN, kinds(), light, 0.03).signs
    assert set(found) >= {"dark level changed", "too much light", "power of one pattern"}
