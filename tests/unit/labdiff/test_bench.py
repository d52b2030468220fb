from __future__ import annotations

import numpy as np
import pytest

from drivers.errors import DeviceStateError, DeviceTimeoutError
from labdiff.assemble import open_bench
from labdiff.config import BenchConfig, bench_text, load_bench, parse_bench
from labdiff.errors import UserError


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
    from calibration.dark import DarkLevel
    from calibration.registration import nominal_registration
    from calibration.resample import Rectifier
    from calibration.result import Verdict

    with open_bench(config, 0) as bench:
        registration = nominal_registration(bench.layout, (256, 320), 3.45, 0.6)
        bench.dark = DarkLevel(80.0, 0.0, 2.0, Verdict("pass", ""))
        bench.rectifier = Rectifier(registration, bench.camera.roi, (100, 100))
        fields, layers = np.zeros((1, 100, 100)), np.zeros((4, 100, 100))
        assert bench.measure(fields, layers).intensity.shape == (1, 100, 100)
        bench.settle = lambda: None  # type: ignore[method-assign]
        with pytest.raises(DeviceTimeoutError, match="belonged to another pattern"):
            bench.measure(fields, layers)
        assert bench.frames_repeated == 4


def test_unknown_and_mixed_drivers_are_named() -> None:
    text = bench_text("mock")[1]
    camera = '[camera]\ndriver = "mock"'
    with pytest.raises(UserError, match=r"camera\.driver.*'balser'.*Did you mean 'basler'"):
        open_bench(parse_bench(text.replace(camera, '[camera]\ndriver = "balser"'), "b"), 0)
    real = text.replace('driver = "mock"', 'driver = "slmpy"', 1)
    real = real.replace('driver = "mock"', 'driver = "basler"', 1)
    real = real.replace('driver = "mock"', 'driver = "scpi"', 1)
    with pytest.raises(UserError, match=r"slm\.address: is missing"):
        open_bench(parse_bench(real, "b"), 0)
    with pytest.raises(UserError, match="mock for all"):
        open_bench(parse_bench(text.replace(camera, '[camera]\ndriver = "basler"'), "b"), 0)
