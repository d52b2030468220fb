"""Devices that are reopened after faults: what is tried, how often, and how they are set afterwards."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
    NoLightError,
)
from drivers.types import Frame, Roi, Timing
from labdiff.bench.bench import Bench
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.open import open_bench
from labdiff.bench.reconnect import RetryContext
from labdiff.bench.reconnecting_camera import ReconnectingCamera
from labdiff.bench.reconnecting_laser import ReconnectingLaser
from labdiff.config.bench import RetriesConfig, load_bench
from mock_hardware.clock import VirtualClock
from mock_hardware.fault_script import FOR_EVER, Fault
from mock_hardware.laboratory import MockLaboratory
from tests.support.mock_bench import laboratory_of

POLICY = RetriesConfig(
    tries=3, first_wait_ms=100.0, growth=3.0, reconnects=4, reconnect_wait_ms=1000.0
)


class Scripted:
    """A laser and a camera in one, that fails as told; every way of opening it is a new one."""

    name = "scripted"
    timing = Timing(1.0, 1.0)

    def __init__(self, world: World) -> None:
        self.world = world
        self.closed = False
        self.set: dict[str, object] = {}
        self.sequence = 0

    def _meet(self) -> None:
        if self.world.failures:
            failure = self.world.failures.pop(0)
            if failure is not None:
                raise failure

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("power_mw", "emission"):
            self._meet()
            self.set[name] = value
        else:
            object.__setattr__(self, name, value)

    @property
    def emission(self) -> bool:
        self._meet()
        return bool(self.set.get("emission", False)) and not self.world.interlocked

    def get_frame(self) -> Frame:
        self._meet()
        self.sequence += 1
        now_s = self.world.clock.now_s() - self.world.late_s
        pixels = np.zeros((2, 2), np.uint16)
        return Frame(pixels, 1.0, now_s, self.sequence, None, 0.0, Roi(0, 0, 2, 2))

    def close(self) -> None:
        self.closed = True


class World:
    """What happens to a scripted device, and all that were opened."""

    def __init__(self, *failures: Exception | None, policy: RetriesConfig = POLICY) -> None:
        self.failures = list(failures)
        self.clock, self.fault_log = VirtualClock(), FaultLog()
        self.context = RetryContext(policy, self.clock, self.fault_log)
        self.opened = [Scripted(self)]
        self.openings_that_fail = 0
        self.interlocked = False
        self.late_s = 0.0

    def open_again(self) -> Any:
        if self.openings_that_fail:
            self.openings_that_fail -= 1
            raise DeviceNotFoundError("not yet")
        self.opened.append(Scripted(self))
        return self.opened[-1]

    def laser(self) -> ReconnectingLaser:
        device: Any = self.opened[0]
        return ReconnectingLaser("laser", device, self.open_again, self.context)

    def camera(self) -> ReconnectingCamera:
        device: Any = self.opened[0]
        return ReconnectingCamera("camera", device, self.open_again, self.context)


def slow() -> DeviceTimeoutError:
    return DeviceTimeoutError("slow")


def gone() -> DeviceDisconnectedError:
    return DeviceDisconnectedError("gone")


def test_a_call_is_made_again_after_waits_that_grow() -> None:
    world = World(slow(), slow())
    world.laser().power_mw = 3.0
    assert world.opened[0].set == {"power_mw": 3.0}
    assert world.clock.now_s() == pytest.approx(0.1 + 0.3)
    assert world.fault_log.counts == {("laser", "no answer"): 2}


def test_no_wait_is_longer_than_the_longest() -> None:
    policy = POLICY.model_copy(update={"longest_wait_ms": 150.0})
    world = World(slow(), slow(), policy=policy)
    assert world.laser().emission is False
    assert world.clock.now_s() == pytest.approx(0.1 + 0.15)


def test_tries_are_bounded_and_the_devices_own_error_goes_on() -> None:
    world = World(*[slow() for _ in range(9)])
    laser = world.laser()
    with pytest.raises(DeviceTimeoutError, match="slow"):
        _ = laser.emission
    assert len(world.failures) == 9 - POLICY.tries
    with pytest.raises(DeviceTimeoutError, match="slow"):
        _ = laser.emission
    assert len(world.failures) == 9 - POLICY.tries - 1, "given up: each call is made once"
    world.failures.clear()
    assert laser.emission is False
    world.failures[:] = [slow(), slow()]
    assert laser.emission is False, "it has answered: it is asked as often again as before"


@pytest.mark.parametrize("error", [DeviceValueError("beyond"), DeviceStateError("interlocked")])
def test_what_cannot_be_right_is_not_tried_again(error: DeviceError) -> None:
    world = World(error, None)
    laser = world.laser()
    with pytest.raises(type(error), match=str(error)):
        laser.power_mw = 3.0
    assert world.failures == [None] and not world.fault_log.counts
    world.failures[:] = [gone()]
    laser.power_mw = 4.0
    assert world.opened[1].set["power_mw"] == 4.0, "what was refused is not remembered"


def test_a_driver_that_hangs_up_after_a_time_out_is_opened_again() -> None:
    world = World(slow(), DeviceStateError("is closed"))
    assert world.laser().emission is False
    assert len(world.opened) == 2 and world.fault_log.reopened == 1


def test_a_laser_that_has_gone_comes_back_as_it_was() -> None:
    world = World()
    laser = world.laser()
    laser.power_mw, laser.emission = 3.0, True
    world.failures[:], world.openings_that_fail = [gone()], 2
    assert laser.emission is True
    assert world.opened[0].closed and len(world.opened) == 2
    assert world.opened[1].set == {"power_mw": 3.0, "emission": True}
    assert world.clock.now_s() == pytest.approx(1.0 + 3.0 + 9.0 + 2e-3)
    assert world.fault_log.summary() == "laser: lost 1, not found 2, opened again 1"


def test_a_dark_laser_comes_back_dark() -> None:
    world = World()
    laser = world.laser()
    laser.emission = True
    laser.emission = False
    world.failures[:] = [gone()]
    laser.power_mw = 2.0
    assert world.opened[1].set == {"power_mw": 2.0, "emission": False}


def test_an_interlock_is_not_armed_again() -> None:
    world = World()
    laser = world.laser()
    laser.emission = True
    laser.check_emission()
    world.interlocked = True
    with pytest.raises(NoLightError, match="gone off; check interlock"):
        laser.check_emission()
    assert world.opened[0].set == {"emission": True}
    world.failures[:] = [gone()]
    with pytest.raises(NoLightError, match="stays dark; check interlock"):
        laser.check_emission()
    assert world.opened[-1].closed
    laser.emission = False
    assert world.opened[-1].set["emission"] is False


def test_a_laser_stays_dark_where_the_bench_file_says_so() -> None:
    world = World(policy=POLICY.model_copy(update={"relight": False}))
    laser = world.laser()
    laser.emission = True
    world.failures[:] = [gone()]
    with pytest.raises(NoLightError, match=r"retries\.relight = false"):
        laser.check_emission()
    assert "emission" not in world.opened[1].set and world.opened[1].closed


def test_a_device_that_fails_while_it_is_set_again_is_closed_and_tried_again() -> None:
    world = World()
    laser = world.laser()
    laser.emission = True
    world.failures[:] = [gone(), slow(), None]
    assert laser.emission is True
    assert [device.closed for device in world.opened] == [True, True, False]


def test_a_laser_that_was_given_up_is_reconnected_once_more_to_switch_it_off() -> None:
    world = World()
    laser = world.laser()
    laser.emission = True
    world.failures[:], world.openings_that_fail = [gone()], POLICY.reconnects
    with pytest.raises(DeviceDisconnectedError, match="gone"):
        _ = laser.emission
    world.openings_that_fail = POLICY.reconnects - 1
    laser.emission = False
    assert world.opened[-1].set == {"emission": False}


def test_closing_reconnects_nothing() -> None:
    world = World()
    laser = world.laser()
    laser.close()
    world.failures[:] = [gone()]
    with pytest.raises(DeviceDisconnectedError):
        _ = laser.emission
    assert len(world.opened) == 1


def test_numbers_of_frames_go_on_where_the_camera_counts_anew() -> None:
    world = World()
    camera = world.camera()
    numbers = [camera.get_frame().sequence for _ in range(3)]
    world.failures[:] = [gone()]
    numbers += [camera.get_frame().sequence for _ in range(3)]
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert world.opened[1].sequence == 3


def test_only_older_frames_are_no_frames() -> None:
    world = World()
    world.late_s = 5.0
    with pytest.raises(DeviceTimeoutError, match="exposed before they were requested"):
        world.camera().get_frame()
    assert world.fault_log.counts == {("camera", "old frame"): POLICY.tries}


def small(input_kind: Literal["slm_patch", "dmd"] = "slm_patch") -> tuple[MockLaboratory, Bench]:
    """The shipped bench, quiet, through the door that users take."""
    config = load_bench("mock" if input_kind == "slm_patch" else "mock-paper")
    config = config.model_copy(update={"mock": config.mock.off()})
    bench = open_bench(config, 0)
    return laboratory_of(bench), bench


DISTURBANCES: list[Fault] = ["unplugged", "timeout", "dropped", "late", "duplicated"]


@pytest.mark.parametrize("fault", [*DISTURBANCES, "slm_unplugged", "laser_unplugged"])
def test_a_calibrations_frame_is_right_in_spite_of_a_passing_fault(fault: Fault) -> None:
    lab, bench = small()
    with bench:
        bench.camera.exposure_ms, bench.camera.roi = 3.0, Roi(40, 40, 80, 90)
        bench.slm.set_lut(np.linspace(0.0, 2.2 * np.pi, 256))
        bench.laser.power_mw = 7.0
        ramp = np.tile(np.linspace(0.0, 60.0, lab.slm.shape[1]), (lab.slm.shape[0], 1))
        bench.slm.set_phase(ramp)
        bench.settle()
        expected = bench.camera.get_frame()
        lab.world.faults.add(fault, lab.camera.requests + 1, lab.camera.requests + 2)
        bench.slm.set_phase(ramp)
        bench.settle()
        asked_s = lab.world.clock.now_s()
        frame = bench.camera.get_frame()
        assert np.array_equal(frame.pixels, expected.pixels)
        assert frame.timestamp_s >= asked_s and frame.sequence > expected.sequence
        assert frame.roi == expected.roi and frame.exposure_ms == 3.0
        assert bench.laser.power_mw == 7.0 and bench.laser.emission
        assert bench.fault_log.total > 0
    lab.world.clock.sleep_s(lab.laser.timing.total_ms / 1e3)
    assert lab.power_meter.read_mw() == 0.0


def test_a_dmd_shows_again_what_it_showed() -> None:
    lab, bench = small("dmd")
    assert lab.dmd is not None and bench.dmd is not None
    field = np.linspace(0.0, 1.0, lab.dmd.shape[1]) * np.ones(lab.dmd.shape)
    bench.dmd.show(field)
    lab.world.clock.sleep_s(0.1)
    before = lab.dmd.mirrors.field(lab.world.clock.now_s())
    lab.dmd.connection.pull()
    lab.dmd.connection.put_back()
    assert not lab.dmd.mirrors.field(lab.world.clock.now_s()).any()
    assert bench.dmd.timing == lab.dmd.timing
    bench.dmd.show(field)
    lab.world.clock.sleep_s(0.1)
    assert np.array_equal(lab.dmd.mirrors.field(lab.world.clock.now_s()), before)
    bench.close()


def test_what_closing_could_not_do_is_said() -> None:
    lab, bench = small()
    lab.slm.connection.pull()
    with bench:
        pass
    assert len(bench.left_unsafe) == 1
    assert "could not flatten the SLM: mock SLM: disconnected" in bench.left_unsafe[0]
    assert not lab.laser.emission


def test_a_fault_for_good_ends_with_the_devices_error() -> None:
    lab, bench = small()
    with bench:
        lab.world.faults.add("unplugged", 1, FOR_EVER)
        with pytest.raises(DeviceDisconnectedError, match="mock camera: disconnected"):
            bench.camera.get_frame()
        assert bench.fault_log.counts["camera", "not found"] == 5


def test_a_sequence_that_no_answer_came_to_is_played_again_and_its_last_field_stands() -> None:
    lab, bench = small("dmd")
    assert lab.dmd is not None and bench.dmd is not None and bench.dmd.has_trigger_output
    fields = np.stack([np.full(lab.dmd.shape, share) for share in (0.25, 0.5, 1.0)])
    lab.world.faults.add("dmd_timeout", 1, 2)
    shown = bench.dmd.show_sequence(fields, 5.0)
    assert len(shown) == 3 and bench.fault_log.counts == {("dmd", "no answer"): 2}
    lab.dmd.connection.pull()
    lab.dmd.connection.put_back()
    lab.world.faults.add("dmd_unplugged", 1)
    lab.world.clock.sleep_s(0.1)
    bench.dmd.show_sequence(fields[:1], 5.0)
    lab.world.clock.sleep_s(0.1)
    assert (lab.dmd.mirrors.field(lab.world.clock.now_s()) == 0.25).all()
    bench.close()


def test_frames_of_a_camera_that_was_lost_while_it_waited_for_triggers_do_not_come() -> None:
    lab, bench = small("dmd")
    assert lab.dmd is not None
    fields = np.ones((3, *lab.dmd.shape))
    with bench, bench.camera.triggered(3) as read:
        assert bench.dmd is not None
        bench.dmd.show_sequence(fields, 20.0)
        number, _ = read()
        assert number == 0
        lab.world.faults.add("unplugged", lab.camera.requests + 1)
        for _ in range(2):
            with pytest.raises(DeviceTimeoutError):
                read()
    assert bench.fault_log.counts["camera", "opened again"] == 1


def test_an_exposure_whose_frame_does_not_come_is_not_made_again_by_itself() -> None:
    lab, bench = small()
    with bench:
        lab.world.faults.add("dropped", 1)
        lab.world.faults.add("unplugged", 2)
        read = bench.camera.expose()
        with pytest.raises(DeviceTimeoutError, match="no frame within"):
            read()
        assert bench.camera.expose()().sequence == 2
        assert bench.fault_log.summary() == "camera: lost 1, no answer 1, opened again 1"
