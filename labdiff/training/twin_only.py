"""Training on the data sheet's twin alone, without a bench, in a run file that can be resumed."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

from labdiff.config.bench import parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.events import JobStarted
from labdiff.generation.tone_curve import fit_tone_curve
from labdiff.job import Job, recorded
from labdiff.runs.reader import RunFile, read_run
from labdiff.runs.recorder import Recorder, own_run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.checkpoint import make_checkpoint, options_of, resume_run
from labdiff.session.training_session import TrainingSession
from labdiff.training.loop import train


class TwinTraining:
    """Layers for one data set, stored in `path`; a run file that is there already is resumed.

    bench_text: a bench file's text; of it only what the twin needs counts, no device is opened.
    Raises UserError if the images do not fit, or if the run file holds a training with other options or
    of another bench.
    """

    def __init__(
        self,
        path: Path,
        bench_text: str,
        options: TrainingOptions,
        data_dir: Path | None = None,
        bench_name: str = "bench file",
    ) -> None:
        self.path = path
        calibrated = CalibratedBench(parse_bench(bench_text, bench_name))
        self.session = TrainingSession.create(calibrated, options, data_dir)
        begun = path.exists()
        with ExitStack() as stack:
            # Owned before it is read: another program that records in it would move it on.
            owner = stack.enter_context(own_run(path))
            if begun:
                self._take_up(read_run(path), options, bench_text)
            text = json.dumps(options.model_dump(), indent=2)
            self.recorder = Recorder(
                path, bench_text, text, options.seed, resume=begun, owner=owner
            )
            stack.pop_all()

    def _take_up(self, run: RunFile, options: TrainingOptions, bench_text: str) -> None:
        """Resume a recorded training. Raises UserError if it is one with other options or bench."""
        asked = options.model_copy(update={"device": "auto"})
        if options_of(run) != asked or run.bench_text != bench_text:
            raise UserError(
                f"{run.path}: holds a training with other options or of another bench; "
                "choose another folder, or remove it"
            )
        if run.checkpoint:
            resume_run(self.session, run)

    def job(self) -> Job[TrainingSession]:
        """Train every layer set; done at once if the file says that all are."""
        session = self.session
        return (yield from recorded(self._training(session), self.recorder))

    def _training(self, session: TrainingSession) -> Job[TrainingSession]:
        yield JobStarted(
            "training on the twin", session.options.all_layer_sets, session.images.description
        )
        if session.position.stage == "offline":
            yield from train(session, "offline")
            yield from fit_tone_curve(session)
            session.position.stage = "trained"
            yield make_checkpoint(session)
        return session
