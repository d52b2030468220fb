"""Two programs on one run, one calibration store, one sweep, one bench: real second processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from labdiff.bench.device_owners import own_devices
from labdiff.calibrations.archived import ArchivedCalibration
from labdiff.config.bench import bench_text, parse_bench
from labdiff.errors import UserError
from labdiff.events import Checkpoint, JobEnded, TrainingStep
from labdiff.job import run
from labdiff.jobs.calibration_job import CalibrationJob, CalibrationRequest
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.runs.reader import read_run
from labdiff.runs.recorder import Recorder
from labdiff.runs.summary import read_summary

RECORD = """
import sys
from pathlib import Path
from labdiff.events import Checkpoint, TrainingStep
from labdiff.runs.recorder import Recorder
recorder = Recorder(Path(sys.argv[1]), "", "{}", 0)
for number in range(5):
    recorder(TrainingStep("online", number, 10, 0, 0.5))
recorder(Checkpoint({}, {"stage": "online"}))
recorder.flush()
print("owned", flush=True)
input()
"""
OWN = """
import sys
from pathlib import Path
from labdiff.owner import Owner
owner = Owner(Path(sys.argv[1]), "it")
print("owned", flush=True)
input()
"""
OPEN = """
import sys
from pathlib import Path
from labdiff.bench.device_owners import own_devices
from labdiff.config.bench import parse_bench
owners = own_devices(parse_bench(Path(sys.argv[1]).read_text(encoding="utf-8"), "bench"))
print("owned", flush=True)
input()
"""
REAL = {
    'driver = "mock"': 'driver = "slmpy"\naddress = "127.0.0.1:9"',
    '[camera]\ndriver = "slmpy"\naddress = "127.0.0.1:9"': '[camera]\ndriver = "basler"',
    '[laser]\ndriver = "slmpy"\naddress': '[laser]\ndriver = "scpi_laser"\naddress',
}


@contextmanager
def other_program(source: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that owns something until a line comes, or it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", source, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == "owned\n"
        try:
            yield child
        finally:
            if child.poll() is None:
                child.communicate("\n")


def killed(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()


def test_a_run_has_one_recorder_and_one_whose_program_was_killed_is_taken_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "run.h5"
    with other_program(RECORD, path) as child:
        held = rf"run\.h5: is in use by .*\(process {child.pid} on .*, since 2"
        with pytest.raises(UserError, match=held):
            Recorder(path, "", "{}", 0, resume=True)
        with pytest.raises(UserError, match=held):
            ExperimentJob(Request(resume=path))
        assert read_summary(path).outcome == "running"
        killed(child)
    assert read_run(path).outcome == read_summary(path).outcome == "died"
    with Recorder(path, "", "{}", 0, resume=True) as recorder:
        assert f"taken over from -c {path} (process {child.pid}" in caplog.text
        assert read_run(path).outcome == "running"
        recorder(TrainingStep("online", 5, 10, 0, 0.5))
        recorder(JobEnded("stopped", ""))
    found = read_run(path)
    assert found.outcome == "stopped"
    np.testing.assert_array_equal(found.columns["training"]["step"], range(6))
    assert not list(tmp_path.glob(".run.h5.owner"))


def test_a_recorder_that_is_forgotten_owns_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = Recorder(path, "", "{}", 0)
    recorder(Checkpoint({}, {"stage": "online"}))
    recorder.flush()
    del recorder
    Recorder(path, "", "{}", 0, resume=True).close()


def test_two_programs_do_not_add_to_one_calibration_store(tmp_path: Path) -> None:
    with other_program(OWN, tmp_path / "archive") as child:
        job = CalibrationJob(
            CalibrationRequest("mock-small", folder=tmp_path, only=("dark level",))
        )
        with pytest.raises(
            UserError, match=rf"the calibrations in .*: is in use by .*process {child.pid} on"
        ):
            run(job.job())
        stored = ArchivedCalibration(job.calibrated, job.archive, "")
        with pytest.raises(UserError, match="is in use by"):
            run(stored.measure(("dark level",)))
        (tmp_path / "unfinished.json").write_text("{}", encoding="utf-8")
        with pytest.raises(UserError, match="is in use by"):
            stored.forget_unfinished()
    stored.forget_unfinished()
    assert not (tmp_path / "unfinished.json").exists()
    assert not list(tmp_path.glob("*.h5"))


def real_bench(folder: Path) -> Path:
    text = bench_text("mock-small")[1]
    for before, after in REAL.items():
        assert before in text
        text = text.replace(before, after)
    path = folder / "bench.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_bench_has_one_program_and_another_file_of_the_same_devices_is_the_same_bench(
    tmp_path: Path,
) -> None:
    path = real_bench(tmp_path)
    text = path.read_text(encoding="utf-8")
    config = parse_bench(text, "bench")
    with other_program(OPEN, path) as child:
        other_name = parse_bench(text.replace('name = "', 'name = "other '), "other")
        for one in (config, other_name):
            with pytest.raises(
                UserError,
                match=rf"laser scpi_laser 127.0.0.1:9: is in use by .*process {child.pid} on",
            ):
                own_devices(one)
        killed(child)
    owners = own_devices(config)
    with pytest.raises(UserError, match=f"process {os.getpid()} on"):
        own_devices(config)
    owners.close()
    own_devices(config).close()


def test_simulated_benches_are_each_program_s_own() -> None:
    config = parse_bench(bench_text("mock-small")[1], "mock-small")
    with own_devices(config), own_devices(config):
        pass
