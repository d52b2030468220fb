"""Every cause of the table has a simulated bench, and every simulated bench a cause of the table."""

from __future__ import annotations

from benchmarks.calibration_checks.sabotages import FAULTY_BENCHES
from benchmarks.small_benches import calibrated_bench_text
from labdiff.calibrations.causes import CAUSES
from labdiff.config.bench import parse_bench
from labdiff.sweep.bench_overrides import override_values


def test_causes_and_sabotages_belong_together() -> None:
    played = {name for bench in FAULTY_BENCHES for name in bench.causes}
    assert played == {cause.name for cause in CAUSES}
    assert len({bench.name for bench in FAULTY_BENCHES}) == len(FAULTY_BENCHES) >= 48


def test_the_keys_of_sabotages_are_those_of_a_bench_file() -> None:
    for bench in FAULTY_BENCHES:
        parse_bench(override_values(calibrated_bench_text(), bench.keys), bench.name)
