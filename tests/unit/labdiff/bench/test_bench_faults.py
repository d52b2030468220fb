"""A batch in which something goes wrong: measured again, or refused in words, and the bench left safe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from unittest.mock import patch

import numpy as np
import pytest

from calibration.dark import DarkLevel
from calibration.resample import Rectifier
from calibration.result import Verdict
from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceTimeoutError,
    NoLightError,
    TooMuchLightError,
)
from labdiff.bench.bench import Bench
from labdiff.bench.open import open_bench
from labdiff.config.bench import BenchConfig, load_bench
from mock_hardware.clock import VirtualClock
from mock_hardware.fault_script import FOR_EVER, Fault
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.laser import MockLaser
from tests.support.mock_bench import laboratory_of
from tests.support.small_bench import straight

InputKind = Literal["slm_patch", "dmd"]
LEFTS = (2, 22, 42)


def config(input_kind: InputKind) -> BenchConfig:
    """Two or three layers of 16 x 16 on a bench file's way."""
    shipped = load_bench("mock").model_dump()
    shipped["mock"] = load_bench("mock").mock.off()
    shipped["slm"]["shape"] = (24, 60)
    shipped["cavity"] |= {"patch_shape": (16, 16), "patch_top": 4, "patch_lefts": LEFTS}
    shipped["camera"]["shape"] = (24, 24)
    shipped["input"]["kind"] = input_kind
    return BenchConfig.model_validate(shipped)


@contextmanager
def reconnecting_bench(input_kind: InputKind) -> Iterator[tuple[MockLaboratory, Bench]]:
    """As the bench file opens it, calibrated by the data sheet."""
    bench = open_bench(config(input_kind), 0)
    lab = laboratory_of(bench)
    bench.dark = DarkLevel(0.0, 0.0, 0.0, Verdict("pass", ""))
    registration = straight(bench.layout, (24, 24), 0.6)
    bench.rectifier = Rectifier(registration, bench.camera.roi, (16, 16))
    with bench:
        inputs, layers = patterns(input_kind)
        flat = bench.measure(np.ones_like(inputs[:1]), np.zeros_like(layers))
        bench.counts_per_ms_per_unit = float(flat.intensity.mean())
        yield lab, bench


def patterns(input_kind: InputKind) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    rng = np.random.default_rng(3)
    count = 2 if input_kind == "slm_patch" else 3
    return rng.uniform(0.5, 1.0, (4, 16, 16)), rng.uniform(0.0, 1.0, (count, 16, 16))


PASSING: list[Fault] = [
    "dropped",
    "duplicated",
    "torn",
    "late",
    "timeout",
    "unplugged",
    "saturated",
    "slm_frozen",
    "slm_unplugged",
    "slm_timeout",
    "laser_unplugged",
    "laser_timeout",
]


@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize(
    ("input_kind", "fault"),
    [("slm_patch", fault) for fault in PASSING]
    + [("dmd", fault) for fault in (*PASSING, "dmd_unplugged", "dmd_timeout")],
)
def test_what_passes_leaves_no_trace_in_the_batch(
    input_kind: InputKind, fault: Fault, length: int
) -> None:
    inputs, layers = patterns(input_kind)
    with reconnecting_bench(input_kind) as (lab, bench):
        expected = bench.measure(inputs, layers)
        bench.show(np.zeros((bench.planes, 16, 16), np.float32))
        # In the middle: also when the layers on the SLM are not written again for this frame.
        lab.world.faults.add(fault, lab.camera.requests + 3, lab.camera.requests + 2 + length)
        found = bench.measure(inputs, layers)
        noticed = bench.fault_log.total + bench.frames_repeated > 0
        # A panel that is not written while it is frozen has missed nothing; nor has a DMD that goes when
        # it has played.
        missed_nothing = ("slm_frozen", "dmd_timeout", "dmd_unplugged")
        assert noticed or (input_kind == "dmd" and fault in missed_nothing)
        assert np.array_equal(found.intensity, expected.intensity)
        again = bench.measure(inputs, layers)
        assert np.array_equal(again.intensity, expected.intensity)


