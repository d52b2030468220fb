"""The same layers on the simulated bench, all imperfections on: calibrated, learnt online, generating."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.claims import Claim, claim
from benchmarks.generation_checks.setting import Setting
from labdiff.config.training import TrainingOptions
from labdiff.events import Event, GenerationStep, Measured
from labdiff.generation.sample import generate
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.metrics.classifier import train_classifier
from labdiff.metrics.images import image_metrics
from labdiff.reproduce.recipes import small_bench
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


def measure(setting: Setting) -> tuple[list[Claim], dict[str, Any]]:
    """Claims and figures; data set is the first one."""
    data = setting.data_sets[0]
    count = 8 if setting.quick else 200
    unit = setting.trained(data, "ours")
    layers = unit.beside("layers.h5")
    write_layers(layers, unit.session, small_bench())
    changes: dict[str, Any] = {**LEARNING, "generated": count}
    if setting.quick:
        changes |= {"calibrated_steps": 2, "online_steps": 2, "sampler_steps": 3}
    options = setting.options(data, "ours").model_dump() | changes
    prepared = ExperimentJob(Request("mock", None, TrainingOptions(**options), start_from=layers))
    by_light: list[torch.Tensor] = []
    figures: dict[str, float] = {}

    def take(event: Event) -> None:
        if isinstance(event, GenerationStep):
            by_light[:] = [torch.from_numpy(event.images)]
        if isinstance(event, Measured):
            figures.update(event.figures)

    setting.do(prepared.job(), take)
    session = prepared.session
    on_twin = setting.do(generate(session, count, "twin", setting.seed))
    classifier = setting.do(train_classifier(session.images, setting.seed))
    images, found = session.images, {}
    for name, pile in (("bench", by_light[0].clamp(-1.0, 1.0)), ("twin", on_twin)):
        found[name] = setting.do(
            image_metrics(pile, images.train, images.test, classifier.extractor, setting.seed)
        )
    ideal = setting.generated(unit, count)
    found["ideal twin"] = setting.do(
        image_metrics(ideal, images.train, images.test, classifier.extractor, setting.seed)
    )
    fid = {name: metrics.figures[0].value for name, metrics in found.items()}
    words = f"{data}: classifier_fid of {count} images on the bench over that on"
    claims = [
        claim(f"{words} its calibrated twin", fid["bench"] / fid["twin"], "<= 1.3"),
        claim(f"{words} the ideal twin", fid["bench"] / fid["ideal twin"], "<= 1.3"),
    ]
    return claims, {"figures": figures, **{name: m.as_dict() for name, m in found.items()}}
