"""The laser, its shutter and the meter that reads it."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.errors import DeviceStateError, DeviceValueError
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockFaultSettings, MockSettings

GEOMETRY = MockGeometry(
    850.0, 9.2, (24, 60), (16, 16), 4, (2, 22, 42), 2.0, 0.1, "slm_patch", (24, 24), 3.45, 12, 0.4
)
STEADY = MockSettings(threads=1).off()


def laboratory(settings: MockSettings = STEADY, seed: int = 1) -> MockLaboratory:
    return MockLaboratory.create(GEOMETRY, settings, seed)


def lit(settings: MockSettings = STEADY, seed: int = 1) -> MockLaboratory:
    lab = laboratory(settings, seed)
    lab.laser.emission = True
    lab.world.clock.sleep_s(lab.laser.timing.total_ms * 1e-3)
    return lab


def wait_for_shutter(lab: MockLaboratory, share: float) -> None:
    lab.world.clock.sleep_s(share * lab.laser.timing.total_ms * 1e-3)


def test_dark_until_the_emission_is_switched_on() -> None:
    lab = laboratory()
    lab.world.clock.sleep_s(10.0)
    assert not lab.laser.emission
    assert lab.power_meter.read_mw() == 0.0
    assert not lab.camera.get_frame().pixels.any()


def test_light_comes_once_the_shutter_has_opened() -> None:
    lab = laboratory()
    lab.laser.emission = True
    assert lab.laser.emission, "it will emit"
    wait_for_shutter(lab, 0.99)
    assert lab.power_meter.read_mw() == 0.0
    wait_for_shutter(lab, 0.01)
    assert lab.power_meter.read_mw() == lab.laser.power_mw > 0.0


def test_light_goes_once_the_shutter_has_shut() -> None:
    lab = lit()
    lab.laser.emission = False
    assert not lab.laser.emission
    wait_for_shutter(lab, 0.99)
    assert lab.power_meter.read_mw() == lab.laser.power_mw
    wait_for_shutter(lab, 0.01)
    assert lab.power_meter.read_mw() == 0.0


def test_to_switch_on_what_is_on_costs_no_light() -> None:
    lab = lit()
    lab.laser.emission = True
    assert lab.power_meter.read_mw() == lab.laser.power_mw


def test_the_camera_sees_the_shutter_open() -> None:
    lab = laboratory()
    lab.laser.emission = True
    dark = lab.camera.get_frame().pixels
    wait_for_shutter(lab, 1.0)
    assert not dark.any()
    assert lab.camera.get_frame().pixels.any()


@pytest.mark.parametrize("power_mw", [-0.001, 100.001, float("nan"), float("inf")])
def test_power_outside_its_range_is_refused_with_the_limits(power_mw: float) -> None:
    laser = laboratory().laser
    before = laser.power_mw
    low, high = laser.power_range_mw
    with pytest.raises(DeviceValueError, match=f"{low} ... {high} mW"):
        laser.power_mw = power_mw
    assert laser.power_mw == before


def test_both_ends_of_the_power_range_are_allowed() -> None:
    lab = lit()
    for power_mw in lab.laser.power_range_mw:
        lab.laser.power_mw = power_mw
        assert lab.laser.power_mw == power_mw
        assert lab.power_meter.read_mw() == power_mw


def test_the_meter_and_the_camera_follow_the_power() -> None:
    lab = lit()
    readings, counts = [], []
    for power_mw in (2.0, 4.0, 8.0):
        lab.laser.power_mw = power_mw
        readings.append(lab.power_meter.read_mw())
        counts.append(lab.camera.get_frame().pixels.astype(float))
    assert readings == [2.0, 4.0, 8.0]
    # Each count is rounded: 0.5 of the brighter frame, and twice 0.5 of the dimmer.
    assert counts[2].max() > 200
    assert np.abs(counts[1] - 2.0 * counts[0]).max() <= 1.5
    assert np.abs(counts[2] - 2.0 * counts[1]).max() <= 1.5


def test_the_power_drifts_by_the_setting_and_the_meter_reads_it() -> None:
    lab = lit(MockSettings(threads=1).only("drift.power"))
    for _ in range(20):
        lab.world.clock.sleep_s(60.0)
        share = lab.world.drift.at(lab.world.clock.now_s()).power
        assert share != 0.0
        assert lab.power_meter.read_mw() == pytest.approx(lab.laser.power_mw * (1.0 + share))
    assert lab.laser.power_mw == laboratory().laser.power_mw, "as set, not as it is"


def test_the_interlock_shuts_the_laser_and_it_stays_shut() -> None:
    lab = lit()
    assert lab.camera.get_frame().pixels.any()
    lab.world.faults.add("laser_shut", 2)
    assert lab.laser.emission and lab.power_meter.read_mw() > 0.0, "not before its frame"
    assert not lab.camera.get_frame().pixels.any()
    assert not lab.laser.emission
    assert lab.power_meter.read_mw() == 0.0
    assert not lab.camera.get_frame().pixels.any(), "the fault is over, and the laser still off"
    lab.laser.emission = True
    wait_for_shutter(lab, 1.0)
    assert lab.camera.get_frame().pixels.any()


@pytest.mark.parametrize("first", [1, 3])
def test_the_interlock_darkens_the_frame_that_is_scripted_first(first: int) -> None:
    lab = lit(
        STEADY.model_copy(update={"faults": MockFaultSettings(script=(f"laser_shut@{first}",))})
    )
    bright = []
    for _ in range(4):
        assert lab.laser.emission == lab.laser.emission == all(bright), "to ask changes nothing"
        bright.append(bool(lab.camera.get_frame().pixels.any()))
    assert bright == [number < first for number in range(1, 5)]


def test_while_the_interlock_is_open_every_frame_finds_the_laser_shut_again() -> None:
    lab = lit(STEADY.model_copy(update={"faults": MockFaultSettings(script=("laser_shut@1-2",))}))
    for expected in (False, False, True):
        lab.laser.emission = True
        wait_for_shutter(lab, 1.0)
        assert lab.camera.get_frame().pixels.any() == expected


def test_a_closed_laser_is_dark_and_does_not_come_back() -> None:
    lab = lit()
    lab.laser.close()
    lab.laser.close()
    wait_for_shutter(lab, 1.0)
    assert lab.power_meter.read_mw() == 0.0
    with pytest.raises(DeviceStateError, match="closed"):
        lab.laser.emission = True
    lab.laser.emission = False


def test_the_wavelength_is_the_data_sheets() -> None:
    assert laboratory(MockSettings(), seed=3).laser.wavelength_nm == GEOMETRY.wavelength_nm
