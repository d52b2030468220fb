"""A bench whose camera saturates below the declared full scale: found, used everywhere, stored, reset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from calibration.archive import CalibrationArchive
from calibration.exposure import Exposure
from drivers.errors import TooMuchLightError
from labdiff.bench.bench import Bench
from labdiff.bench.open import open_bench
from labdiff.calibrations.archived import ArchivedCalibration
from labdiff.config.bench import BenchConfig, bench_text, parse_bench
from labdiff.engine.device_readout import DeviceReadout
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench

IMAGING = ("dark level", "registration", "exposure")


def bench_file(*changes: tuple[str, str]) -> BenchConfig:
    text = bench_text("mock-small")[1]
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    return parse_bench(text, "bench.toml")


TWELVE_IN_SIXTEEN = (
    ("bit_depth = 12 ", "bit_depth = 16 "),
    ("converter_bits = 0 ", "converter_bits = 12 "),
)
"""Changes of a bench file by which its camera declares 16 bits, and has 12."""


@contextmanager
def calibrated(
    config: BenchConfig, folder: Path, *names: str
) -> Iterator[tuple[Bench, ArchivedCalibration]]:
    """Open a bench, and measure these routines."""
    with open_bench(config, 0) as bench:
        stored = ArchivedCalibration(
            CalibratedBench(config, bench), CalibrationArchive(folder), "text"
        )
        run(stored.measure(names))
        yield bench, stored


def flat(bench: Bench) -> tuple[np.ndarray, np.ndarray]:
    phases = bench.layout.flat()
    return phases[:1], phases[1:]


def test_a_level_that_calibrating_finds_is_the_benchs_full_scale_until_the_dark_is_measured_anew(
    tmp_path: Path,
) -> None:
    config = bench_file(*TWELVE_IN_SIXTEEN)
    with calibrated(config, tmp_path, *IMAGING) as (bench, stored):
        assert bench.full_scale_counts == bench.found_saturation == 4095
        assert DeviceReadout(bench, config, tmp_path).state(live=False).full_scale_counts == 4095
        (exposure,) = stored.archive.results_of(Exposure)
        assert exposure.saturation_counts == 4095.0 and exposure.verdict.level == "warn"
        assert "camera.saturation_level = 4095" in exposure.verdict.remedy
        bench.camera.exposure_ms = 50.0 * exposure.exposure_ms
        with pytest.raises(TooMuchLightError, match="saturated pixels"):
            bench.measure(*flat(bench))
    # Another program finds it in the archive, and forgets it with a new dark level.
    with open_bench(config, 0) as bench:
        assert bench.full_scale_counts == 65535
        stored = ArchivedCalibration(
            CalibratedBench(config, bench), CalibrationArchive(tmp_path), "text"
        )
        stored.apply_stored(IMAGING)
        assert bench.full_scale_counts == 4095
        run(stored.measure(("dark level",)))
        assert bench.full_scale_counts == 65535


def test_a_declared_level_is_full_scale_and_no_more_is_said(tmp_path: Path) -> None:
    declared = ("bit_depth = 16 ", "saturation_level = 4095\nbit_depth = 16 ")
    config = bench_file(*TWELVE_IN_SIXTEEN, declared)
    with calibrated(config, tmp_path, *IMAGING) as (bench, stored):
        assert bench.full_scale_counts == 4095 and bench.found_saturation == 0
        (exposure,) = stored.archive.results_of(Exposure)
        assert exposure.verdict.level == "pass" and exposure.saturation_counts == 0.0
        bench.camera.exposure_ms = 50.0 * exposure.exposure_ms
        assert bench.camera.get_frame().saturated_fraction > 0.01


def test_a_level_is_restored_with_the_bench(tmp_path: Path) -> None:
    with calibrated(bench_file(*TWELVE_IN_SIXTEEN), tmp_path, *IMAGING) as (bench, _):
        state = bench.state()
        assert state is not None
        bench.use_saturation(0)
        bench.restore(state)
        assert bench.found_saturation == 4095
        bench.use_saturation(70_000)
        assert bench.full_scale_counts == 65535
