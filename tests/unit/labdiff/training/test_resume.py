"""A run that was stopped anywhere and gone on with ends to the bit as one that nobody stopped."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from calibration.archive import CalibrationArchive
from labdiff.bench.bench import Bench
from labdiff.config.bench import bench_text
from labdiff.config.training import TrainingOptions
from labdiff.errors import JobStoppedError
from labdiff.events import Event, StageStarted, ValidityChecked
from labdiff.job import run
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.runs.reader import RunFile, read_run

BENCH = (
    bench_text("mock")[1]
    .replace("patch_shape = [100, 100]", "patch_shape = [60, 60]")
    .replace("patch_lefts = [20, 140, 260, 380, 500]", "patch_lefts = [4, 84, 164]")
    .replace("patch_top = 22", "patch_top = 4")
    .replace("shape = [144, 640]", "shape = [68, 228]")
    .replace("shape = [256, 320] ", "shape = [132, 144] ")
    .replace("waist_mm = 0.60", "waist_mm = 0.36")
    .replace("z_gap_mm = 5.7 ", "z_gap_mm = 3.42 ")
    .replace("samples_per_pixel = 2", "samples_per_pixel = 1")
)
OPTIONS = TrainingOptions(
    layer_sets=2,
    image_size=5,
    batch=4,
    offline_steps=4,
    calibrated_steps=4,
    online_steps=8,
    further_steps=0.5,
    peers=True,
    generated=4,
    sampler_steps=5,
)
WALL_CLOCK = ("time_s", "seconds")


def recorded(
    folder: Path,
    stops: Sequence[int | tuple[str, int]] = (),
    kept: bool = False,
    archive: Path | None = None,
) -> tuple[RunFile, list[Event]]:
    """A whole run, stopped after so many events, again after so many more, and so on.

    A stop may also be after so many events of a stage. archive: of calibrations that are there already.
    """
    folder.mkdir()
    if archive is not None:
        shutil.copytree(archive, folder / "calibrations")
    (folder / "bench.toml").write_text(BENCH, encoding="utf-8")
    path = folder / "run.h5"
    seen: list[Event] = []
    for stop in (*stops, 2**31):
        request = Request(
            str(folder / "bench.toml"),
            None if path.exists() else folder,
            OPTIONS,
            resume=path if path.exists() else None,
            calibrations=folder / "calibrations" if kept else None,
            checkpoint_seconds=0.0,
        )
        job = ExperimentJob(request)
        assert job.recorder is not None
        before = len(seen)

        def reached(stop: int | tuple[str, int] = stop, before: int = before) -> bool:
            if isinstance(stop, int):
                return len(seen) >= before + stop
            stage, events = stop
            return stage in places(seen) and len(seen) >= places(seen)[stage] + events

        try:
            run(job.job(), record=[job.recorder], watch=[seen.append], should_stop=reached)
        except JobStoppedError:
            assert read_run(path).outcome == "stopped"
    return read_run(path), seen


def assert_same(one: RunFile, other: RunFile) -> None:
    """All that is recorded but what the wall clock says."""
    assert one.outcome == other.outcome == "completed"
    for mine, theirs in (
        *((one.columns[kind], other.columns[kind]) for kind in one.columns | other.columns),
        (one.figures, other.figures),
        (one.checkpoint, other.checkpoint),
        (one.checkpoint_scalars, other.checkpoint_scalars),
        (one.generated, other.generated),
    ):
        # Ids of stored calibrations begin with the time.
        names = {name for name in mine if not name.startswith("calibration.")}
        assert names == {name for name in theirs if not name.startswith("calibration.")}
        for name in names:
            if not name.endswith(WALL_CLOCK):
                np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, few_scored_images: None
) -> tuple[RunFile, list[Event]]:
    """A run that nobody stops, and its calibrations in an archive."""
    return recorded(tmp_path_factory.mktemp("whole") / "run", kept=True)


def places(events: list[Event]) -> dict[str, int]:
    """Number of events before each stage first began."""
    found: dict[str, int] = {}
    for n, event in enumerate(events, 1):
        if isinstance(event, StageStarted):
            found.setdefault(event.stage, n)
    return found


def test_stopped_in_calibration_and_between_steps_it_goes_on_to_the_bit(
    whole: tuple[RunFile, list[Event]], tmp_path: Path
) -> None:
    begins = places(whole[1])
    # In the middle of the routine: what it has measured is measured again. Then, from a checkpoint
    # after each step, two steps further on each time, and into the drawing of images.
    stops = (begins["registration"] + 3, 2, *(begins["online learning"] - 30, 8, 9, 12, 14, 16))
    run_file, seen = recorded(tmp_path / "run", stops, kept=True)
    assert len(seen) > len(whole[1]) + 10
    assert_same(whole[0], run_file)
    assert len(CalibrationArchive(tmp_path / "run" / "calibrations").history("alignment")) == 1


def test_a_bench_that_cannot_be_restored_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: tuple[RunFile, list[Event]]
) -> None:
    monkeypatch.setattr(Bench, "state", lambda bench: None)  # as a real one says
    archive = whole[0].path.parent / "calibrations"
    run_file, seen = recorded(tmp_path / "run", (("online learning", 8),), True, archive)
    assert run_file.outcome == "completed"
    after = seen[places(seen)["online learning"] + 8 :]
    (looked,) = [event for event in after if isinstance(event, ValidityChecked)]
    assert {name: state for name, state, _ in looked.findings}["alignment"] == "fresh"
    assert not {"registration", "alignment"} & set(places(after)), "nothing is measured anew"
    np.testing.assert_array_equal(
        run_file.columns["training"]["step"], whole[0].columns["training"]["step"]
    )
