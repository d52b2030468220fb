"""The bench waits as long as was measured."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from calibration.result import Verdict
from calibration.settling import SettlingFound
from labdiff.bench.open import open_bench
from labdiff.bench.slm_display import LEFT_UNSETTLED
from labdiff.config.bench import load_bench

FOUND = SettlingFound(
    latency_ms=16.7,
    latency_sigma_ms=0.1,
    refresh_period_ms=16.7,
    scan_ms=8.0,
    scan_sigma_ms=0.1,
    rise_ms=4.0,
    rise_sigma_ms=0.05,
    fall_ms=7.0,
    fall_sigma_ms=0.05,
    slowest_tau_ms=4.14,
    settle_ms=42.5,
    settle_sigma_ms=0.2,
    held_out=0.03,
    verdict=Verdict("pass", ""),
)


def test_settle_waits_what_was_measured_and_the_pattern_then_stands() -> None:
    bench = open_bench(load_bench("mock"), 0)
    assert bench.display.settle_ms == bench.slm.timing.total_ms
    bench.display.use_settling(FOUND)
    measured_ms = 42.5 + 0.4 + 4.14 * np.log(0.01 / LEFT_UNSETTLED)
    assert bench.display.settle_ms == pytest.approx(measured_ms)
    rng = np.random.default_rng(0)
    with bench:
        for _ in range(5):
            bench.clock.sleep_s(0.02 * rng.random())
            pattern = bench.slm.set_phase(rng.uniform(0, 6, bench.slm.shape).astype(np.float32))
            before_s = bench.clock.now_s()
            bench.settle()
            assert bench.clock.now_s() - before_s == pytest.approx(measured_ms * 1e-3)
            assert bench.camera.get_frame().pattern_id == pattern


def test_a_failed_measurement_leaves_the_declared_time() -> None:
    bench = open_bench(load_bench("mock"), 0)
    bench.display.use_settling(dataclasses.replace(FOUND, verdict=Verdict("fail", "dark", "light")))
    assert bench.display.settle_ms == bench.slm.timing.total_ms
