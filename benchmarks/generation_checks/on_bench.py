"""The same layers on the simulated bench, all imperfections on: calibrated, learnt online, generating."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from benchmarks.calibrated import copied_archive
from benchmarks.claims import claim
from benchmarks.generation_checks.units import Units
from benchmarks.parts import Outcome, Scale
from labdiff.config.bench import BenchFile, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.events import Event, GenerationStep, Measured
from labdiff.generation.sample import generate
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.metrics.classifier import train_classifier
from labdiff.metrics.images import image_metrics
from labdiff.session.layer_file import write_layers

LEARNING = {
    # Fewer than on the ideal twin: a step of data layers on a calibrated twin, which computes the fringing
    # fields of every image, takes five times as long.
    "calibrated_steps": 600,
    "online_steps": 30,
    "further_steps": 1.0,
    "learning_rate": 0.03,
    "online_learning_rate": 0.005,
}


def measure(units: Units) -> Outcome:
    """Train, calibrate, learn and generate on the bench with the first data set."""
    data = units.data_sets[0]
    count = units.setting.amount("images on the bench", smoke=2, quick=4, full=200)
    unit = units.trained(data, "ours")
    layers = unit.beside("layers.h5")
    write_layers(layers, unit.session, units.bench)
    changes: dict[str, Any] = {**LEARNING, "generated": count}
    if units.setting.scale is not Scale.FULL:
        changes |= {"calibrated_steps": 1, "online_steps": 1, "batch": 2}
    options = units.options(data, "ours").model_dump() | changes
    request = Request(
        BenchFile("the benchmark's bench", units.bench, parse_bench(units.bench, "bench")),
        None,
        TrainingOptions(**options),
        start_from=layers,
        calibrations=_calibrations(units),
    )
    prepared = ExperimentJob(request)
    by_light: list[torch.Tensor] = []
    figures: dict[str, float] = {}

    def take(event: Event) -> None:
        if isinstance(event, GenerationStep):
            by_light[:] = [torch.from_numpy(event.images)]
        if isinstance(event, Measured):
            figures.update(event.figures)

    units.do(prepared.job(), take)
    session = prepared.session
    on_twin = units.do(generate(session, count, "twin", units.seed))
    classifier = units.do(train_classifier(session.images, units.seed))
    images, found = session.images, {}
    for name, pile in (("bench", by_light[0].clamp(-1.0, 1.0)), ("twin", on_twin)):
        found[name] = units.do(
            image_metrics(pile, images.train, images.test, classifier.extractor, units.seed)
        )
    ideal = units.generated(unit, count)
    found["ideal twin"] = units.do(
        image_metrics(ideal, images.train, images.test, classifier.extractor, units.seed)
    )
    fid = {name: metrics.figures[0].value for name, metrics in found.items()}
    title = f"{data}: classifier_fid of {count} images on the bench over that on"
    claims = [
        claim(f"{title} its calibrated twin", fid["bench"] / fid["twin"], "<= 1.3"),
        claim(f"{title} the ideal twin", fid["bench"] / fid["ideal twin"], "<= 1.3"),
    ]
    return Outcome(claims, {"figures": figures, **{name: m.as_dict() for name, m in found.items()}})


def _calibrations(units: Units) -> Path | None:
    """Return a copy of stored calibrations where only that the code runs is of interest."""
    if not units.setting.smoke:
        return None
    units.setting.leave_out("the bench's calibration: a stored one in its place")
    return copied_archive(units.bench, units.seed, units.folder)
