"""The camera in the loop on a mock bench whose twin is off, and what a hologram leaves behind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.routines import IMAGING
from labdiff.config.bench import InputConfig, load_bench
from labdiff.errors import JobStoppedError
from labdiff.events import Event, HologramFrame, HologramStep
from labdiff.holograms.optimiser import random_start, roughness
from labdiff.holograms.options import HologramOptions
from labdiff.holograms.patches import HologramPatches
from labdiff.holograms.target import HologramSpots, Wanted
from labdiff.job import Job, run
from labdiff.jobs import camera_hologram_job
from labdiff.jobs.calibrator import Calibrator
from labdiff.jobs.camera_hologram_job import CameraHologramJob, HologramRequest
from labdiff.reports.hologram_report import hologram_json, write_hologram
from labdiff.session.calibrated_bench import CalibratedBench
from tests.support.command_line import labdiff

FEW = HologramOptions(frames=6, steps=120, steps_per_frame=15)


class TwinOff(Calibrator):
    """Calibrates what it takes to read the camera; the twin is off then, as one of a drifted bench."""

    def bring_up_to_date(self) -> Job[None]:
        """Measure dark level, registration and exposure, and tilt the twin's beam and mirror."""
        yield from measure_routines(self.calibrated, IMAGING)
        twin = self.calibrated.twin
        with torch.no_grad():
            twin.d_alpha_mirror_mrad.copy_(torch.tensor([0.15, -0.1]))
            twin.source_waist_percent.copy_(torch.tensor(4.0))
        twin.refining(False)


def calibrator(calibrated: CalibratedBench, folder: Path | None, text: str) -> Calibrator:
    return TwinOff(calibrated)


