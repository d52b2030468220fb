"""Evaluation as a job: errors by timestep range, then how near generated images are to real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

from torch import Tensor

from drivers.phase_quantiser import PhaseQuantiser
from labdiff.config.bench import parse_bench
from labdiff.config.option import Value
from labdiff.config.options_file import training_options
from labdiff.config.simulated import simulated_devices
from labdiff.errors import UserError
from labdiff.events import EvaluationStep, JobStarted, StageStarted
from labdiff.generation.cluster_wiener import ClusterWieners
from labdiff.generation.denoise import denoise, device_for
from labdiff.generation.sample import generate
from labdiff.job import Job
from labdiff.jobs.bench_of_file import NOTHING_SAID, Consent, require_consent
from labdiff.jobs.calibrator import Calibrator
from labdiff.jobs.job_bench import JobBench
from labdiff.metrics.baselines import WienerFilter, identity_prediction
from labdiff.metrics.classifier import TrainedClassifier, train_classifier
from labdiff.metrics.features import FeatureExtractor
from labdiff.metrics.images import ImageFigure, ImageMetrics, image_metrics
from labdiff.metrics.inception import find_inception, inception_features
from labdiff.metrics.noise_error import Predictor
from labdiff.metrics.range_error import RangeError, noisy_range, range_edges, range_error
from labdiff.metrics.variety import variety_metrics
from labdiff.runs.reader import read_run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.checkpoint import options_to_resume, resume_run
from labdiff.session.class_prompts import prompts_in_turn
from labdiff.session.device import chosen_device, device_description
from labdiff.session.training_session import TrainingSession

IMAGES_PER_RANGE = {"twin": 500, "bench": 100}
"""Held-out images of every range of 100 timesteps, or as many as are generated, if these are fewer."""


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """A run file with trained layers, and what to score of it.

    consent: what was said about the devices of its bench.
    computing: `device`, which computes twin and networks, if it is not left open.
    light_off: whether as many images are generated without light, on the twin, and scored too.
    weights: file of Inception weights; None: the one in the data folder, or else the classifier alone.
    """

    run_file: Path
    where: Literal["twin", "bench"] = "twin"
    count: int = 1000
    seed: int = 0
    weights: Path | None = None
    data_dir: Path | None = None
    light_off: bool = True
    consent: Consent = NOTHING_SAID
    computing: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Results of an evaluation, and a description of what was evaluated.

    simulated: what of the run's bench is, in one sentence; "" if nothing is. device: what computed.
    errors: by name of the predictor. light_off: distances of images that electronics alone generated on
    the twin, from the same real ones. generated: (count, H, W); real: as many held-out ones at most.
    """

    request: EvaluationRequest
    prediction: str
    sampler: str
    data: str
    errors: dict[str, tuple[RangeError, ...]]
    metrics: tuple[ImageMetrics, ...]
    light_off: tuple[ImageMetrics, ...]
    classifier: TrainedClassifier
    generated: Tensor
    real: Tensor
    simulated: str = ""
    device: str = ""

    def without_light(self, metrics: ImageMetrics, name: str) -> ImageFigure | None:
        """Return the same figure of the images that electronics alone generated; None if there is none."""
        for found in self.light_off:
            if found.features == metrics.features:
                return found.figure(name)
        return None


