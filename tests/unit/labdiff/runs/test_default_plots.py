"""NeXus programs show a curve and pictures of run files and calibrations at once, by their attributes."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from calibration.archive import CalibrationArchive
from calibration.exposure import Exposure
from calibration.phase_response import PhaseResponse
from calibration.provenance import Provenance
from calibration.result import Verdict
from calibration.result_file import Result
from labdiff.events import Checkpoint, GenerationStep, JobEnded, Pictures, TrainingStep
from labdiff.runs.default_plots import CAMERA, IMAGES, LOSS
from labdiff.runs.reader import read_run
from labdiff.runs.recorder import Recorder


def default_plot(path: Path) -> h5py.Group:
    """The group that a NeXus program shows: @default is followed from the root to an NXdata."""
    group = h5py.File(path, "r")
    assert group.attrs["NX_class"] == "NXroot"
    while group.attrs.get("NX_class") != "NXdata":
        group = group[group.attrs["default"]]
        assert group.attrs["NX_class"] in ("NXentry", "NXdata")
    return group


def axes_fit(plot: h5py.Group) -> bool:
    """Each axis of the signal has a name, "." for its index, or an array of the same length."""
    signal = plot[plot.attrs["signal"]]
    axes = plot.attrs["axes"]
    return len(axes) == signal.ndim and all(
        name == "." or len(plot[name]) == side
        for name, side in zip(axes, signal.shape, strict=True)
    )


def step(number: int, side: int = 6) -> TrainingStep:
    picture = np.full((side, side), number, np.float32)
    pictures = Pictures(picture, picture, picture, picture, picture)
    return TrainingStep("online", number, 10, 0, 0.1 * number, pictures=pictures)


def test_a_run_shows_its_loss_and_has_its_pictures(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with Recorder(path, "", "{}", 0) as recorder:
        with h5py.File(path) as file:
            assert file.attrs["default"] == "entry" and "default" not in file["entry"].attrs
        for number in range(3):
            recorder(step(number))
        recorder.flush()
        for number in range(3, 5):
            recorder(step(number, side=7))  # the picture's array is replaced by another
        recorder(GenerationStep(0, 1, 0, np.zeros((4, 5, 5), np.float32)))
        recorder(JobEnded("completed", ""))
    plot = default_plot(path)
    assert plot.name == f"/entry/{LOSS}" and axes_fit(plot)
    np.testing.assert_allclose(plot["twin_mse"], 0.1 * np.arange(5))
    np.testing.assert_array_equal(plot["row"], np.arange(5))
    entry = plot.parent
    assert plot["twin_mse"] == entry["events/training/twin_mse"], "linked and not copied"
    for name, shape in ((CAMERA, (7, 7)), (IMAGES, (4, 5, 5))):
        assert entry[name].attrs["NX_class"] == "NXdata" and axes_fit(entry[name])
        assert entry[name]["image"].shape == shape
    assert len(read_run(path).columns["training"]["step"]) == 5
    plot.file.close()


def test_the_plot_follows_a_run_that_is_resumed(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with Recorder(path, "", "{}", 0) as recorder:
        recorder(step(0))
        recorder(Checkpoint({}, {"stage": "online"}))
        recorder(step(1))
    with Recorder(path, "", "{}", 0, resume=True) as recorder:
        plot = default_plot(path)
        assert len(plot["row"]) == 1
        plot.file.close()
        recorder(step(1))
        recorder(step(2))
    plot = default_plot(path)
    assert axes_fit(plot)
    np.testing.assert_array_equal(plot["row"], np.arange(3))
    plot.file.close()


@pytest.mark.parametrize(
    ("result", "shape"),
    [
        (PhaseResponse(np.arange(256.0), 0.01, Verdict("pass", "")), (256,)),
        (Exposure(1.0, 0.3, Verdict("pass", "")), None),
    ],
)
def test_a_calibration_shows_its_array_if_it_has_one(
    result: Result, shape: tuple[int, ...] | None, tmp_path: Path
) -> None:
    archive = CalibrationArchive(tmp_path)
    stored = archive.save(result, Provenance(result.routine, "2026-01-02T03:04:05+00:00", 1, 0.1))
    if shape is None:
        with h5py.File(stored.path) as file:
            assert "default" not in file["result"].attrs
    else:
        plot = default_plot(stored.path)
        assert axes_fit(plot) and plot[plot.attrs["signal"]].shape == shape
        plot.file.close()
    assert type(archive.read(stored.path).result) is type(result)
