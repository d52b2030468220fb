"""Thousands of faults of every type, over some dozen runs: no wrong frame, nothing lost, a good end."""

from __future__ import annotations

import itertools
import logging
import tempfile
from collections import Counter
from pathlib import Path
from typing import get_args
from unittest.mock import patch

import numpy as np
import torch

from benchmarks.claims import claim
from benchmarks.fault_checks.small_runs import BATCH, Ended, InputKind, ReferenceBench, small_run
from benchmarks.parts import Outcome, Setting
from labdiff.bench.frame_validation import FrameValidator
from labdiff.runs.reader import read_run
from mock_hardware.fault_script import CHANGES, Fault

APART = (9, 13)
"""Least and most requests from one fault to the next: each meets a bench that has just recovered."""
COMES_BACK: tuple[Fault, ...] = ("unplugged", "slm_unplugged", "dmd_unplugged", "laser_unplugged")
REASONS: dict[Fault, str] = {
    "dropped": "mock camera: no frame within",
    "duplicated": "belonged to another pattern",
    "torn": "belonged to another pattern",
    "timeout": "mock camera: no frame within",
    "unplugged": "mock camera: disconnected",
    "slm_frozen": "check that the SLM is not frozen",
    "laser_shut": "mock laser: the emission has gone off; check interlock",
    "beam_blocked": "is the beam blocked?",
    "saturated": "pixels are saturated",
    "slm_unplugged": "mock SLM: disconnected",
    "slm_timeout": "mock SLM: no answer",
    "dmd_unplugged": "mock DMD: disconnected",
    "dmd_timeout": "mock DMD: no answer",
    "laser_unplugged": "mock laser: disconnected",
    "laser_timeout": "mock laser: no answer",
}
"""What the reason of a run must contain that a permanent fault ended; frames that are late end none."""
AT_ONCE: tuple[Fault, ...] = ("laser_shut", "beam_blocked")
"""Faults that end a run however short they are: nothing is switched on again, no dark frame is used."""


def possible(fault: Fault, input_kind: InputKind) -> bool:
    """Return whether a fault can matter: a panel written once a batch loses nothing by freezing."""
    if fault in CHANGES:
        return False
    if input_kind == "dmd":
        return fault != "slm_frozen"
    return not fault.startswith("dmd_")


def script_of(
    rng: np.random.Generator, input_kind: InputKind, count: int, last: Fault | None
) -> tuple[list[str], int]:
    """Return lines of `count` faults, the last for good if it is given; and the requests they need.

    Two devices that are lost and found do not follow one another: four in a row rightly end a run.
    """
    passing = [f for f in get_args(Fault) if possible(f, input_kind) and f not in AT_ONCE]
    turns = itertools.cycle(rng.permutation(passing).tolist())
    lines: list[str] = []
    at, before = 3, ""
    while len(lines) < count - (last is not None):
        fault = next(turns)
        if fault in COMES_BACK and before in COMES_BACK:
            fault = next(each for each in turns if each not in COMES_BACK)
        lines.append(f"{fault}@{at}")
        before = fault
        at += int(rng.integers(*APART))
    if last is not None:
        lines.append(f"{last}@{at}" if last in AT_ONCE else f"{last}@{at}-")
    return lines, at + APART[1]


def fatal_ones(rng: np.random.Generator, input_kind: InputKind) -> list[Fault]:
    """Return faults that end runs, first those that can do nothing else, so that few runs meet them."""
    others = [f for f in REASONS if possible(f, input_kind) and f not in AT_ONCE]
    first = AT_ONCE if input_kind == "dmd" else AT_ONCE[::-1]
    return [*first, *rng.permutation(others).tolist()]


