"""The whole job on the shipped bench beside the same job without one: errors and images of both."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.calibrated import bench_file
from benchmarks.claims import claim
from benchmarks.online_checks.rays import FIRST_SEED
from benchmarks.parts import Outcome, Scale, Setting
from labdiff.config.bench import BenchFile, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.events import Event, GenerationStep
from labdiff.generation.denoise import score
from labdiff.generation.sample import generate
from labdiff.job import run
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.metrics.classifier import train_classifier
from labdiff.metrics.images import image_metrics
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.layer_file import write_layers
from labdiff.session.training_session import TrainingSession
from labdiff.training.loop import train

MORE_STEPS = 2
"""Steps on the calibrated twin over those on the ideal one, from whose layers they go on."""


@dataclasses.dataclass(frozen=True, slots=True)
class OverIdeal:
    """One bench beside the ideal twin: noise MSE and classifier_fid of both, and what it took.

    frames: of calibrating, learning and scoring, without those of the generated images. cpu_s: of the same.
    """

    seed: int
    mse: float
    mse_ideal: float
    fid: float
    fid_ideal: float
    frames: int
    cpu_s: float

    @property
    def mse_ratio(self) -> float:
        """Return the noise MSE on the bench over that of the ideal twin."""
        return self.mse / self.mse_ideal

    @property
    def fid_ratio(self) -> float:
        """Return the classifier_fid of images by the bench over that of images by the ideal twin."""
        return self.fid / self.fid_ideal


def over_ideal(text: str, options: TrainingOptions, count: int, folder: Path) -> OverIdeal:
    """Train on the ideal twin, then on a bench from its layers; score both on held-out images.

    Args:
        text: The bench file.
        options: Of the training; their seed is that of the bench too.
        count: Number of images generated on each.
        folder: For the layers between the two.
    """
    file = BenchFile("the benchmark's bench", text, parse_bench(text, "bench"))
    ideal = TrainingSession.create(CalibratedBench(file.config), options)
    run(train(ideal, "offline"))
    mse_ideal, _ = score(ideal, "twin")
    by_twin = run(generate(ideal, count, "twin", options.seed))
    write_layers(folder / "layers.h5", ideal, text)

    began_s = time.process_time()
    request = Request(file, None, options, start_from=folder / "layers.h5")
    prepared = ExperimentJob(request)
    reached: dict[str, float] = {}
    by_light: list[torch.Tensor] = []

    def take(event: Event) -> None:
        if isinstance(event, GenerationStep):
            if not by_light:
                reached["frames"] = prepared.session.calibrated.bench.frames_taken
                reached["cpu_s"] = time.process_time() - began_s
            by_light[:] = [torch.from_numpy(event.images)]

    figures = run(prepared.job(), record=[take])
    images = prepared.session.images
    extractor = run(train_classifier(images, options.seed)).extractor

    def fid(pile: torch.Tensor) -> float:
        seen = pile.clamp(-1.0, 1.0)
        job = image_metrics(seen, images.train, images.test, extractor, options.seed)
        return run(job).figures[0].value

    return OverIdeal(
        options.seed,
        figures["mse_online_bench"],
        mse_ideal,
        fid(by_light[0]),
        fid(by_twin),
        int(reached["frames"]),
        reached["cpu_s"],
    )


def measure(setting: Setting) -> Outcome:
    """Run the whole job on benches with every imperfection."""
    text = bench_file(setting)
    count = setting.amount("ideal: images on each", smoke=8, quick=16, full=200)
    steps = setting.amount("ideal: steps on the ideal twin", smoke=1, quick=4, full=500)
    changes: dict[str, object] = {"generated": count, "offline_steps": steps}
    changes |= {"calibrated_steps": MORE_STEPS * steps, "comparisons": False}
    if setting.scale is not Scale.FULL:
        changes |= {"online_steps": 1, "batch": 2, "layer_sets": 2, "sampler_steps": 3}
    found: list[OverIdeal] = []
    for seed in setting.benches(3):
        options = TrainingOptions(seed=FIRST_SEED + seed).model_copy(update=changes)
        with tempfile.TemporaryDirectory() as folder:
            found.append(over_ideal(text, options, count, Path(folder)))
        setting.say(str(found[-1]))
    title = f"bench over ideal, {len(found)} benches, worst"
    claims = [
        claim(f"{title}: noise MSE", max(each.mse_ratio for each in found), "<= 1.1"),
        claim(f"{title}: classifier_fid", max(each.fid_ratio for each in found), "<= 1.2"),
        claim(f"{title}: frames", float(max(each.frames for each in found)), "<= 10000"),
        claim(f"{title}: s of a core", max(each.cpu_s for each in found), "<= 1800"),
    ]
    return Outcome(claims, {"benches": [dataclasses.asdict(each) for each in found]})
