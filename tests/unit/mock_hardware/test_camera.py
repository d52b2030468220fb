"""The camera: exposures while something moves, pixels, windows, its cable."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceStateError,
    DeviceValueError,
)
from drivers.types import Roi
from mock_hardware.settings import MockSettings
from tests.unit.mock_hardware.camera_bench import (
    AT_ONCE,
    GEOMETRY,
    LARGEST,
    REFRESH_S,
    STRIPES,
    counts,
    laboratory,
    perfect,
    settled_frames,
    wait_until,
)

# What an exposure sees while something moves


def test_a_frame_asked_for_too_early_has_no_name_and_is_not_the_settled_one() -> None:
    lab = laboratory()
    flat = counts(lab.camera.get_frame())
    pattern = lab.slm.set_phase(STRIPES)
    refresh_hz = lab.world.settings.slm.refresh_hz
    refresh_s = np.ceil(lab.world.clock.now_s() * refresh_hz) / refresh_hz
    wait_until(lab, refresh_s + 0.5e-3 * lab.world.settings.slm.scan_ms)
    early = lab.camera.get_frame()
    lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)
    settled = lab.camera.get_frame()
    assert early.pattern_id is None and settled.pattern_id == pattern
    apart = np.abs(counts(settled) - flat).sum()
    assert np.abs(counts(early) - counts(settled)).sum() > 0.1 * apart
    assert np.abs(counts(early) - flat).sum() > 0.1 * apart


def test_a_frame_before_the_refresh_still_shows_the_old_pattern_and_says_so() -> None:
    lab = laboratory(perfect(slm=AT_ONCE))
    flat = lab.camera.get_frame()
    wait_until(lab, 1.1 * REFRESH_S)
    lab.slm.set_phase(STRIPES)
    early = lab.camera.get_frame()
    assert early.pattern_id == flat.pattern_id == 0
    assert np.array_equal(early.pixels, flat.pixels)


@pytest.mark.parametrize("new_share", [1 / 3, 1 / 2, 5 / 6])
def test_a_global_shutter_sees_two_patterns_each_for_its_share_of_the_exposure(
    new_share: float,
) -> None:
    settings = perfect(slm=AT_ONCE, camera={"trigger_us": 0.0})
    flat, stripes = settled_frames(settings)
    lab = laboratory(settings)
    lab.slm.set_phase(STRIPES)
    wait_until(lab, REFRESH_S - (1.0 - new_share) * lab.camera.exposure_ms * 1e-3)
    torn = lab.camera.get_frame()
    assert torn.pattern_id is None
    # Three roundings, each of half a count.
    assert np.abs(counts(torn) - (1.0 - new_share) * flat - new_share * stripes).max() <= 1.01
    assert np.abs(stripes - flat).max() > 100.0, "the patterns can be told apart"


def test_a_rolling_shutter_shows_two_patterns_in_the_rows_of_one_frame() -> None:
    line_s, exposure_s = 2e-4, 5e-4
    camera = {"shutter": "rolling", "line_us": line_s * 1e6, "trigger_us": 0.0}
    settings = perfect(slm=AT_ONCE, camera=camera)
    flat, stripes = settled_frames(settings)
    lab = laboratory(settings)
    lab.camera.exposure_ms = exposure_s * 1e3
    lab.slm.set_phase(STRIPES)
    rows = np.arange(GEOMETRY.camera_shape[0])
    change = 18  # the row whose exposure begins with the change
    wait_until(lab, REFRESH_S - change * line_s)
    torn = lab.camera.get_frame()
    # Light is looked at a few times an exposure: rows near the change may be of either.
    margin = (exposure_s + line_s * len(rows)) / line_s / 6
    old = rows + exposure_s / line_s < change - margin
    new = rows > change + margin
    share = exposure_s * 1e3  # of the 1 ms of the settled frames
    assert torn.pattern_id is None
    assert old.sum() > 5 and new.sum() > 5
    assert np.abs(stripes - flat)[old | new].max() > 100.0
    assert np.abs(counts(torn) - share * flat)[old].max() <= 1.01
    assert np.abs(counts(torn) - share * stripes)[new].max() <= 1.01


def test_a_rolling_shutter_takes_longer_by_a_line_for_each_row() -> None:
    lab = laboratory(perfect(camera={"shutter": "rolling", "line_us": 100.0}))
    whole_ms = lab.camera.timing.duration_ms
    global_ms = laboratory().camera.timing.duration_ms
    assert whole_ms - global_ms == pytest.approx(0.1 * GEOMETRY.camera_shape[0])
    lab.camera.roi = Roi(0, 0, 10, 44)
    assert lab.camera.timing.duration_ms - global_ms == pytest.approx(0.1 * 10)


def test_without_motion_the_kind_of_shutter_does_not_matter() -> None:
    rolling = laboratory(perfect(camera={"shutter": "rolling", "line_us": 100.0}))
    frame = rolling.camera.get_frame()
    assert frame.pattern_id == 0
    assert np.array_equal(frame.pixels, laboratory().camera.get_frame().pixels)


# Pixels


def test_counts_grow_with_the_exposure() -> None:
    lab = laboratory()
    lab.laser.power_mw = 1.0
    seen = []
    for exposure_ms in (2.0, 4.0):
        lab.camera.exposure_ms = exposure_ms
        seen.append(counts(lab.camera.get_frame()))
    assert seen[1].max() > 100.0
    assert np.abs(seen[1] - 2.0 * seen[0]).max() <= 1.5


@pytest.mark.parametrize("exposure_ms", [0.5, 20.0])
def test_both_packings_carry_the_same_counts(exposure_ms: float) -> None:
    frames = {}
    for packing in ("right", "left"):
        settings = MockSettings.model_validate({"threads": 1, "camera": {"packing": packing}})
        lab = laboratory(settings)
        lab.camera.exposure_ms = exposure_ms
        frames[packing] = lab.camera.get_frame()
    right, left = frames["right"], frames["left"]
    assert right.pixels.max() <= LARGEST < left.pixels.max()
    assert left.pixels.dtype == right.pixels.dtype == np.uint16
    assert np.array_equal(left.pixels >> (16 - GEOMETRY.camera_bit_depth), right.pixels)
    assert not (left.pixels % 2 ** (16 - GEOMETRY.camera_bit_depth)).any()
    assert left.saturated_fraction == right.saturated_fraction


def test_saturated_fraction_is_the_share_of_pixels_at_the_largest_count() -> None:
    lab = laboratory()
    fractions = []
    for exposure_ms in (0.1, 5.0, 20.0, 80.0):
        lab.camera.exposure_ms = exposure_ms
        frame = lab.camera.get_frame()
        assert frame.saturated_fraction == pytest.approx(np.mean(frame.pixels == LARGEST))
        assert frame.pixels.max() <= LARGEST
        fractions.append(frame.saturated_fraction)
    assert fractions[0] == 0.0 < fractions[1] < fractions[2] < fractions[3] <= 1.0


@pytest.mark.parametrize("roi", [Roi(0, 0, 40, 44), Roi(7, 11, 20, 9), Roi(39, 43, 1, 1)])
def test_a_window_is_the_crop_of_the_full_frame(roi: Roi) -> None:
    """Without noise, and with what belongs to the pixels of the sensor."""
    fixed = ("pedestal", "offset_pattern_electrons", "gain_pattern", "defects")
    relay = ("rotation_deg", "offset_px", "distortion", "aberration_rad")
    wanted = [f"camera.{d}" for d in fixed] + [f"relay.{d}" for d in relay]
    settings = MockSettings.model_validate({"threads": 1, "camera": {"defects": 0.02}}).only(
        *wanted
    )
    lab = laboratory(settings)
    full = lab.camera.get_frame()
    lab.camera.roi = roi
    window = lab.camera.get_frame()
    crop = full.pixels[roi.top : roi.top + roi.height, roi.left : roi.left + roi.width]
    assert full.roi == Roi(0, 0, *GEOMETRY.camera_shape) and window.roi == roi
    assert np.array_equal(window.pixels, crop)


@pytest.mark.parametrize(
    "roi", [Roi(-1, 0, 8, 8), Roi(0, 37, 8, 8), Roi(33, 0, 8, 8), Roi(0, 0, 0, 8)]
)
def test_a_window_that_does_not_fit_the_sensor_is_refused(roi: Roi) -> None:
    camera = laboratory().camera
    before = camera.roi
    with pytest.raises(DeviceValueError, match="does not fit"):
        camera.roi = roi
    assert camera.roi == before


@pytest.mark.parametrize("exposure_ms", [0.0, -1.0, 0.00499, 1000.1, float("nan"), float("inf")])
def test_an_exposure_out_of_range_is_refused_with_the_limits(exposure_ms: float) -> None:
    camera = laboratory().camera
    low, high = camera.exposure_range_ms
    with pytest.raises(DeviceValueError, match=f"{low} ... {high} ms"):
        camera.exposure_ms = exposure_ms
    assert camera.exposure_ms == camera.get_frame().exposure_ms == 1.0


def test_both_ends_of_the_exposure_range_are_allowed() -> None:
    camera = laboratory().camera
    for exposure_ms in camera.exposure_range_ms:
        camera.exposure_ms = exposure_ms
        assert camera.get_frame().exposure_ms == exposure_ms


# Cable and closing


def test_an_unplugged_camera_says_so_until_it_is_plugged_in_again() -> None:
    lab = laboratory()
    first = lab.camera.get_frame()
    lab.camera.unplug()
    for _ in range(3):
        with pytest.raises(DeviceDisconnectedError, match="after 1 frames"):
            lab.camera.get_frame()
    lab.camera.plug_in()
    again = lab.camera.get_frame()
    assert again.sequence == first.sequence + 1
    assert np.array_equal(again.pixels, first.pixels)


def test_a_closed_camera_gives_no_frame() -> None:
    lab = laboratory()
    lab.camera.close()
    with pytest.raises(DeviceStateError, match="closed"):
        lab.camera.get_frame()
    assert lab.camera.requests == 0
