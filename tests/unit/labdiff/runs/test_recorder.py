from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from calibration.dark import DarkLevel
from calibration.result import Verdict
from calibration.step import CalibrationStep
from labdiff.errors import UserError
from labdiff.events import (
    Calibrated,
    Checkpoint,
    JobEnded,
    Measured,
    StageStarted,
    TrainingStep,
)
from labdiff.runs.reader import read_run
from labdiff.runs.recorder import Recorder


def step(number: int, bench: float | None = None) -> TrainingStep:
    return TrainingStep("online", number, 10, 0, 0.5 / (number + 1), bench, bench)


def test_what_was_said_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with Recorder(path, "name = 'x'", "{}", 5) as recorder:
        for number in range(10):
            recorder(step(number, None if number < 4 else 0.1))
        recorder(Checkpoint({"phases": np.arange(6.0).reshape(2, 3)}, {"stage": "online"}))
        for level in (40.0, 41.0):
            found = DarkLevel(level, 0.1, 2.0, Verdict("pass", "dark"))
            recorder(Calibrated("dark level", found))
            recorder.flush()
        recorder(Measured({"mse_online_bench": 0.04}))
        recorder(JobEnded("completed", ""))
    run = read_run(path)
    assert run.outcome == "completed"
    assert run.seed == 5
    np.testing.assert_array_equal(run.columns["training"]["step"], np.arange(10))
    assert np.isnan(run.columns["training"]["bench_mse"][:4]).all()
    assert set(run.columns["training"]["method"]) == {"online"}
    np.testing.assert_array_equal(run.checkpoint["phases"], np.arange(6.0).reshape(2, 3))
    assert run.calibration == {"dark level": found}
    assert run.figures == {"mse_online_bench": 0.04}


def test_the_file_is_whole_while_it_grows(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.h5", "", "{}", 0)
    assert read_run(recorder.path).outcome == "running"
    recorder(step(0))
    recorder.flush()
    recorder(step(1))
    assert len(read_run(recorder.path).columns["training"]["step"]) == 1
    recorder.flush()
    assert len(read_run(recorder.path).columns["training"]["step"]) == 2


def test_a_resumed_run_goes_back_to_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    dark = DarkLevel(40.0, 0.1, 2.0, Verdict("pass", "dark"))
    recorder = Recorder(path, "name = 'x'", "{}", 5)
    recorder(StageStarted("online learning", 10))
    for number in range(4):
        recorder(step(number))
    kept = Checkpoint(
        {"phases": np.ones(3)}, {"stage": "online", "figure.mse": 0.5}, {"dark": dark}
    )
    recorder(kept)
    recorder.flush()
    for number in range(4, 6):
        recorder(step(number))
    recorder(Calibrated("dark level", dark))  # the first row of its kind comes after the checkpoint
    recorder(CalibrationStep("dark", 0, 1, ""))
    recorder(Measured({"mse": 0.5, "later": 0.1}))
    recorder(JobEnded("stopped", "by the user"))
    assert len(read_run(path).columns["training"]["step"]) == 6

    again = Recorder(path, "name = 'x'", "{}", 5, resume=True)
    run = read_run(path)
    assert (run.outcome, run.reason) == ("running", "")
    assert run.figures == {"mse": 0.5}
    assert run.checkpoint_results == {"dark": dark}
    np.testing.assert_array_equal(run.columns["training"]["step"], np.arange(4))
    assert not len(run.columns["calibration"]["index"])
    again(StageStarted("online learning", 10))  # it says once more where it is
    for number in range(4, 8):
        again(step(number))
    again(StageStarted("online learning", 10))
    again.flush()
    run = read_run(path)
    np.testing.assert_array_equal(run.columns["training"]["step"], np.arange(8))
    assert run.columns["stages"]["stage"].tolist() == ["online learning"] * 2


def test_room_of_what_is_replaced_is_used_again(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.h5", "", "{}", 0)
    sizes = []
    for number in range(40):
        # The shape changes from one to the next, as that of a queue of frames does.
        arrays = {"queue": np.random.default_rng(number).random((100, 100 + number % 3))}
        recorder(Checkpoint(arrays, {"stage": "online"}))
        recorder.flush()
        sizes.append(recorder.path.stat().st_size)
    assert max(sizes) < 8 * sizes[0], "forty arrays would take forty times the room"


def test_an_existing_run_is_not_overwritten(tmp_path: Path) -> None:
    Recorder(tmp_path / "run.h5", "", "{}", 0)
    with pytest.raises(UserError, match="exists already.*--resume"):
        Recorder(tmp_path / "run.h5", "", "{}", 0)


def test_a_run_file_that_was_removed_is_named(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.h5", "", "{}", 0)
    recorder.path.unlink()
    recorder(step(0))
    with pytest.raises(UserError, match="cannot be written any more"):
        recorder.flush()


def test_a_run_file_that_was_damaged_is_named_in_one_line(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.h5", "", "{}", 0)
    recorder.path.write_bytes(b"no HDF5")
    recorder(step(0))
    with pytest.raises(UserError, match="damaged") as told:
        recorder.flush()
    assert "\n" not in str(told.value)
    assert not list(tmp_path.glob("*.part"))


def record_until_the_disk_is_full(path: Path, limit_bytes: int) -> None:
    """In a process of its own, in which no file may grow beyond a limit."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    blocks = 0
    try:
        recorder = Recorder(path, "a bench", "{}", 0)
        for blocks in range(200):
            recorder(step(blocks))
            side = 20 + blocks
            recorder(Checkpoint({"phases": np.full((4, side, side), blocks)}, {"stage": "online"}))
            recorder.flush()
    except UserError as error:
        print(blocks)
        print(error)


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
@pytest.mark.parametrize("limit_bytes", [0, 1000, 150_000, 300_000])
def test_a_full_disk_ends_the_run_and_keeps_what_was_written(
    tmp_path: Path, limit_bytes: int
) -> None:
    path = tmp_path / "run.h5"
    child = subprocess.run(
        [sys.executable, __file__, str(path), str(limit_bytes)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    blocks, message = child.stdout.rstrip("\n").split("\n")
    assert str(path) in message and "space" in message
    assert not list(tmp_path.glob("*.part")), "its room is given back"
    assert path.exists() == (limit_bytes >= 150_000)
    if path.exists():
        run = read_run(path)
        assert len(run.columns["training"]["step"]) == int(blocks) > 0
        assert (run.checkpoint["phases"] == int(blocks) - 1).all()


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such run file"):
        read_run(tmp_path / "none.h5")
    (tmp_path / "bad.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    with pytest.raises(UserError, match="bad.h5: cannot be read: .*expected a run file"):
        read_run(tmp_path / "bad.h5")


if __name__ == "__main__":
    record_until_the_disk_is_full(Path(sys.argv[1]), int(sys.argv[2]))
