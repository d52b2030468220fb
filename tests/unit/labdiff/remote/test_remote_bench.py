"""A bench at the end of a line: the same answers, one owner, at rest when nothing is heard."""

from __future__ import annotations

import inspect
import pickle
import re
from typing import Any

import numpy as np
import pytest

from drivers.errors import DeviceDisconnectedError, DeviceStateError, DeviceValueError
from labdiff.bench.acquisition_thread import AcquisitionThread
from labdiff.remote import lease, remote_devices
from labdiff.remote.device_operations import device_operations
from labdiff.remote.lease import Lease
from labdiff.remote.messages import LeaseLostError
from labdiff.remote.remote_bench import RemoteBench
from labdiff.remote.serialisation import Traffic, pack, unpack
from labdiff.remote.served_bench import LEASE_S
from mock_hardware.laboratory import MockLaboratory
from tests.support.served_bench import Kind, config_of, remote
from tests.support.small_bench import small_bench


@pytest.fixture(autouse=True)
def no_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests say themselves when the owner is heard."""
    monkeypatch.setattr(lease, "HEARTBEAT_S", 1e6)


def batches(kind: Kind, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    layers = 2 if kind == "slm_patch" else 3
    return [
        (rng.uniform(0.5, 1.0, (3, 16, 16)), rng.uniform(0.0, 1.0, (layers, 16, 16)))
        for _ in range(count)
    ]


@pytest.mark.parametrize("kind", ["slm_patch", "dmd"])
def test_the_learning_loops_worker_gets_to_the_bit_what_it_gets_here(kind: Kind) -> None:
    asked = batches(kind, 3)
    with small_bench(kind) as (_, bench):
        bench.make_safe()
        bench.switch_on()
        with AcquisitionThread(bench) as worker:
            pending = [worker.submit(*batch) for batch in asked]
            here = [waiting.result().intensity for waiting in pending]
            paces = [waiting.pace for waiting in pending]
        taken = bench.frames_taken
    with remote(kind) as (_, _, _, _, far):
        with AcquisitionThread(far) as worker:
            pending = [worker.submit(*batch) for batch in asked]
            for waiting, wanted, pace in zip(pending, here, paces, strict=True):
                np.testing.assert_array_equal(waiting.result().intensity, wanted)
                assert waiting.pace.declared_s == pytest.approx(pace.declared_s)
                assert waiting.pace.elapsed_s == pytest.approx(pace.elapsed_s, rel=0.15)
        assert far.frames_taken == taken
        assert far.lease.up.sent > 0 and far.lease.down.sent > 0


def test_a_calibrations_calls_reach_the_devices_and_nothing_else_does() -> None:
    with remote() as (lab, _, _, _, far):
        far.camera.exposure_ms = 2.5
        assert lab.camera.exposure_ms == far.camera.exposure_ms == 2.5
        before = lab.slm.reported_pattern
        assert far.slm.set_phase(np.ones(far.slm.shape)) > before
        frame = far.camera.expose()()
        assert frame.pixels.dtype == np.uint16 and frame.pixels.shape == lab.camera.shape
        assert far.declared.frame_ms == pytest.approx(far.declared.frame_ms)
        with pytest.raises(DeviceValueError, match="panel is"):
            far.slm.set_phase(np.ones((3, 3)))
        for other in ("camera.close", "slm._world", "clock.name", "camera.name="):
            with pytest.raises(DeviceStateError, match=f"{other}: may not be used"):
                far.lease.ask(other)
        far.camera.close()
        assert far.camera.get_frame().sequence == frame.sequence + 1


def test_a_saturation_level_that_was_found_here_is_used_there() -> None:
    with remote() as (_, served, _, _, far):
        far.camera.exposure_ms = 2.0
        level = int(np.quantile(far.camera.get_frame().pixels, 0.5))
        far.use_saturation(level)
        far.most_saturated = 1.0
        inputs, phases = batches("slm_patch", 1)[0]
        frames = far.acquire_raw(inputs, phases, lambda: False, lambda: None)
        assert served._bench.full_scale_counts == level
        assert frames[0].saturated_fraction == (frames[0].pixels >= level).mean() > 0.1


def test_the_devices_there_have_the_operations_that_are_asked_for_and_no_others() -> None:
    asked = re.findall(
        r'"((?:slm|dmd|camera|laser|clock)\.\w+=?)"', inspect.getsource(remote_devices)
    )
    kinds = re.findall(r'kind = "(\w+)"', inspect.getsource(remote_devices))
    asked += [f"{kind}.{name}" for kind in kinds for name in ("name", "timing")]
    with small_bench("dmd") as (_, bench):
        assert set(device_operations(bench.unpacked_devices)) == set(asked)


def test_a_second_owner_is_refused_until_the_first_releases_the_bench() -> None:
    with remote() as (_, served, _, wire, far):
        words = r"in use by process \d+ of .*one owner"
        with pytest.raises(DeviceStateError, match=words):
            RemoteBench(config_of(served._bench), served.status(), Lease(wire))
        far.make_safe()
        second = RemoteBench(config_of(served._bench), served.status(), Lease(wire))
        assert served.status().owner
        second.close()
        assert served.status().owner is None


def safe(lab: MockLaboratory) -> bool:
    return not lab.laser.emission and not np.any(lab.slm.standing_grey())


def test_silence_puts_the_bench_at_rest_and_the_batch_is_measured_when_the_line_is_back() -> None:
    asked = batches("slm_patch", 2)
    with remote(patience_s=1e6) as (_, _, _, _, far):
        first, second = (far.measure(*batch).intensity for batch in asked)
    with remote(patience_s=1e6) as (lab, served, now_s, wire, far):
        np.testing.assert_array_equal(far.measure(*asked[0]).intensity, first)
        wire.cut = True
        now_s.now_s += LEASE_S - 0.1
        served.check_owner()
        assert lab.laser.emission, "a short silence is none"
        now_s.now_s += 0.2
        served.check_owner()
        assert not lab.laser.emission
        assert served.status().at_rest and served.status().owner is None
        tries = []

        def mend() -> None:
            tries.append(1)

        def come_back(_: float) -> None:
            wire.cut = False

        wire.before_acquire, far.lease.sleep_s = mend, come_back
        np.testing.assert_allclose(far.measure(*asked[1]).intensity, second, rtol=0.05)
        assert len(tries) == 2, "asked in vain, and again"
        assert lab.laser.emission and served.status().owner


def test_a_batch_in_work_ends_at_its_next_frame() -> None:
    with remote(patience_s=0.0) as (lab, served, now_s, _, far):
        (batch,) = batches("slm_patch", 1)
        exposures = []
        real = lab.camera.expose

        def expose() -> Any:
            exposures.append(1)
            now_s.now_s += 2 * LEASE_S
            served._ownership.end_all()
            return real()

        lab.camera.expose = expose
        with pytest.raises(LeaseLostError):
            raise served.call("acquire", far.lease.token, far._to_send(*batch)[0]).error()
        assert len(exposures) == 1


def test_a_line_that_stays_cut_is_an_error_that_says_so() -> None:
    with remote() as (_, _, _, wire, far):
        wire.cut = True
        with pytest.raises(DeviceDisconnectedError, match="no answer .* come to rest by itself"):
            far.measure(*batches("slm_patch", 1)[0])
        with pytest.raises(DeviceDisconnectedError, match="remote camera"):
            far.camera.get_frame()


def test_what_crosses_the_wire_is_the_same_and_smaller() -> None:
    rng = np.random.default_rng(1)
    levels = (rng.integers(0, 256, (4, 50, 50)) * (2 * np.pi / 256)).astype(np.float32)
    cells = np.repeat(np.repeat(rng.normal(size=(4, 5, 5)), 10, 1), 10, 2).astype(np.float32)
    counts = rng.poisson(900.0, (4, 50, 50)).astype(np.uint16)
    noise = rng.integers(0, 2**16, (4, 50, 50)).astype(np.uint16)
    for array, largest in ((cells, 0.1), (counts, 0.75), (levels, 0.85), (noise, 1.0)):
        traffic = Traffic()
        packed = pack(array)
        traffic.count(packed)
        back = unpack(pickle.loads(pickle.dumps(packed)))
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)
        assert traffic.raw == array.nbytes
        assert traffic.sent <= largest * traffic.raw
    assert unpack(pack(np.empty((0, 4)))).shape == (0, 4)
    assert unpack(pack((1, "a", [np.arange(3)])))[2][0].tolist() == [0, 1, 2]
