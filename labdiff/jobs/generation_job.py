"""Generation as a job: layers from a run, from a layer file or pretrained, on the twin or on the bench."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError

from calibration.archive import CalibrationArchive
from drivers.validation_messages import explain
from labdiff.bench.bench import Bench
from labdiff.bench.open import open_bench
from labdiff.calibrations.archived import ArchivedCalibration, measure_routines
from labdiff.calibrations.validity import bring_up_to_date
from labdiff.config.bench import parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest
from labdiff.generation.sample import generate
from labdiff.job import Job
from labdiff.runs.reader import read_run
from labdiff.session.class_prompts import prompts_for_class
from labdiff.session.layer_file import is_layer_file, pretrained_path, read_layers
from labdiff.session.session import Session, options_of


class GenerationJob:
    """The job with its session, ready for `run`.

    bench: one that is open already and has to fit the layers; else one is opened if it is needed.
    Raises UserError for a file that holds no layers or cannot be asked for the class.
    """

    def __init__(self, request: GenerationRequest, bench: Bench | None = None) -> None:
        request.check()
        torch.set_num_threads(min(torch.get_num_threads(), 2))
        self.request = request
        self.session, self._bench_text = _opened(request.path or pretrained_path())
        session, label = self.session, request.label
        self.prompts = None if label is None else prompts_for_class(session, label, request.count)
        session.options = _sampled_as(session.options, request)
        self._lent = bench is not None
        if request.where == "bench":
            session.laboratory = bench or open_bench(session.config, session.options.seed)

    @property
    def options(self) -> TrainingOptions:
        """With which the layers were trained."""
        return self.session.options

    def job(self) -> Job[npt.NDArray[np.float32]]:
        """Images (count, H, W) in -1 ... 1. A bench is calibrated first; the twin needs no light."""
        request, session = self.request, self.session
        with self._held():
            if request.where == "bench":
                if request.calibrations is None:
                    yield from measure_routines(session)
                else:
                    archive = CalibrationArchive(request.calibrations)
                    kept = ArchivedCalibration(session, archive, self._bench_text)
                    yield from bring_up_to_date(session, kept, needed_only=True)
            images = yield from generate(
                session, request.count, request.where, request.seed, self.prompts, request.guidance
            )
            return np.asarray(images.numpy())

    @contextmanager
    def _held(self) -> Iterator[None]:
        bench = self.session.laboratory
        if bench is None:
            yield
            return
        with bench.lent() if self._lent else bench:
            yield


def _sampled_as(options: TrainingOptions, request: GenerationRequest) -> TrainingOptions:
    """The options with the request's sampler. Raises UserError if they do not allow it."""
    if request.eta is not None and options.sampler != "ddim":
        raise UserError(f"--eta {request.eta:g}: is ddim's; the sampler is {options.sampler}")
    asked = {
        "sampler_steps": request.steps,
        "eta": request.eta,
        "least_t": request.least_t,
        "temperature": request.temperature,
        "contrast": request.contrast,
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    try:
        return TrainingOptions(**(options.model_dump() | asked))
    except ValidationError as error:
        raise UserError(explain(error, "sampler", TrainingOptions)) from None


def _opened(path: Path) -> tuple[Session, str]:
    """A session with the file's layers and no bench, and its bench file's text."""
    if not path.is_file():
        raise UserError(f"{path}: no such run file or layer file")
    if is_layer_file(path):
        layers = read_layers(path)
        session = Session.create(parse_bench(layers.bench_text, str(path)), layers.options, None)
        layers.give_to(session)
        return session, layers.bench_text
    run = read_run(path)
    session = Session.create(parse_bench(run.bench_text, str(path)), options_of(run), None)
    session.restore(run)
    return session, run.bench_text