class EvaluationJob:
    """An evaluation with its denoiser and its images, ready for `run`.

    Raises UserError for a user's mistake, before the laser is switched on.
    """

    def __init__(self, request: EvaluationRequest) -> None:
        self.request = request
        if request.count < 2:
            raise UserError(f"--count {request.count}: allowed is 2 or more")
        weights = find_inception(request.weights, request.data_dir)
        self._inception = inception_features(weights) if weights is not None else None
        run = read_run(request.run_file)
        options = training_options(
            {**options_to_resume(run).model_dump(), **request.computing}, "options"
        )
        config = parse_bench(run.bench_text, str(run.path))
        self._device = chosen_device(options.device)
        if self._inception is not None:
            self._inception.network.to(self._device)
        self._bench = JobBench()
        if request.where == "bench":
            require_consent(str(run.path), run.bench_text, config, request.consent)
            self._bench = JobBench.open(config, options.seed, purpose="evaluation")
        with self._bench.preparing() as bench:
            # On the twin too layers are displayed in the SLM's grey levels.
            quantiser = PhaseQuantiser(config.slm.bit_depth)
            calibrated = CalibratedBench(config, bench, quantiser)
            self.session = TrainingSession.create(calibrated, options, request.data_dir)
            resume_run(self.session, run)

    def job(self) -> Job[Evaluation]:
        """Evaluate; the end, by whatever way, leaves the bench safe."""
        session, request = self.session, self.request
        yield JobStarted("evaluation", 3)
        light_off: Tensor | None = None
        with self._bench.lit():
            if request.where == "bench":
                yield from Calibrator(session.calibrated).bring_up_to_date()
            errors = yield from self._errors()
            prompts = prompts_in_turn(session, request.count)
            generated = yield from generate(
                session, request.count, request.where, request.seed, prompts
            )
        if request.light_off:
            light_off = yield from generate(
                session, request.count, "twin", request.seed, prompts, light_off=True
            )
        images, options = session.images, session.options
        classifier = yield from train_classifier(images, request.seed)
        extractors: list[FeatureExtractor] = [classifier.extractor]
        if self._inception is not None:
            extractors.insert(0, self._inception)
        metrics = yield from self._distances(generated, extractors)
        variety = yield from variety_metrics(generated, images, classifier.extractor, request.seed)
        without: list[ImageMetrics] = []
        if light_off is not None:
            without = yield from self._distances(light_off, extractors)
        return Evaluation(
            request=request,
            prediction=options.prediction,
            sampler=options.sampler_description,
            data=images.source,
            errors=errors,
            metrics=(*metrics, variety),
            light_off=tuple(without),
            classifier=classifier,
            generated=generated,
            real=images.test[: len(generated)],
            simulated=simulated_devices(session.calibrated.config),
            device=device_description(self._device),
        )

    def _distances(
        self, generated: Tensor, extractors: Sequence[FeatureExtractor]
    ) -> Job[list[ImageMetrics]]:
        images, seed = self.session.images, self.request.seed
        found = []
        for extractor in extractors:
            metrics = yield from image_metrics(
                generated, images.train, images.test, extractor, seed
            )
            found.append(metrics)
        return found

    def _predicted(self, x_t: Tensor, t: Tensor, clusters: Tensor | None) -> Tensor:
        session, where = self.session, self.request.where
        with session.on(device_for(session, where)):
            return denoise(session, x_t, t, where, clusters=clusters)[0]

    def _errors(self) -> Job[dict[str, tuple[RangeError, ...]]]:
        session, request = self.session, self.request
        schedule, images = session.schedule, session.images
        wiener, wiener_each_t = ClusterWieners(session), ClusterWieners(session, WienerFilter)

        def predictors(clean: Tensor) -> dict[str, Predictor]:
            clusters = session.clusters_of(clean)
            return {
                "odu": lambda x_t, t: self._predicted(x_t, t, clusters),
                "identity": lambda x_t, _: identity_prediction(x_t),
                "wiener": wiener.knowing(clean),
                "wiener_each_t": wiener_each_t.knowing(clean),
            }

        where = request.where
        edges, count = range_edges(schedule), min(request.count, IMAGES_PER_RANGE[where])
        # Beyond these the unit has no layers.
        edges = (*(t for t in edges if t < session.policy.steps), session.policy.steps)
        found: dict[str, list[RangeError]] = {}
        yield StageStarted(f"errors on the {request.where}", len(edges) - 1)
        for index, (first_t, end_t) in enumerate(pairwise(edges)):
            noisy = noisy_range(images.test, schedule, first_t, end_t, count, request.seed)
            for name, predict in predictors(noisy.clean).items():
                error = range_error(predict, noisy, schedule, first_t, end_t)
                found.setdefault(name, []).append(error)
            yield EvaluationStep(index, len(edges) - 1, f"t = {first_t} ... {end_t - 1}")
        return {name: tuple(errors) for name, errors in found.items()}
