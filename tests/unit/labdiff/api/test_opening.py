from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import labdiff
from calibration.step import CalibrationStep
from labdiff.api import opening
from labdiff.api.opening import borrowed, origin_of
from labdiff.errors import JobStoppedError
from labdiff.events import Event, TrainingStep


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_bench_is_lit_inside_its_block_only() -> None:
    bench = labdiff.open_bench("mock-small", seed=3)
    assert not bench.lit
    with bench:
        assert bench.lit
        bench.show(bench.layout.flat())
        assert bench.camera.get_frame().pixels.max() > 200
    origin = origin_of(bench)
    assert (origin.file.source, origin.seed) == ("mock-small", 3)
    assert origin.archive == Path("runs/calibration/mock-small-seed3")


def test_a_notebook_shows_devices_and_what_is_calibrated() -> None:
    with labdiff.open_bench("mock-small") as bench:
        shown = bench._repr_html_()
    for words in ("mock-small", "mock camera", "3 of 60 x 60 px", "nothing yet"):
        assert words in shown


def test_a_bench_that_is_not_calibrated_says_so() -> None:
    with labdiff.open_bench("mock-small") as bench:
        inputs = np.zeros((1, 60, 60))
        with pytest.raises(labdiff.DeviceError, match="not calibrated"):
            bench.measure(inputs, np.zeros((2, 60, 60)))


@pytest.mark.parametrize("bench", ["mok", "nowhere/bench.toml"])
def test_a_bench_that_is_not_there_is_a_users_mistake(bench: str) -> None:
    with pytest.raises(labdiff.UserError, match=r"no such bench file.*mock-small"):
        labdiff.open_bench(bench)


def test_an_unknown_routine_is_a_users_mistake() -> None:
    with pytest.raises(labdiff.UserError, match=r"registracion.*registration"):
        labdiff.calibrate("mock-small", only=["registracion"])


def test_a_borrowed_bench_is_as_lit_as_before_and_safe_after_an_error() -> None:
    with labdiff.open_bench("mock-small") as bench:
        with borrowed(bench, 0) as same, same.lent():
            assert same is bench
        assert bench.lit
        with pytest.raises(ZeroDivisionError), borrowed(bench, 0), bench.lent():
            raise ZeroDivisionError
        assert not bench.lit
    with borrowed("mock-small", 0) as named:
        assert not named.lit


def test_an_interrupted_calibration_leaves_the_bench_safe() -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, CalibrationStep):
            signal.raise_signal(signal.SIGINT)

    with labdiff.open_bench("mock-small") as bench:
        with pytest.raises(JobStoppedError):
            labdiff.calibrate(bench, progress=interrupt)
        assert not bench.lit


def test_an_interrupted_training_is_readable_and_says_how_to_resume(tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, TrainingStep):
            signal.raise_signal(signal.SIGINT)

    options = labdiff.TrainingOptions(layer_sets=2, offline_steps=4, batch=2, generated=0)
    with pytest.raises(JobStoppedError, match=r"labdiff.resume\('.*run.h5'\)"):
        labdiff.train("mock-small", out="a", options=options, progress=interrupt)
    run = labdiff.read_run("a")
    assert (run.outcome, len(run.curve("twin_mse"))) == ("stopped", 1)
    with pytest.raises(labdiff.UserError, match="not overwritten"):
        labdiff.train("mock-small", out="a", options=options)
    with pytest.raises(JobStoppedError):
        labdiff.resume(run, progress=interrupt)
    assert len(labdiff.read_run("a").curve("twin_mse")) > 0
    other = labdiff.open_bench("mock")
    with other, pytest.raises(labdiff.UserError, match="another bench file"):
        labdiff.resume("a", bench=other)


def test_a_served_bench_is_opened_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    served = labdiff.open_bench("mock-small")
    text = origin_of(served).file.text

    def connect(address: str) -> tuple[labdiff.Bench, str]:
        asked.append(address)
        return served, text

    monkeypatch.setattr("labdiff.remote.ray_connection.connect_bench", connect)
    bench = labdiff.open_bench("ray://192.168.0.2:6379")
    assert asked == ["192.168.0.2:6379"]
    assert origin_of(bench).archive == Path("runs/calibration/remote-192.168.0.2-6379")
    assert opening.SERVED == "ray://"
    bench.close()


LEFT_OPEN = """
import labdiff, os, signal, sys
bench = labdiff.open_bench("mock-small")
close = bench.close
bench.close = lambda: (close(), print("closed", flush=True))
bench.switch_on()
if "signal" in sys.argv:
    os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.parametrize("how", ["end", "signal"])
def test_the_end_of_the_program_closes_a_bench_that_was_left_open(how: str) -> None:
    if how == "signal" and sys.platform == "win32":
        pytest.skip("Windows ends a process without a signal")
    done = subprocess.run(
        [sys.executable, "-c", LEFT_OPEN, how], capture_output=True, text=True, check=False
    )
    assert done.stdout == "closed\n"
    assert done.returncode == (0 if how == "end" else 128 + signal.SIGTERM)