LASTING: list[tuple[InputKind, Fault, type[DeviceError], str]] = [
    ("slm_patch", "dropped", DeviceTimeoutError, "mock camera: no frame within"),
    ("slm_patch", "duplicated", DeviceTimeoutError, "belonged to another pattern"),
    ("slm_patch", "torn", DeviceTimeoutError, "belonged to another pattern"),
    ("slm_patch", "timeout", DeviceTimeoutError, "mock camera: no frame within"),
    ("slm_patch", "unplugged", DeviceDisconnectedError, "mock camera: disconnected"),
    ("slm_patch", "slm_frozen", DeviceTimeoutError, "check that the SLM is not frozen"),
    ("slm_patch", "slm_unplugged", DeviceDisconnectedError, "mock SLM: disconnected"),
    ("slm_patch", "slm_timeout", DeviceTimeoutError, "mock SLM: no answer"),
    ("slm_patch", "laser_unplugged", DeviceDisconnectedError, "mock laser: disconnected"),
    ("slm_patch", "laser_timeout", DeviceTimeoutError, "mock laser: no answer"),
    ("slm_patch", "laser_shut", NoLightError, "mock laser: the emission has gone off"),
    ("slm_patch", "beam_blocked", NoLightError, "is the beam blocked"),
    (
        "slm_patch",
        "saturated",
        TooMuchLightError,
        "% of a frame's light falls on saturated pixels; allowed are 20%",
    ),
    ("dmd", "dmd_unplugged", DeviceDisconnectedError, "mock DMD: disconnected"),
    ("dmd", "dmd_timeout", DeviceTimeoutError, "mock DMD: no answer"),
    ("dmd", "slm_unplugged", DeviceDisconnectedError, "mock SLM: disconnected"),
]


@pytest.mark.parametrize(("input_kind", "fault", "kind", "said"), LASTING)
def test_what_lasts_ends_with_its_reason_and_a_safe_bench(
    input_kind: InputKind, fault: Fault, kind: type[DeviceError], said: str
) -> None:
    inputs, layers = patterns(input_kind)
    with pytest.raises(kind, match=said), reconnecting_bench(input_kind) as (lab, bench):
        lab.world.faults.add(fault, lab.camera.requests + 3, FOR_EVER)
        bench.measure(inputs, layers)
        bench.measure(inputs, layers)  # a DMD that plays is not asked until the next batch
    lab.world.clock.sleep_s(1.0)
    assert lab.power_meter.read_mw() == 0.0
    flat = lab.world.light_path.flat()
    frozen = fault == "slm_frozen"
    assert frozen or np.array_equal(lab.world.crystal.phase(lab.world.clock.now_s()), flat)


def test_no_frame_of_a_batch_is_used_in_which_the_laser_went_off() -> None:
    """Not even if all are bright: the emission was off when the last of them was in hand."""
    inputs, layers = patterns("slm_patch")
    with reconnecting_bench("slm_patch") as (lab, bench):
        expose = lab.camera.expose

        def shuts_after() -> object:
            frame = expose()()
            _ = frame.pixels
            lab.world.laser_output.interlock()
            return lambda: frame

        with (
            patch.object(lab.camera, "expose", shuts_after),
            pytest.raises(NoLightError, match="gone off"),
        ):
            bench.measure(inputs[:1], layers)
        assert not lab.laser.emission, "it is never switched on again"


def test_saturated_batches_are_counted_and_the_limit_is_the_bench_files() -> None:
    inputs, layers = patterns("slm_patch")
    with reconnecting_bench("slm_patch") as (lab, bench):
        lab.world.faults.add("saturated", lab.camera.requests + 1)
        frames = bench.measure(inputs, layers)
        assert frames.saturated_fraction == 0.0
        assert bench.fault_log.counts == {("camera", "saturated"): 1}
        bench.most_saturated = 1.0
        lab.world.faults.add("saturated", lab.camera.requests + 1)
        assert bench.measure(inputs, layers).saturated_fraction > 0.9


def test_interrupted_while_the_shutter_opens_the_laser_is_switched_off() -> None:
    bench = open_bench(config("slm_patch"), 0)
    with (
        patch.object(VirtualClock, "sleep_s", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
        bench,
    ):
        raise AssertionError("not entered")
    assert not bench.laser.emission


def test_interrupted_while_it_is_closed_everything_is_closed_all_the_same() -> None:
    with reconnecting_bench("slm_patch") as (lab, bench):
        pass
    bench = open_bench(config("slm_patch"), 0)
    lab = laboratory_of(bench)
    bench.__enter__()
    switch = MockLaser.emission.fset
    calls: list[bool] = []

    def interrupted(laser: MockLaser, value: bool) -> None:
        calls.append(value)
        if len(calls) == 1:
            raise KeyboardInterrupt
        assert switch is not None
        switch(laser, value)

    with (
        patch.object(MockLaser, "emission", MockLaser.emission.setter(interrupted)),
        pytest.raises(KeyboardInterrupt),
    ):
        bench.close()
    assert calls == [False, False]
    assert not lab.laser.emission and lab.laser.connection.closed and lab.slm.connection.closed
