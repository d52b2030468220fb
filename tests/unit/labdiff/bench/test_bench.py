from __future__ import annotations

from typing import Literal
from unittest.mock import patch

import numpy as np
import pytest

from calibration.dark import DarkLevel
from calibration.resample import Rectifier
from calibration.result import Verdict
from drivers.errors import DeviceStateError, DeviceTimeoutError, NoLightError
from labdiff.bench.open import open_bench
from labdiff.bench.slm_display import SlmDisplay
from labdiff.config.bench import BenchConfig, bench_text, load_bench, parse_bench
from labdiff.errors import UserError
from mock_hardware.fault_script import FOR_EVER, Fault
from mock_hardware.slm import MockSLM
from tests.support.small_bench import small_bench, straight


@pytest.fixture(scope="module")
def config() -> BenchConfig:
    return load_bench("mock")


def test_leaving_switches_the_laser_off_and_flattens_the_slm(config: BenchConfig) -> None:
    bench = open_bench(config, 0)
    with pytest.raises(RuntimeError, match="trouble"), bench:
        assert bench.laser.emission
        bench.show(np.ones((5, 100, 100), np.float32))
        raise RuntimeError("trouble")
    assert not bench.laser.emission
    with pytest.raises(DeviceStateError, match="closed"):
        bench.slm.set_phase(np.zeros((144, 640), np.float32))


def test_measuring_before_calibration_is_refused(config: BenchConfig) -> None:
    with open_bench(config, 0) as bench, pytest.raises(DeviceStateError, match="not calibrated"):
        bench.measure(np.zeros((1, 100, 100)), np.zeros((4, 100, 100)))


def test_frames_of_an_unsettled_slm_are_never_used(config: BenchConfig) -> None:
    with open_bench(config, 0) as bench:
        registration = straight(bench.layout, (256, 320), 0.6)
        bench.dark = DarkLevel(80.0, 0.0, 2.0, Verdict("pass", ""))
        bench.rectifier = Rectifier(registration, bench.camera.roi, (100, 100))
        fields, layers = np.zeros((1, 100, 100)), np.zeros((4, 100, 100))
        assert bench.measure(fields, layers).intensity.shape == (1, 100, 100)
        with (
            patch.object(SlmDisplay, "settle_ms", 0.0),
            pytest.raises(DeviceTimeoutError, match="belonged to another pattern"),
        ):
            bench.measure(fields, layers)
        assert bench.frames_repeated == 4


@pytest.mark.parametrize(
    ("fault", "said"), [("beam_blocked", "is the beam blocked"), ("laser_shut", "has gone off")]
)
@pytest.mark.parametrize("input_kind", ["slm_patch", "dmd"])
def test_one_dark_frame_in_a_batch_is_no_measurement(
    input_kind: Literal["slm_patch", "dmd"], fault: Fault, said: str
) -> None:
    with small_bench(input_kind) as (lab, bench):
        layers = np.zeros((2 if input_kind == "slm_patch" else 3, 16, 16), np.float32)
        lab.world.faults.add(fault, lab.camera.requests + 4)
        with pytest.raises(NoLightError, match=said):
            bench.measure(np.ones((4, 16, 16)), layers)


def test_a_batch_of_faint_frames_is_a_measurement() -> None:
    with small_bench("dmd") as (_, bench):
        frames = bench.measure(np.full((4, 16, 16), 0.125), np.zeros((3, 16, 16), np.float32))
    assert 0.01 < frames.intensity.mean() < 0.02


def test_layers_that_a_frozen_slm_does_not_show_are_noticed() -> None:
    """Frames name the DMD's pattern: that the layers stand is what the panel reports."""
    with small_bench("dmd") as (lab, bench):
        layers = np.ones((3, 16, 16), np.float32)
        lab.world.faults.add("slm_frozen", lab.camera.requests + 1, FOR_EVER)
        with pytest.raises(DeviceTimeoutError, match="mock SLM: written 4 times, .* still shows"):
            bench.measure(np.ones((2, 16, 16)), layers)


def test_an_slm_that_misses_one_pattern_is_written_again() -> None:
    with small_bench("dmd") as (lab, bench):
        layers = np.broadcast_to(np.linspace(0.0, 3.0, 16), (3, 16, 16))
        right = bench.measure(np.ones((2, 16, 16)), layers)
        bench.measure(np.ones((2, 16, 16)), np.zeros_like(layers))
        answers = iter([True, False])
        frozen = lab.world.faults_now
        lab.world.faults_now = (  # type: ignore[method-assign]
            lambda: {"slm_frozen"} if next(answers, False) else frozen()
        )
        again = bench.measure(np.ones((2, 16, 16)), layers)
    assert np.array_equal(again.intensity, right.intensity)


def test_an_slm_that_cannot_tell_its_pattern_is_believed() -> None:
    with small_bench("dmd") as (_, bench), patch.object(MockSLM, "reported_pattern", None):
        bench.measure(np.ones((1, 16, 16)), np.ones((3, 16, 16)))


def test_unknown_drivers_and_missing_addresses_are_named() -> None:
    text = bench_text("mock")[1]
    camera = '[camera]\ndriver = "mock"'
    with pytest.raises(UserError, match=r"camera\.driver.*'balser'.*Did you mean 'basler'"):
        open_bench(parse_bench(text.replace(camera, '[camera]\ndriver = "balser"'), "b"), 0)
    real = text.replace('driver = "mock"', 'driver = "slmpy"', 1)
    real = real.replace('driver = "mock"', 'driver = "basler"', 1)
    real = real.replace('driver = "mock"', 'driver = "scpi"', 1)
    with pytest.raises(UserError, match=r"slm\.address: is missing"):
        open_bench(parse_bench(real, "b"), 0)


@pytest.mark.parametrize("input_kind", ["slm_patch", "dmd"])
def test_layers_may_differ_from_image_to_image(input_kind: Literal["slm_patch", "dmd"]) -> None:
    rng = np.random.default_rng(0)
    with small_bench(input_kind) as (_, bench):
        count = bench.layout.flat().shape[0] - (1 if input_kind == "slm_patch" else 0)
        fields = rng.uniform(0.5, 1.0, (2, 16, 16))
        layers = rng.uniform(0.0, 1.0, (2, count, 16, 16))
        together = bench.measure(fields, layers).intensity
        for index in range(2):
            alone = bench.measure(fields[index : index + 1], layers[index]).intensity[0]
            np.testing.assert_allclose(together[index], alone, atol=1e-5)
        assert np.abs(together[0] - together[1]).max() > 0.1
