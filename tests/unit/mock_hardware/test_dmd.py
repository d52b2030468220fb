"""The micro-mirror device: when its light changes, and to what."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from drivers.errors import DeviceStateError, DeviceValueError
from mock_hardware.dmd import MockDMD
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings

GEOMETRY = MockGeometry(
    850.0, 9.2, (40, 80), (24, 24), 8, (4, 44), 3.0, 0.1, "dmd", (40, 44), 3.45, 12, 0.6
)
SHAPE = GEOMETRY.patch_shape
RAMP = np.linspace(0.0, 1.0, SHAPE[0] * SHAPE[1]).reshape(SHAPE)
ONES = np.ones(SHAPE)
US = 1e-6


def laboratory(**dmd: Any) -> tuple[MockLaboratory, MockDMD]:
    """A perfect bench with the laser on."""
    settings = MockSettings(threads=1).off()
    settings = settings.model_copy(update={"dmd": settings.dmd.model_copy(update=dmd)})
    lab = MockLaboratory.create(GEOMETRY, settings, 1)
    lab.laser.emission = True
    lab.world.clock.sleep_s(lab.laser.timing.total_ms * 1e-3)
    assert lab.dmd is not None
    return lab, lab.dmd


def shown(lab: MockLaboratory, dmd: MockDMD, field: npt.NDArray[np.float64]) -> int:
    """Show a field and wait until it stands."""
    pattern = dmd.show(field)
    lab.world.clock.sleep_s(dmd.timing.total_ms * 1e-3)
    return pattern


def test_a_bench_whose_input_is_an_slm_patch_has_none() -> None:
    geometry = MockGeometry(
        850.0, 9.2, (40, 80), SHAPE, 8, (4, 44), 3.0, 0.1, "slm_patch", (40, 44), 3.45, 12, 0.6
    )
    assert MockLaboratory.create(geometry, MockSettings(threads=1)).dmd is None


def test_the_declared_time_is_the_time_to_load_and_to_move() -> None:
    _, dmd = laboratory(load_us=300.0, mirror_us=20.0)
    assert dmd.timing.latency_ms == pytest.approx(0.3)
    assert dmd.timing.duration_ms == pytest.approx(0.02)


def test_the_old_field_stands_while_the_new_one_loads_and_mirrors_in_motion_are_dark() -> None:
    lab, dmd = laboratory(load_us=300.0, mirror_us=20.0)
    shown(lab, dmd, ONES)
    start_s = lab.world.clock.now_s()
    dmd.show(0.5 * ONES)
    assert np.all(dmd.mirrors.field(start_s) == 1.0)
    assert np.all(dmd.mirrors.field(start_s + 299 * US) == 1.0)
    assert np.all(dmd.mirrors.field(start_s + 301 * US) == 0.0)
    assert np.all(dmd.mirrors.field(start_s + 319 * US) == 0.0)
    assert np.all(dmd.mirrors.field(start_s + 321 * US) == 0.5)


def test_the_camera_sees_darkness_while_the_mirrors_move() -> None:
    lab, dmd = laboratory(load_us=100.0, mirror_us=4000.0)
    shown(lab, dmd, ONES)
    lab.camera.exposure_ms = 1.0
    lit = lab.camera.get_frame()
    dmd.show(ONES)
    lab.world.clock.sleep_s(200 * US)
    moving = lab.camera.get_frame()
    lab.world.clock.sleep_s(dmd.timing.total_ms * 1e-3)
    after = lab.camera.get_frame()
    assert lit.pixels.any() and not moving.pixels.any()
    assert (lit.pattern_id, moving.pattern_id, after.pattern_id) == (1, None, 2)
    assert np.array_equal(after.pixels, lit.pixels)


def test_dark_before_the_first_pattern() -> None:
    lab, _ = laboratory()
    frame = lab.camera.get_frame()
    assert frame.pattern_id == 0 and not frame.pixels.any()


@pytest.mark.parametrize("mirrors", [1, 4, 256])
def test_amplitudes_are_whole_numbers_of_mirrors(mirrors: int) -> None:
    lab, dmd = laboratory(mirrors_per_superpixel=mirrors)
    shown(lab, dmd, RAMP)
    field = dmd.mirrors.field(lab.world.clock.now_s()) * mirrors
    np.testing.assert_allclose(field, np.round(field), atol=1e-4)
    assert np.abs(field - RAMP * mirrors).max() <= 0.5 + 1e-4
    assert len(np.unique(np.round(field))) == mirrors + 1, "all levels from dark to full"


def test_amplitudes_within_one_mirror_give_the_same_light() -> None:
    lab, dmd = laboratory(mirrors_per_superpixel=4)
    frames = []
    for amplitude in (0.45, 0.55, 0.70):
        shown(lab, dmd, amplitude * ONES)
        frames.append(lab.camera.get_frame().pixels.astype(float))
    assert np.array_equal(frames[0], frames[1])
    # Half of the mirrors and three quarters: intensity is amplitude squared; counts are rounded.
    assert np.abs(frames[2] - (0.75 / 0.5) ** 2 * frames[1]).max() <= 0.5 + 0.5 * (0.75 / 0.5) ** 2


def test_patterns_are_numbered_from_one() -> None:
    lab, dmd = laboratory()
    assert [shown(lab, dmd, RAMP) for _ in range(3)] == [1, 2, 3]


def test_a_pattern_is_named_only_while_no_mirror_moves() -> None:
    lab, dmd = laboratory(load_us=300.0, mirror_us=20.0)
    shown(lab, dmd, ONES)
    start_s = lab.world.clock.now_s()
    dmd.show(RAMP)
    moves_s, stands_s = start_s + 300 * US, start_s + 320 * US
    assert dmd.mirrors.pattern_during(start_s, moves_s) == 1
    assert dmd.mirrors.pattern_during(start_s, moves_s + 1 * US) is None
    assert dmd.mirrors.pattern_during(moves_s + 1 * US, stands_s - 1 * US) is None
    assert dmd.mirrors.pattern_during(stands_s - 1 * US, 1.0) is None
    assert dmd.mirrors.pattern_during(start_s, 1.0) is None
    assert dmd.mirrors.pattern_during(stands_s, 1.0) == 2


def test_a_sequence_shows_a_field_each_period_and_the_last_one_stays() -> None:
    lab, dmd = laboratory(load_us=300.0, mirror_us=20.0)
    start_s = lab.world.clock.now_s()
    levels = (0.25, 1.0, 0.5)
    fields = np.stack([level * ONES for level in levels])
    patterns = dmd.show_sequence(fields, 2.0)
    assert patterns == [1, 2, 3]
    for number, level in enumerate(levels):
        stands_s = start_s + (320 + 2000 * number) * US
        goes_s = stands_s + 1980 * US if number < 2 else 1.0
        assert np.all(dmd.mirrors.field(stands_s - 2 * US) == 0.0), "mirrors move"
        assert np.all(dmd.mirrors.field(stands_s + 1 * US) == level)
        assert np.all(dmd.mirrors.field(goes_s - 1 * US) == level)
        assert dmd.mirrors.pattern_during(stands_s, goes_s) == patterns[number]
        assert dmd.mirrors.pattern_during(stands_s - 1 * US, goes_s) is None
        if number < 2:
            assert dmd.mirrors.pattern_during(stands_s, goes_s + 1 * US) is None


def test_another_field_ends_a_sequence() -> None:
    lab, dmd = laboratory(load_us=300.0, mirror_us=20.0)
    dmd.show_sequence(np.stack([ONES, ONES, ONES]), 2.0)
    lab.world.clock.sleep_s(1000 * US)
    pattern = dmd.show(0.5 * ONES)
    lab.world.clock.sleep_s(5000 * US)
    assert pattern == 4
    assert np.all(dmd.mirrors.field(lab.world.clock.now_s()) == 0.5)


def test_a_sequence_that_is_too_fast_for_the_mirrors_is_refused() -> None:
    _, dmd = laboratory(load_us=300.0, mirror_us=20.0)
    with pytest.raises(DeviceValueError, match="a period of 0.3 ms; at least 0.32 ms"):
        dmd.show_sequence(np.stack([ONES, ONES]), 0.3)


def test_a_frame_names_the_pattern_of_the_dmd_and_none_while_the_layers_move() -> None:
    lab, dmd = laboratory()
    shown(lab, dmd, ONES)
    lab.slm.set_phase(np.full(lab.slm.shape, 3.0))
    lab.world.clock.sleep_s(lab.slm.timing.latency_ms * 1e-3 + 5e-3)
    assert lab.camera.get_frame().pattern_id is None
    lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)
    assert lab.camera.get_frame().pattern_id == 1


def test_the_blaze_loses_the_share_of_the_intensity_that_the_setting_says() -> None:
    planes = []
    for loss in (0.0, 0.12, 0.5):
        lab, dmd = laboratory(diffraction_loss=loss)
        shown(lab, dmd, RAMP)
        now_s = lab.world.clock.now_s()
        field = dmd.mirrors.field(now_s).astype(np.float32)
        planes.append(lab.world.light_path.plane(lab.world.crystal.phase(now_s), field))
    for plane, loss in zip(planes[1:], (0.12, 0.5), strict=True):
        np.testing.assert_allclose(plane, (1.0 - loss) * planes[0], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (ONES[1:], "shape"),
        (np.where(RAMP > 0.5, np.nan, RAMP), "finite"),
        (1.001 * ONES, "outside 0 ... 1"),
        (RAMP - 0.001, "outside 0 ... 1"),
    ],
)
def test_a_field_that_it_cannot_show_is_refused(field: npt.NDArray[np.float64], words: str) -> None:
    lab, dmd = laboratory()
    shown(lab, dmd, 0.5 * ONES)
    with pytest.raises(DeviceValueError, match=words):
        dmd.show(field)
    assert np.all(dmd.mirrors.field(lab.world.clock.now_s() + 1.0) == 0.5)
    assert shown(lab, dmd, ONES) == 2, "what was refused has no number"


def test_closed_it_is_dark_and_takes_no_pattern() -> None:
    lab, dmd = laboratory()
    shown(lab, dmd, ONES)
    dmd.close()
    dmd.close()
    assert not lab.camera.get_frame().pixels.any()
    with pytest.raises(DeviceStateError, match="closed"):
        dmd.show(ONES)
