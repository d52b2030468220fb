"""Whether bench or computer wait for each other: python benchmarks/bench_duty.py [--json] [--quick].

The mock in real time, with a worker as training uses it, one step stale: frames a second over what the
declared timing allows when the twin step is fast, wall time over that of computing alone when it is
slow, and frames that are of another pattern than they were used for.

A real bench costs the computer nothing while it measures; the mock computes its light on the same cores,
and in the same interpreter, as the twin step. At 522 frames/s it can for small patches only: the bench with
the fast camera has 16 x 16 in place of the paper's 260 x 260, and one sample a pixel; its timing is the
paper's. Other work on the machine shows in all figures: their spread over the rounds is given beside them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

import torch

from benchmarks.claims import claim
from benchmarks.duty_checks.benches import Task, camera_task, opened, slm_task
from benchmarks.duty_checks.identity import wrong_frames
from benchmarks.duty_checks.steps import TwinStep, alone, batch_s, steps_on
from benchmarks.parts import Outcome, Part, Setting, parser, run_parts

FAST, SLOW = 0.3, 2.5
"""Length of a fast and of a slow twin step, in batches' declared times."""
FAULTS = 0.02
"""Chance of each of four faults for each frame, in the runs on the virtual clock."""


def duty(task: Task, steps: int, rounds: int) -> tuple[list[float], list[float], int]:
    """Return duty and frames a second of each round with a fast twin step; wrong frames of all."""
    shares, rates, wrong = [], [], 0
    twin_step = TwinStep(task)
    twin_step.last(FAST * batch_s(task))
    for _ in range(rounds):
        with opened(task, "real") as (_, bench):
            outcome = steps_on(bench, task, steps, twin_step)
        shares.append(outcome.duty)
        rates.append(outcome.frames_per_s)
        wrong += wrong_frames(task, outcome.used)
    return shares, rates, wrong


def slowdown(task: Task, steps: int, rounds: int) -> tuple[list[float], int]:
    """Return the wall time over that of computing alone with a slow twin step; wrong frames."""
    ratios, wrong = [], 0
    twin_step = TwinStep(task)
    twin_step.last(SLOW * batch_s(task))
    for _ in range(rounds):
        before_s = alone(steps, twin_step)
        with opened(task, "real") as (_, bench):
            outcome = steps_on(bench, task, steps, twin_step)
        # What else the machine does changes: the time alone is taken before and after.
        ratios.append(2.0 * outcome.wall_s / (before_s + alone(steps, twin_step)))
        wrong += wrong_frames(task, outcome.used)
    return ratios, wrong


def faulty(task: Task, steps: int) -> tuple[int, int]:
    """Return wrong frames, and frames that were taken again, with faults on the virtual clock."""
    with opened(task, "virtual", FAULTS) as (_, bench):
        outcome = steps_on(bench, task, steps, TwinStep(task))
        return wrong_frames(task, outcome.used), bench.frames_repeated


def late_ms(sleeps: int = 100, each_s: float = 0.01) -> float:
    """Return by how much a sleep ends too late in the mean: what other work on the machine costs."""
    started_s = time.perf_counter()
    for _ in range(sleeps):
        time.sleep(each_s)
    return 1e3 * (time.perf_counter() - started_s - sleeps * each_s) / sleeps


def measure(make: Callable[[int], Task], batch: int, setting: Setting) -> Outcome:
    """Measure one bench: with a fast twin step, with a slow one, and with faults."""
    # As many as training has beside the window: a core is left to what brings the frames.
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    rounds = setting.amount("rounds", smoke=1, quick=1, full=3)
    steps = setting.amount("steps a round", smoke=1, quick=3, full=8)
    task = make(setting.amount("frames a batch", smoke=batch // 8, quick=batch, full=batch))
    before_ms = late_ms()
    setting.say(f"{task.name}: fast twin step ...")
    shares, rates, wrong = duty(task, steps, rounds)
    setting.say(f"{task.name}: slow twin step ...")
    ratios, wrong_then = slowdown(task, steps, rounds)
    setting.say(f"{task.name}: with faults ...")
    wrong_faulty, repeated = faulty(task, 2 * steps)
    frames = 2 * rounds * (1 + steps) * task.batch
    claims = [
        claim(
            f"{task.name}, fast twin step: frames over those that the declared timing allows",
            median(shares),
            ">= 0.95",
        ),
        claim(
            f"{task.name}, slow twin step: wall time over that of computing alone",
            median(ratios),
            "<= 1.1",
        ),
        claim(
            f"{task.name}: wrong frames used, of {frames} in real time", wrong + wrong_then, "<= 0"
        ),
        claim(
            f"{task.name}: wrong frames used where {repeated} had to be taken again",
            wrong_faulty,
            "<= 0",
        ),
    ]
    return Outcome(
        claims,
        {
            "batch": task.batch,
            "frames_per_s": rates,
            "frames_per_s_allowed": task.batch / batch_s(task),
            "duty": shares,
            "slowdown": ratios,
            "a sleep ends late, ms": [before_ms, late_ms()],
        },
    )


PARTS: dict[str, Part] = {
    "slm": partial(measure, slm_task, 16),
    "camera": partial(measure, camera_task, 256),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    run_parts("bench_duty", PARTS, parser(__doc__, PARTS).parse_args(arguments))


if __name__ == "__main__":
    main()
