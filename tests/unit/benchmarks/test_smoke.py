"""Every part of every benchmark runs at its smallest: benchmarks do not rot while nobody runs them."""

import importlib
import json
import math

import pytest

from tests.unit.house.prose import ROOT

SHORT = {
    "attacks": ("pages", "libraries", "paths", "owners", "door", "places"),
    "bench_duty": ("slm", "camera"),
    "calibration": ("refusals", "slmsuite"),
    "devices": ("meta", "identity", "speed"),
    "drivers": ("camera_faults", "camera_pairs", "closed_loop", "lines", "size"),
    "generation": ("errors", "images", "judged"),
    "gui": ("curves", "session", "failures", "panels", "sizes", "newcomer", "typed", "emergency"),
    "mock_physics": (
        "closed_forms",
        "photon_transfer",
        "dynamics",
        "drift",
        "effects",
        "independence",
        "faults",
        "full_disk",
    ),
    "mock_speed": ("mock", "mock-paper"),
    "scaling": ("layers", "remote", "gradients", "cost"),
    "strange_files": ("damaged",),
    "strangers": ("lasers", "cameras", "counts", "panels", "benches", "unready"),
    "twin_accuracy": ("closed_forms", "gradients"),
    "twin_speed": ("transforms", "peers", "layers", "batch", "plans"),
}
"""Parts that take a few seconds of the processor at most, all of them together less than a minute."""
LONG = {
    "calibration": ("benches", "frames", "timing", "slow_panels", "kills"),
    "demo": ("demo",),
    "drivers": ("contracts", "devices"),
    "faults": ("beside", "dialects", "injected", "kills", "memory", "off_first", "signals"),
    "generation": ("peers", "bench", "scaling", "command"),
    "gui": ("live", "slm", "stream"),
    "online_learning": (
        "figure7",
        "rays",
        "calibrated",
        "unmodelled",
        "peers",
        "real",
        "ideal",
        "drift",
        "knock",
    ),
    "scaling": ("sweep", "absent"),
    "strange_files": ("made",),
    "twin_cold_start": ("cold_start",),
    "twin_fidelity": ("fidelity", "steep"),
}
"""Parts that calibrate a bench or start processes: run.py test --benchmarks runs them too."""


def pairs(parts: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """Return (benchmark, part) of each."""
    return [(benchmark, part) for benchmark, names in parts.items() for part in names]


def run_part(benchmark: str, part: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run a part at its smallest; skip it where something that it needs is not installed."""
    importlib.import_module(f"benchmarks.{benchmark}").main(["--smoke", "--json", "--part", part])
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    missing = [line for line in result["left_out"] if line.startswith(f"part {part}:")]
    if missing:
        pytest.skip(missing[0])
    assert result["claims"], "no claims"
    wrong = [claim for claim in result["claims"] if not math.isfinite(claim["value"])]
    assert not wrong


@pytest.mark.slow
@pytest.mark.parametrize(("benchmark", "part"), pairs(SHORT))
def test_short_part_runs(benchmark: str, part: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_part(benchmark, part, capsys)


@pytest.mark.slow
@pytest.mark.benchmark
@pytest.mark.parametrize(("benchmark", "part"), pairs(LONG))
def test_long_part_runs(benchmark: str, part: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_part(benchmark, part, capsys)


def test_every_benchmark_is_listed() -> None:
    files = (ROOT / "benchmarks").glob("*.py")
    with_parts = {path.stem for path in files if "    run_parts(" in path.read_text("utf-8")}
    assert with_parts == SHORT.keys() | LONG.keys()


@pytest.mark.parametrize("benchmark", sorted(SHORT.keys() | LONG.keys()))
def test_every_part_is_listed(benchmark: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The choices of --part are those of this file; argparse prints them."""
    with pytest.raises(SystemExit):
        importlib.import_module(f"benchmarks.{benchmark}").main(["--part", "no such part"])
    choices = capsys.readouterr().err.rsplit("choose from", 1)[1]
    listed = [*SHORT.get(benchmark, ()), *LONG.get(benchmark, ())]
    assert sorted(choices.replace("'", "").strip(" )\n").split(", ")) == sorted(listed)
