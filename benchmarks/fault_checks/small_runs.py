"""Online learning on a bench of 16 x 16 pixels, through the real job, its bench and its recorder.

The bench is quiet and calibrated by its truth, so that frames of one pattern are equal to the last bit:
what a run uses is compared with what a second bench without faults answers to the same batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import numpy as np
import numpy.typing as npt

from benchmarks.mock_checks.benches import laboratory_of
from calibration.dark import DarkLevel
from calibration.registration import Registration
from calibration.resample import Rectifier
from calibration.result import Verdict
from drivers.types import Frame
from labdiff.bench.batch import NextBatch, ShouldStop
from labdiff.bench.bench import Bench
from labdiff.bench.measurement import Measurement
from labdiff.config.bench import bench_text, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.events import Event, JobStarted, Measured, TrainingStep
from labdiff.job import Job, run
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.session.checkpoint import make_checkpoint
from labdiff.session.training_session import TrainingSession
from labdiff.training.loop import train
from mock_hardware.laboratory import MockLaboratory

Images = npt.NDArray[np.float32]
InputKind = Literal["slm_patch", "dmd"]
BATCH = 4
SMALL = {
    "patch_shape = [100, 100]": "patch_shape = [16, 16]",
    "patch_top = 22": "patch_top = 4",
    "patch_lefts = [20, 140, 260, 380, 500]": "patch_lefts = [2, 22, 42]",
    "shape = [144, 640]": "shape = [24, 60]",
    "shape = [256, 320]": "shape = [24, 24]",
    "magnification = 0.60": "magnification = 0.40",
    'imperfections = "random"': 'imperfections = "none"',
    "threads = 0": "threads = 1",
}


@dataclass(slots=True)
class Ended:
    """What a run came to.

    path: its file. reason: empty if it completed. steps: training steps that its events reported.
    used, wrong: batches that it used, and those of them that were not what their patterns show.
    """

    path: Path
    laboratory: MockLaboratory
    bench: Bench
    reason: str
    steps: list[TrainingStep]
    used: int
    wrong: int


def tiny_bench_text(input_kind: InputKind, script: list[str]) -> str:
    """Return the shipped mock bench, cut to a few pixels."""
    text = bench_text("mock")[1]
    changes = SMALL | {
        'kind = "slm_patch"': f'kind = "{input_kind}"',
        "script = []": f"script = {script}".replace("'", '"'),
    }
    for before, after in changes.items():
        if before not in text:
            raise ValueError(f"the shipped bench has no {before!r} any more")
        text = text.replace(before, after)
    return text


def calibrate_by_truth(bench: Bench, counts_per_ms_per_unit: float) -> None:
    """Set what a calibration would find."""
    fine, truth = Verdict("pass", "as the truth has it"), laboratory_of(bench).world.truth
    bench.dark = DarkLevel(0.0, 0.0, 0.0, fine)
    bench.registration = Registration(truth.camera_matrix, truth.camera_offset_px, 0.0, 0.0, fine)
    bench.rectifier = Rectifier(bench.registration, bench.camera.roi, bench.layout.patch_shape)
    bench.counts_per_ms_per_unit = counts_per_ms_per_unit


class ReferenceBench:
    """A bench of the same kind without faults."""

    def __init__(self, input_kind: InputKind) -> None:
        from labdiff.bench.open import open_bench

        self.bench = open_bench(parse_bench(tiny_bench_text(input_kind, []), "reference"), 0)
        self.bench.__enter__()
        calibrate_by_truth(self.bench, 1.0)
        layers = np.zeros(
            (len(self.bench.layout.lefts), *self.bench.layout.patch_shape), np.float32
        )
        flat = (
            (np.ones_like(layers[:1]), layers) if input_kind == "dmd" else (layers[:1], layers[1:])
        )
        self.bench.counts_per_ms_per_unit = float(self.bench.measure(*flat).intensity.mean())


class BatchComparison:
    """Compares every batch that is used with the reference bench's."""

    def __init__(self, bench: Bench, reference: ReferenceBench) -> None:
        self._acquire, self._to_intensity = bench.acquire, bench.to_intensity
        self._reference = reference.bench
        self._sent: dict[int, tuple[list[Frame], tuple[Images, Images]]] = {}
        self.used = self.wrong = 0

    def acquire(
        self,
        inputs: Images,
        phases_rad: Images,
        should_stop: ShouldStop = lambda: False,
        next_batch: NextBatch = lambda: None,
    ) -> list[Frame]:
        """Take the bench's own frames, and note what they were asked for."""
        frames = self._acquire(inputs, phases_rad, should_stop, next_batch)
        self._sent[id(frames)] = frames, (inputs.copy(), phases_rad.copy())
        return frames

    def to_intensity(self, frames: list[Frame]) -> Measurement:
        """Return the bench's own measurement, which the run uses, and compare it."""
        found = self._to_intensity(frames)
        _, sent = self._sent.pop(id(frames))
        self.used += 1
        self.wrong += not np.array_equal(found.intensity, self._reference.measure(*sent).intensity)
        return found


def small_run(
    folder: Path,
    input_kind: InputKind,
    script: list[str],
    steps: int,
    reference: ReferenceBench,
    seed: int,
) -> Ended:
    """Train `steps` steps online while the faults of the script happen."""
    folder.mkdir(parents=True)
    file = folder / "bench.toml"
    file.write_text(tiny_bench_text(input_kind, script), encoding="utf-8")
    options = TrainingOptions(
        image_size=4, layer_sets=1, online_steps=steps, batch=BATCH, generated=0, seed=seed
    )
    job = ExperimentJob(Request(str(file), folder, options))
    bench = job.session.calibrated.bench
    comparison = BatchComparison(bench, reference)
    steps_reported: list[TrainingStep] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrainingStep):
            steps_reported.append(event)

    def online(session: TrainingSession, *_: object) -> Job[dict[str, float]]:
        yield JobStarted("experiment", 1)
        calibrate_by_truth(bench, reference.bench.counts_per_ms_per_unit)
        yield from train(session, "online")
        figures = {"frames": float(bench.frames_taken)}
        yield Measured(figures)
        yield make_checkpoint(session)
        return figures

    reason = ""
    if job.recorder is None:
        raise RuntimeError("a job with a folder records its run")
    # The whole job, but of the experiment only the part that learns on the bench.
    with (
        patch.object(bench, "acquire", comparison.acquire),
        patch.object(bench, "to_intensity", comparison.to_intensity),
        patch("labdiff.jobs.training_job.experiment", online),
    ):
        try:
            run(job.job(), record=[job.recorder], watch=[listen])
        except UserError as error:
            reason = str(error)
    return Ended(
        job.recorder.path,
        laboratory_of(bench),
        bench,
        reason,
        steps_reported,
        comparison.used,
        comparison.wrong,
    )
