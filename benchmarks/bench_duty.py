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
from statistics import median

import torch
from rich.console import Console

from benchmarks.claims import Claim, claim, finish, options
from benchmarks.duty_checks.benches import Task, camera_task, opened, slm_task
from benchmarks.duty_checks.identity import wrong_frames
from benchmarks.duty_checks.steps import TwinStep, alone, batch_s, steps_on

FAST, SLOW = 0.3, 2.5
"""Twin steps, in batches' declared times."""
FLAWS = 0.02
"""Chance of each of four faults for each frame, in the runs on the virtual clock."""


def duty(task: Task, steps: int, rounds: int) -> tuple[list[float], list[float], int]:
    """With a fast twin step: duty and frames a second of each round; wrong frames of all."""
    shares, rates, wrong = [], [], 0
    twin_step = TwinStep(task)
    twin_step.take(FAST * batch_s(task))
    for _ in range(rounds):
        with opened(task, "real") as (_, bench):
            outcome = steps_on(bench, task, steps, twin_step)
        shares.append(outcome.duty)
        rates.append(outcome.frames_per_s)
        wrong += wrong_frames(task, outcome.used)
    return shares, rates, wrong


def slowdown(task: Task, steps: int, rounds: int) -> tuple[list[float], int]:
    """With a slow twin step: wall time over that of computing alone; wrong frames."""
    ratios, wrong = [], 0
    twin_step = TwinStep(task)
    twin_step.take(SLOW * batch_s(task))
    for _ in range(rounds):
        before_s = alone(steps, twin_step)
        with opened(task, "real") as (_, bench):
            outcome = steps_on(bench, task, steps, twin_step)
        # What else the machine does changes: the time alone is taken before and after.
        ratios.append(2.0 * outcome.wall_s / (before_s + alone(steps, twin_step)))
        wrong += wrong_frames(task, outcome.used)
    return ratios, wrong


def flawed(task: Task, steps: int) -> tuple[int, int]:
    """On the virtual clock, with faults: wrong frames, and frames that were taken again."""
    with opened(task, "virtual", FLAWS) as (_, bench):
        outcome = steps_on(bench, task, steps, TwinStep(task))
        return wrong_frames(task, outcome.used), bench.frames_repeated


def late_ms(sleeps: int = 100, each_s: float = 0.01) -> float:
    """By how much a sleep ends too late, in the mean: what the machine itself, and its other work, cost."""
    started_s = time.perf_counter()
    for _ in range(sleeps):
        time.sleep(each_s)
    return 1e3 * (time.perf_counter() - started_s - sleeps * each_s) / sleeps


def main() -> None:
    """Measure, then print one JSON line."""
    arguments = options(__doc__)
    # As many as training has beside the window: a core is left to what brings the frames.
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    console = Console(stderr=True, quiet=arguments.json, highlight=False)
    quick = arguments.quick
    rounds, steps = (1, 3) if quick else (3, 8)
    tasks = (slm_task(16), camera_task(256))
    claims: list[Claim] = []
    figures: dict[str, object] = {"a sleep ends late, ms": [late_ms()]}
    for task in tasks:
        console.print(f"{task.name}: fast twin step ...")
        shares, rates, wrong = duty(task, steps, rounds)
        console.print(f"{task.name}: slow twin step ...")
        ratios, wrong_then = slowdown(task, steps, rounds)
        console.print(f"{task.name}: with faults ...")
        wrong_flawed, repeated = flawed(task, 2 * steps)
        frames = 2 * rounds * (1 + steps) * task.batch
        allowed = task.batch / batch_s(task)
        claims += [
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
                f"{task.name}: wrong frames used, of {frames} in real time",
                wrong + wrong_then,
                "<= 0",
            ),
            claim(
                f"{task.name}: wrong frames used where {repeated} had to be taken again",
                wrong_flawed,
                "<= 0",
            ),
        ]
        figures[task.name] = {
            "batch": task.batch,
            "frames_per_s": rates,
            "frames_per_s_allowed": allowed,
            "duty": shares,
            "slowdown": ratios,
        }
    figures["a sleep ends late afterwards, ms"] = [late_ms()]
    finish("bench_duty", claims, arguments.json, quick=quick, figures=figures)


if __name__ == "__main__":
    main()
