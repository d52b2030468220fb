"""Generation as a job: layers from a run, from a layer file or pretrained, on the twin or on the bench."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from labdiff.bench.bench import Bench
from labdiff.config.options_file import training_options
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest
from labdiff.generation.sample import generate
from labdiff.job import Job
from labdiff.jobs.bench_of_file import Consent, require_consent
from labdiff.jobs.calibrator import calibrator
from labdiff.jobs.job_bench import JobBench
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.class_prompts import prompts_for_class
from labdiff.session.layer_file import pretrained_path
from labdiff.session.trained_unit import read_trained_unit


class GenerationJob:
    """A generation with its denoiser, ready for `run`.

    bench: one that is open already and has to fit the layers; else one is opened if it is needed.
    Raises UserError for a file that holds no layers or cannot be prompted for the class.
    """

    def __init__(self, request: GenerationRequest, bench: Bench | None = None) -> None:
        request.check()
        self.request = request
        stored = read_trained_unit(request.path or pretrained_path())
        self._bench_text, seed = stored.bench_text, stored.options.seed
        #: What the layers were trained with, and the sampler that the request has.
        self.options = _sampled_as(stored.options, request)
        self._bench = JobBench()
        if request.where == "bench":
            if bench is None:
                require_consent(
                    stored.name,
                    stored.bench_text,
                    stored.config,
                    Consent(request.bench, request.confirmed),
                )
            self._bench = JobBench.open(stored.config, seed, bench, "generation")
        with self._bench.preparing() as opened:
            calibrated = CalibratedBench(stored.config, opened)
            self.denoiser = stored.denoiser(calibrated, self.options)
            self.prompts = self._prompts()

    def _prompts(self) -> Tensor | None:
        label, count = self.request.label, self.request.count
        guidance = self.request.guidance
        if guidance != 1.0 and self.denoiser.odu.clusters > 1:
            raise UserError(
                f"--guidance {guidance:g}: weighs a prompt beside the image; these layers choose a class "
                "by its clusters"
            )
        return None if label is None else prompts_for_class(self.denoiser, label, count)

    def job(self) -> Job[npt.NDArray[np.float32]]:
        """Return images (count, H, W) in -1 ... 1. A bench is calibrated first."""
        request, denoiser = self.request, self.denoiser
        with self._bench.lit():
            if request.where == "bench":
                how = calibrator(denoiser.calibrated, request.calibrations, self._bench_text)
                yield from how.bring_up_to_date()
            images = yield from generate(
                denoiser, request.count, request.where, request.seed, self.prompts, request.guidance
            )
            return np.asarray(images.numpy())


def _sampled_as(options: TrainingOptions, request: GenerationRequest) -> TrainingOptions:
    """Return the options with the request's sampler. Raises UserError if they do not allow it."""
    merged = training_options({**options.model_dump(), **request.sampler}, "sampler")
    if "eta" in request.sampler and merged.sampler != "ddim":
        raise UserError(f"--eta {merged.eta:g}: is ddim's; the sampler is {merged.sampler}")
    return merged
