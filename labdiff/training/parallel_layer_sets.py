"""Layer sets trained at the same time: each by a worker of its own, to the bit as one after the other.

On a twin a layer set changes its own weights alone, and its images are drawn by its own number; so it does
not matter who trains it, nor when. With warm starts it does: each then begins with its neighbour's end.
"""

from __future__ import annotations

import dataclasses
from contextlib import closing
from pathlib import Path

import numpy as np

from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.events import StageStarted
from labdiff.job import Job
from labdiff.session.checkpoint import checkpoint_due, make_checkpoint
from labdiff.session.training_session import TrainingSession
from labdiff.training.layer_set_task import (
    LayerSetState,
    LayerSetTask,
    Progress,
    TwinSnapshot,
    load_weights,
    train_layer_set,
    weights_of,
)
from labdiff.training.loop import train
from labdiff.training.methods import STAGES, Method, step_counts
from labdiff.training.resume import OPTIMISER
from labdiff.workers.task import Task, Workers, run_tasks

SET = "set."
"""Beginning of the names of each layer set in a checkpoint: set.3.step, set.3.learner.deviation."""


def check_independent(options: TrainingOptions, workers: int) -> None:
    """Raise UserError if each layer set needs the one before."""
    if options.warm_start and options.all_layer_sets > 1:
        raise UserError(
            f"--workers {workers}: with warm starts, the default, each layer set starts from its "
            "neighbour's end, so they are trained one after the other. Add --no-warm-start, and give each "
            "as many steps as the first (--further-steps 1), or leave --workers out"
        )


def train_on_twin(
    session: TrainingSession,
    method: Method,
    bench_text: str,
    workers: Workers | None = None,
    data_dir: Path | None = None,
) -> Job[None]:
    """Train every layer set on the twin: one after the other, or by workers at the same time.

    A run that was begun by workers is resumed by workers.

    Args:
        session: the training session.
        method: "offline" or "calibrated".
        bench_text: of the session's bench file, for the workers.
        workers: None: one after the other, in this process.
        data_dir: folder of data files.

    Raises:
        UserError: if workers are missing, or cannot be used (`check_independent`).
    """
    if workers is None:
        if any(name.startswith(SET) for name in session.in_progress):
            raise UserError(
                "its layer sets were trained by workers at the same time; say how many continue: "
                "--workers 2"
            )
        yield from train(session, method)
        return
    if not session.pretrained:
        check_independent(session.options, workers.size)
    yield from _by_workers(session, method, bench_text, workers, data_dir)


def _by_workers(
    session: TrainingSession,
    method: Method,
    bench_text: str,
    workers: Workers,
    data_dir: Path | None,
) -> Job[None]:
    plan = step_counts(session.options, method)
    states = _resumed_states(session, plan)
    yield StageStarted(f"{STAGES[method]}, {workers.description}", sum(plan))
    twin = TwinSnapshot.of(session.calibrated)

    def task(layer_set: int) -> Task:
        argument = LayerSetTask(
            bench_text,
            session.options,
            data_dir,
            method,
            layer_set,
            twin,
            session.pretrained,
            states[layer_set],
        )
        return Task(f"layer set {layer_set}", train_layer_set, argument)

    unfinished = [number for number, steps in enumerate(plan) if states[number].step < steps]
    done = sum(state.step for state in states)
    with workers, closing(run_tasks(workers, unfinished, task)) as reports:
        for layer_set, progress in reports:
            if not isinstance(progress, Progress):
                continue
            for step in progress.steps:
                # Counted as they come: the steps of the layer sets come in among each other.
                yield dataclasses.replace(step, step=done)
                done += 1
            states[layer_set] = progress.state
            load_weights(session, layer_set, progress.state.weights)
            _store(session, states)
            if checkpoint_due(session):
                yield make_checkpoint(session)
    where = session.position
    where.layer_set, where.step = session.options.all_layer_sets, 0
    session.in_progress.clear()


def _resumed_states(session: TrainingSession, plan: list[int]) -> list[LayerSetState]:
    """Return where each layer set is, in a session that begins or is resumed, by workers or without."""
    stored, where = session.in_progress, session.position
    states = []
    for layer_set, steps in enumerate(plan):
        start, optimiser_start = f"{SET}{layer_set}.", f"{SET}{layer_set}.{OPTIMISER}"
        step = 0
        if start + "step" in stored:
            step = int(stored[start + "step"])
        elif layer_set < where.layer_set:
            step = steps
        elif layer_set == where.layer_set and where.step > 0:
            step, optimiser_start = where.step, OPTIMISER
        optimiser = {
            k.removeprefix(optimiser_start): v
            for k, v in stored.items()
            if k.startswith(optimiser_start)
        }
        states.append(LayerSetState(step, weights_of(session, layer_set), optimiser))
    session.in_progress.clear()
    return states


def _store(session: TrainingSession, states: list[LayerSetState]) -> None:
    """Put the state of every layer set into what a checkpoint holds."""
    session.position.layer_set = session.position.step = 0
    session.in_progress.clear()
    for layer_set, state in enumerate(states):
        start = f"{SET}{layer_set}."
        session.in_progress[start + "step"] = np.array(state.step)
        for name, value in state.optimiser.items():
            session.in_progress[start + OPTIMISER + name] = value
