"""Devices that lose their cable, or do not answer, by script and by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from drivers.errors import DeviceDisconnectedError, DeviceNotFoundError, DeviceTimeoutError
from drivers.types import Roi
from mock_hardware.connection import REPLY_TIMEOUT_MS
from mock_hardware.fault_script import FOR_EVER, Fault
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings

GEOMETRY = MockGeometry(
    850.0, 9.2, (40, 80), (24, 24), 8, (4, 44), 3.0, 0.1, "dmd", (41, 44), 3.45, 12, 0.6
)
STRIPES = np.tile(np.where(np.arange(80) // 4 % 2, 2.5, 0.0), (40, 1))
OPEN = np.ones((24, 24), np.float32)


@pytest.fixture
def lab() -> MockLaboratory:
    lab = MockLaboratory.create(GEOMETRY, MockSettings(threads=1).off(), seed=1)
    lab.laser.emission = True
    assert lab.dmd is not None
    lab.dmd.show(OPEN)
    lab.world.clock.sleep_s(0.1)
    return lab


def write_slm(lab: MockLaboratory) -> object:
    return lab.slm.set_phase(STRIPES)


def write_dmd(lab: MockLaboratory) -> object:
    assert lab.dmd is not None
    return lab.dmd.show(OPEN)


def ask_laser(lab: MockLaboratory) -> object:
    return lab.laser.emission


CALLS: dict[str, Callable[[MockLaboratory], object]] = {
    "slm": write_slm,
    "dmd": write_dmd,
    "laser": ask_laser,
}


@pytest.mark.parametrize("kind", CALLS)
def test_so_many_calls_go_unanswered_and_each_takes_its_time(
    lab: MockLaboratory, kind: str
) -> None:
    call, fault = CALLS[kind], f"{kind}_timeout"
    lab.world.faults.add(fault, 2, 3)  # type: ignore[arg-type]
    call(lab)
    lab.camera.get_frame()
    for _ in range(2):
        asked_s = lab.world.clock.now_s()
        with pytest.raises(DeviceTimeoutError, match=f"mock .*within {REPLY_TIMEOUT_MS:.0f} ms"):
            call(lab)
        assert lab.world.clock.now_s() - asked_s == pytest.approx(REPLY_TIMEOUT_MS * 1e-3)
    call(lab)


@pytest.mark.parametrize("kind", CALLS)
def test_what_has_gone_stays_gone_until_it_is_opened_again(lab: MockLaboratory, kind: str) -> None:
    call = CALLS[kind]
    device = getattr(lab, kind)
    lab.world.faults.add(f"{kind}_unplugged", 1, 2)  # type: ignore[arg-type]
    for _ in range(4):
        with pytest.raises(DeviceDisconnectedError, match="check cable and power"):
            call(lab)
    device.reopen()
    call(lab)
    device.connection.pull()
    with pytest.raises(DeviceNotFoundError, match="not found"):
        device.reopen()
    device.connection.put_back()
    with pytest.raises(DeviceDisconnectedError):
        call(lab)
    device.reopen()
    call(lab)


@pytest.mark.parametrize("fault", ["dmd_unplugged", "laser_unplugged"])
def test_without_power_there_is_no_light_though_nobody_called(
    lab: MockLaboratory, fault: Fault
) -> None:
    assert lab.camera.get_frame().pixels.any()
    lab.world.faults.add(fault, 2, FOR_EVER)
    assert not lab.camera.get_frame().pixels.any()


def test_without_power_the_panel_is_flat_and_forgets_its_phase_response(
    lab: MockLaboratory,
) -> None:
    flat = lab.camera.get_frame().pixels
    lab.slm.set_lut(np.linspace(0.0, 4.0 * np.pi, 256))
    lab.slm.set_phase(STRIPES)
    lab.world.clock.sleep_s(0.2)
    bent = lab.camera.get_frame().pixels
    lab.slm.connection.pull()
    lab.world.clock.sleep_s(0.2)
    assert np.array_equal(lab.camera.get_frame().pixels, flat)
    lab.slm.connection.put_back()
    lab.slm.reopen()
    lab.slm.set_phase(STRIPES)
    lab.world.clock.sleep_s(0.2)
    again = lab.camera.get_frame().pixels
    assert not np.array_equal(again, flat) and not np.array_equal(again, bent)


def test_a_laser_that_is_opened_again_is_dark_at_its_own_power(lab: MockLaboratory) -> None:
    lab.laser.power_mw = 3.0
    lab.laser.connection.pull()
    lab.laser.connection.put_back()
    lab.laser.reopen()
    assert not lab.laser.emission and lab.laser.power_mw == 10.0


def test_a_camera_that_is_opened_again_has_forgotten_its_settings(lab: MockLaboratory) -> None:
    exposure_ms = lab.camera.exposure_ms
    lab.camera.exposure_ms, lab.camera.roi = 7.0, Roi(2, 2, 8, 8)
    lab.world.faults.add("unplugged", 1, 2)
    with pytest.raises(DeviceDisconnectedError):
        lab.camera.get_frame()
    with pytest.raises(DeviceNotFoundError):
        lab.camera.reopen()
    lab.camera.reopen()
    assert lab.camera.exposure_ms == exposure_ms
    assert lab.camera.roi == Roi(0, 0, *lab.camera.shape)
    assert lab.camera.get_frame().sequence == 1
    assert lab.camera.requests == 3, "an attempt that failed counts"


def test_benches_without_a_dmd_have_none_to_lose() -> None:
    geometry = dataclasses.replace(GEOMETRY, input_kind="slm_patch")
    lab = MockLaboratory.create(geometry, MockSettings(threads=1).off(), seed=1)
    lab.world.faults.add("dmd_unplugged", 1, FOR_EVER)
    assert lab.camera.get_frame().sequence == 1


def test_a_fault_that_a_call_has_met_does_not_begin_again_with_its_frame(
    lab: MockLaboratory,
) -> None:
    lab.world.faults.add("laser_unplugged", 1)
    with pytest.raises(DeviceDisconnectedError):
        ask_laser(lab)
    assert lab.world.faults.calls_met(0) == 1
    lab.laser.reopen()
    lab.laser.emission = True
    lab.world.clock.sleep_s(0.1)
    assert lab.camera.get_frame().pixels.any() and lab.laser.emission