@pytest.fixture(autouse=True)
def twin_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bench without hidden imperfections whose stored twin is off."""
    monkeypatch.setattr(camera_hologram_job, "calibrator", calibrator)
    monkeypatch.setattr(camera_hologram_job, "_require_stored", lambda archive, bench: None)


@pytest.fixture
def bench_file(tmp_path: Path) -> Path:
    """The small bench without hidden imperfections."""
    source = Path(camera_hologram_job.__file__).parents[1] / "config/benches/mock-small.toml"
    text = source.read_text(encoding="utf-8")
    assert 'imperfections = "random"' in text
    path = tmp_path / "bench.toml"
    path.write_text(text.replace('imperfections = "random"', 'imperfections = "none"'))
    return path


def rings(size: int = 64) -> np.ndarray:
    """Return a smooth grey picture."""
    y, x = np.indices((size, size)) / size - 0.5
    return 0.55 + 0.45 * np.cos(14.0 * np.hypot(x, y) + x)


def job_of(wanted: Wanted, bench_file: Path, options: HologramOptions = FEW) -> CameraHologramJob:
    return CameraHologramJob(HologramRequest(wanted, str(bench_file), 3, None, options))


def test_the_camera_makes_a_picture_better_than_the_twin_alone(
    bench_file: Path, tmp_path: Path
) -> None:
    prepared = job_of(rings(), bench_file)
    exposures_ms: list[float] = []
    events: list[Event] = []
    result = run(prepared.job(), record=[events.append])
    camera = prepared.calibrated.bench.camera
    exposures_ms.append(camera.exposure_ms)
    assert result.outcome == "completed" and len(result.history) == 6
    assert result.figures.psnr_db > result.first.psnr_db + 2.0
    assert result.figures.efficiency > 0.9
    assert len([event for event in events if isinstance(event, HologramStep)]) == 120
    frames = [event for event in events if isinstance(event, HologramFrame)]
    assert [event.frame for event in frames] == list(range(7))
    assert not prepared.calibrated.bench.lit
    # What is stored is what was displayed: the twin that is at hand predicts it.
    assert result.pattern_rad.shape == result.levels.shape == prepared.config.slm.shape
    page = write_hologram(tmp_path / "out", result, "bench", 3, prepared.simulated)
    assert "simulated: all devices (mock)" in page.read_text(encoding="utf-8")
    levels = np.asarray(Image.open(tmp_path / "out/pattern.png"))
    np.testing.assert_array_equal(levels, result.levels)
    np.testing.assert_array_equal(np.load(tmp_path / "out/pattern.npy"), result.pattern_rad)
    stored = json.loads((tmp_path / "out/hologram.json").read_text(encoding="utf-8"))
    assert stored == hologram_json(result, "bench", 3, prepared.simulated)
    assert stored["twin_only"]["psnr_db"] < stored["measured"]["psnr_db"]
    for name in ("predicted", "measured", "target"):
        assert np.load(tmp_path / f"out/{name}.npy").shape == (60, 60)


def test_the_camera_makes_spots_equal(bench_file: Path) -> None:
    result = run(job_of(HologramSpots("5x5"), bench_file).job())
    assert result.figures.uniformity > 0.97
    assert result.figures.uniformity > result.first.uniformity + 0.02
    assert result.figures.in_spots > 0.5


def test_stopped_it_leaves_the_best_until_then(bench_file: Path) -> None:
    prepared = job_of(HologramSpots(9), bench_file)
    seen: list[Event] = []
    with pytest.raises(JobStoppedError):
        run(
            prepared.job(),
            record=[seen.append],
            should_stop=lambda: isinstance(seen[-1], HologramFrame) and seen[-1].frame == 1,
        )
    result = prepared.result
    assert result is not None and result.outcome == "stopped" and len(result.history) == 2
    assert result.best_frame in (0, 1) and result.checked_frames == 0
    assert not prepared.calibrated.bench.lit


def test_what_is_free_to_shape_the_light() -> None:
    slm = load_bench("mock-small")
    height, width = slm.cavity.patch_shape
    dmd = slm.model_copy(update={"input": InputConfig(kind="dmd")})
    for config, flat_input, count in ((slm, False, 3), (slm, True, 2), (dmd, False, dmd.layers)):
        patches = HologramPatches(CalibratedBench(config), flat_input)
        assert patches.shape == (count, height, width)
        phases = random_start(patches.shape, 1.0, seed=1)
        inputs, layers = patches.displayed(phases)
        torch.testing.assert_close(layers, phases[-config.layers :])
        if config is dmd:
            assert bool((inputs == 1.0).all())
        elif flat_input:
            assert not inputs.any()
        assert patches.intensity(phases).shape == (height, width)


def test_smoothness_makes_phases_smooth(bench_file: Path) -> None:
    options = HologramOptions(frames=1, steps=40)
    rough, smooth = (
        run(job_of(rings(), bench_file, each).job()).pattern_rad[10:70, 154:214]
        for each in (options, replace(options, smoothness=0.05))
    )
    first, second = (float(roughness(torch.from_numpy(each[None]))) for each in (rough, smooth))
    assert second < 0.7 * first


def test_the_command_writes_a_folder_and_prints_one_line_of_json(
    bench_file: Path, tmp_path: Path
) -> None:
    few = ("--frames", 2, "--steps", 20, "--out", "spots", "--json")
    ended = labdiff("hologram", "--spots", 9, bench_file, *few, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["target"] == "3 x 3 spots" and len(found["history"]) == 2
    assert "uniformity of the spots" in ended.stdout
    written = {path.name for path in (tmp_path / "spots").iterdir()}
    assert {"pattern.npy", "pattern.png", "overview.png", "report.html"} <= written


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "TARGET: give an image file, or --spots 100"),
        (("none.png",), "none.png: no such file"),
        (("--spots", 9, "--spots-file", "a.txt"), "exclude each other"),
        (("cat.png", "mock-small", "--spots", 9), "an image and spots exclude each other"),
        (("--spots", 9, "--region", 0, 0, 900, 9), "lies beyond the output plane"),
        (("--spots", 9, "--frames", 0), "frames = 0: allowed are 1"),
    ],
)
def test_mistakes_are_answered_in_words(
    arguments: tuple[object, ...], message: str, tmp_path: Path
) -> None:
    ended = labdiff("hologram", *arguments, cwd=tmp_path)
    assert ended.returncode == 2 and message in ended.stderr


def test_a_bench_that_was_never_calibrated_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    ended = labdiff("hologram", "--spots", 9, "mock-small", "--seed", 7, cwd=tmp_path)
    assert ended.returncode == 2
    assert "registration, exposure, phase response, alignment: not calibrated yet" in ended.stderr
    assert "run 'labdiff calibrate mock-small --seed 7' first" in ended.stderr
