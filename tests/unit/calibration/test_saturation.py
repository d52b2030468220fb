"""Saturation below the declared full scale is found, believed and said; a healthy camera is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.camera import measure_camera
from calibration.exposure import Exposure, set_exposure
from calibration.packing import RightJustified, full_scale_counts
from calibration.saturation import key_to_set, level_of
from drivers.camera.wrapper import CameraWrapper
from drivers.types import Frame
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings
from tests.support.mock_bench import GEOMETRY, result_of

STARTS_MS = (0.01, 0.3, 2.0, 60.0, 1000.0)


def laboratory(
    declared_bits: int = 12, converter_bits: int = 0, well: float = 2.0
) -> MockLaboratory:
    """A bench whose camera declares some bits, converts fewer, or has a small well; its laser is on."""
    settings = MockSettings(threads=1)
    camera = settings.camera.model_copy(update={"converter_bits": converter_bits, "well": well})
    geometry = replace(GEOMETRY, camera_bit_depth=declared_bits)
    lab = MockLaboratory.create(geometry, settings.model_copy(update={"camera": camera}), 0)
    lab.laser.emission = True
    lab.world.clock.sleep_s(lab.laser.timing.total_ms / 1e3)
    return lab


def well_for(counts: float) -> float:
    """Return the well of a 12-bit camera that is full at a count."""
    return (counts / 4096.0) - 0.02


class Longest(CameraWrapper):
    """A camera that remembers its longest exposure."""

    longest_ms = 0.0

    def get_frame(self) -> Frame:
        self.longest_ms = max(self.longest_ms, self.exposure_ms)
        return super().get_frame()


def exposed(lab: MockLaboratory, start_ms: float, target: float = 0.5) -> tuple[Exposure, Longest]:
    camera = Longest(lab.camera)
    camera.exposure_ms = start_ms
    found = result_of(
        set_exposure(camera, lab.world.truth.pedestal_counts, target, laser=lab.laser)
    )
    return found, camera


@pytest.mark.parametrize("start_ms", STARTS_MS)
@pytest.mark.parametrize(
    ("declared", "converter", "level"), [(16, 12, 4095), (12, 10, 1023), (16, 8, 255)]
)
def test_fewer_bits_than_declared_are_taken_as_full_scale(
    declared: int, converter: int, level: int, start_ms: float
) -> None:
    lab = laboratory(declared, converter)
    power_mw = lab.laser.power_mw
    found, camera = exposed(lab, start_ms)
    assert found.saturation_counts == level
    assert found.verdict.level == "warn", found.verdict.reason
    assert f"counts stop rising at {level} of {2**declared - 1}" in found.verdict.reason
    assert f"camera.saturation_level = {level}" in found.verdict.remedy
    assert f"camera.bit_depth = {converter}" in found.verdict.remedy
    assert "power" not in found.verdict.remedy
    assert lab.laser.power_mw <= power_mw
    assert camera.longest_ms < 1000.0 or camera.longest_ms == start_ms
    frame = lab.camera.get_frame().pixels
    top = (np.quantile(frame, 0.999) - lab.world.truth.pedestal_counts) / level
    assert 0.4 < top < 0.6


@pytest.mark.parametrize("start_ms", STARTS_MS)
def test_a_full_well_below_the_converters_end_is_found(start_ms: float) -> None:
    found, _ = exposed(laboratory(well=well_for(2540)), start_ms, target=0.9)
    assert found.verdict.level == "warn", found.verdict.reason
    # Noise of some counts spreads what the well holds.
    assert found.saturation_counts == pytest.approx(2540, rel=0.02)
    assert "camera.saturation_level = " in found.verdict.remedy
    assert "bit_depth" not in found.verdict.remedy


def test_a_saturated_frame_that_fills_the_target_is_not_accepted() -> None:
    lab = laboratory(well=well_for(1300))
    found, _ = exposed(lab, 200.0, target=0.3)  # 1300 of 4095 fills it, at any longer exposure
    assert found.saturation_counts == pytest.approx(1300, rel=0.02)
    frame = lab.camera.get_frame().pixels
    assert np.quantile(frame, 0.999) < 0.5 * 1300


@pytest.mark.parametrize("start_ms", STARTS_MS)
@pytest.mark.parametrize("target", [0.3, 0.5, 0.9])
def test_a_healthy_camera_keeps_its_full_scale(start_ms: float, target: float) -> None:
    found, _ = exposed(laboratory(), start_ms, target)
    assert found.verdict.level == "pass"
    assert found.saturation_counts == 0.0
    assert target <= found.fill <= 1.1 * target


def test_an_exposure_that_is_right_is_left_as_it_is() -> None:
    lab = laboratory()
    first, _ = exposed(lab, 2.0)
    again, _ = exposed(lab, first.exposure_ms)
    assert again.exposure_ms == first.exposure_ms
    assert again.power_mw == first.power_mw


class AutomaticGain(CameraWrapper):
    """A camera whose brightest pixel always has the same count."""

    def converted(self, frame: Frame) -> Frame:
        pixels = frame.pixels.astype(np.float64)
        scaled = (pixels * (2000.0 / pixels.max())).astype(np.uint16)
        return replace_pixels(frame, scaled)


def replace_pixels(frame: Frame, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]) -> Frame:
    return Frame(
        pixels,
        frame.exposure_ms,
        frame.timestamp_s,
        frame.sequence,
        frame.pattern_id,
        0.0,
        frame.roi,
    )


def test_counts_that_stay_the_same_at_every_exposure_are_refused_with_the_remedy() -> None:
    lab = laboratory()
    camera = AutomaticGain(lab.camera)
    found = result_of(set_exposure(camera, 0.0))
    assert found.verdict.level == "fail"
    assert "do not fall" in found.verdict.reason
    assert "lower the laser's power" in found.verdict.remedy
    assert "automatic exposure" in found.verdict.remedy
    assert "Raise" not in found.verdict.remedy


def test_more_power_is_not_advised_for_a_sensor_that_is_saturated_at_its_longest_exposure() -> None:
    found, camera = exposed(laboratory(16, 12), 1000.0)
    assert "power" not in found.verdict.remedy
    assert camera.exposure_ms < 100.0


@pytest.mark.parametrize(
    ("lab", "level"),
    [
        (laboratory(16, 12), 4095.0),
        (laboratory(12, 10), 1023.0),
        (laboratory(well=well_for(2540)), 2540.0),
    ],
)
def test_the_camera_routine_finds_the_level_and_says_which_key_to_set(
    lab: MockLaboratory, level: float
) -> None:
    lab.camera.exposure_ms = 2.0
    camera = RightJustified(lab.camera)
    found = result_of(measure_camera(camera, lab.world.truth.pedestal_counts))
    assert found.saturation_counts == pytest.approx(level, rel=0.02)
    assert found.verdict.level == "warn", found.verdict.reason
    declared = 2**lab.camera.bit_depth - 1
    assert f"saturates at {found.saturation_counts:.0f}, and {declared} is declared" in (
        found.verdict.reason
    )
    assert f"camera.saturation_level = {found.saturation_counts:.0f}" in found.verdict.remedy


def test_declared_and_found_levels_are_the_full_scale_and_mark_saturated_pixels() -> None:
    lab = laboratory(16, 12)
    lab.camera.exposure_ms = 200.0
    assert lab.camera.get_frame().saturated_fraction == 0.0
    for camera in (RightJustified(lab.camera), RightJustified(lab.camera, declared_level=4095)):
        camera.found_level = 0 if camera.declared_level else 4095
        assert full_scale_counts(camera) == 4095
        frame = camera.get_frame()
        assert frame.saturated_fraction == (frame.pixels >= 4095).mean() > 0.01
    assert full_scale_counts(lab.camera) == 65535


def test_levels_of_frames() -> None:
    rng = np.random.default_rng(0)
    light = rng.exponential(300.0, (64, 64))
    noise = [rng.normal(0.0, 1.0, light.shape) for _ in range(2)]
    dim, bright = (
        np.rint(100.0 + factor * light + n) for factor, n in zip((1, 4), noise, strict=True)
    )
    assert level_of(dim, bright, 100.0) == 0
    assert level_of(np.minimum(dim, 600), np.minimum(bright, 600), 100.0) == 600
    assert level_of(np.minimum(dim, 600), np.minimum(bright, 1200), 100.0) == 0
    dark = [np.rint(100.0 + n) for n in noise]
    assert level_of(dark[0], dark[1], 100.0) == 0
    assert level_of(np.full((8, 8), 3), np.full((8, 8), 3), 2.9) == 0


def test_a_key_is_named_with_the_bit_depth_where_the_level_is_one() -> None:
    assert key_to_set(4095, 65535) == (
        "Set camera.saturation_level = 4095 in the bench file, or camera.bit_depth = 12 if the driver "
        "takes it."
    )
    assert key_to_set(2540.0, 4095) == "Set camera.saturation_level = 2540 in the bench file."