def measure(setting: Setting) -> Outcome:
    """Run with both kinds of input in turn; two of three runs meet a fault that ends them."""
    torch.set_num_threads(1)
    logging.disable(logging.ERROR)
    rng = np.random.default_rng(7)
    runs = setting.amount("runs", smoke=2, quick=6, full=40)
    each = setting.amount("faults a run", smoke=2, quick=20, full=50)
    kinds: tuple[InputKind, ...] = get_args(InputKind)
    reference = {kind: ReferenceBench(kind) for kind in kinds}
    fatal = {kind: itertools.cycle(fatal_ones(rng, kind)) for kind in kinds}
    met: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    used = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs):
            kind = kinds[number % 2]
            last = next(fatal[kind]) if number // 2 % 3 else None
            script, requests = script_of(rng, kind, each, last)
            steps = requests // BATCH + 1
            ended = small_run(
                Path(folder, str(number)), kind, script, steps, reference[kind], number
            )
            met += met_faults(ended, script)
            used += ended.used
            bad["wrong"] += ended.wrong
            bad["lost"] += lost_steps(ended, steps)
            bad["reason"] += not ended_rightly(ended, last)
            bad["unsafe"] += not is_safe(ended)
            ends["failed" if ended.reason else "completed"] += 1
        unchecked = unchecked_run(Path(folder, "unchecked"), reference["slm_patch"])
    logging.disable(logging.NOTSET)
    made = f"{runs} runs ({ends['completed']} completed, {ends['failed']} failed)"
    types = len(get_args(Fault)) - len(CHANGES)
    claims = [
        claim(f"faults that {made} met", met.total(), f">= {runs * each}"),
        claim(f"types of faults met, of {types}", len(met), f">= {types}"),
        claim(f"wrong batches used, of {used} that were compared", bad["wrong"], "<= 0"),
        claim(
            "wrong batches that the same comparison finds without the validation of frames",
            unchecked,
            ">= 1",
        ),
        claim(f"training steps lost from the files of {made}", bad["lost"], "<= 0"),
        claim(f"{made}: another end or reason than the fault's", bad["reason"], "<= 0"),
        claim(f"{made}: laser not off or SLM not flat", bad["unsafe"], "<= 0"),
    ]
    return Outcome(claims)


def unchecked_run(folder: Path, reference: ReferenceBench) -> int:
    """Return wrong batches of a run that uses every frame: the comparison finds them."""
    script = ["torn@5", "late@12", "slm_frozen@20", "duplicated@30"]
    with patch.object(FrameValidator, "_reason", lambda *_: None):
        return small_run(folder, "slm_patch", script, 12, reference, 0).wrong


def met_faults(ended: Ended, script: list[str]) -> Counter[str]:
    """Count the script's lines that happened, by their fault."""
    plan = ended.laboratory.world.faults
    found: Counter[str] = Counter()
    for number, line in enumerate(script):
        fault, first = line.split("@")
        called = fault.split("_")[-1] in ("unplugged", "timeout") and "_" in fault
        if called:
            found[fault] += plan.calls_met(number) > 0
        else:
            found[fault] += ended.laboratory.camera.requests >= int(first.rstrip("-"))
    return found


def lost_steps(ended: Ended, steps: int) -> int:
    """Count training steps that were reported, or had to be made, and are not in the file as reported."""
    file = read_run(ended.path)
    rows = file.columns.get("training", {})
    written = rows.get("twin_mse", np.zeros(0)).tolist()
    reported = [step.twin_mse for step in ended.steps]
    wanted = len(reported) if ended.reason else steps
    stored = sum(bool(a == b) for a, b in zip(written, reported, strict=False))
    return wanted - stored


def ended_rightly(ended: Ended, last: Fault | None) -> bool:
    """Return whether the file itself says the right outcome and reason."""
    file = read_run(ended.path)
    if last is None:
        return file.outcome == "completed" and not file.reason
    return file.outcome == "failed" and REASONS[last] in file.reason and ended.reason in file.reason


def is_safe(ended: Ended) -> bool:
    """Return whether the laser is off and the SLM flat, by the mock's truth, once both are at rest."""
    lab = ended.laboratory
    lab.world.clock.sleep_s(1.0)
    now_s = lab.world.clock.now_s()
    flat = np.array_equal(lab.world.crystal.phase(now_s), lab.world.light_path.flat())
    return (
        lab.world.laser_output.power_mw_at(now_s) == 0.0 and not ended.bench.laser.emission and flat
    )
