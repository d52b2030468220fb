"""Times of the twin's training step beside the transforms that it needs, a peer, and its own scaling."""

from __future__ import annotations

import json
from importlib import util
from statistics import median

import torch

from benchmarks.children import python
from benchmarks.claims import Claim, claim
from benchmarks.parts import NotPossibleError, Outcome, Setting
from benchmarks.twin_checks.speed_candidates import (
    GAP_M,
    PEER_SHARE,
    PITCH_M,
    WAVELENGTH_M,
    Problem,
    Timed,
    grid_size,
    time_step,
)
from twin.propagation import propagate, transfer_function

SIZE, LAYERS, BATCH = 300, 4, 16
SMOKE = Problem(2, 2, 32)
TURNS = 3
MALLOC_TUNED = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "1000000000"}
"""glibc keeps large temporaries instead of giving them back to the kernel at every step."""


class Timings:
    """Times candidates, each in a process of its own, and notes what came out."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.found: dict[str, dict[str, float]] = {}
        full = Problem(BATCH, LAYERS, SIZE)
        smoke, small = SMOKE, f"{SMOKE.batch} x {SMOKE.layers} planes of {SMOKE.size} px"
        self.problem = smoke if setting.smoke else full
        if setting.smoke:
            setting.leave_out(f"processes of their own for one thread, and more than {small}")
        self.rounds = setting.amount("rounds", smoke=1, quick=2, full=5)
        self.turns = setting.amount("turns", smoke=1, quick=1, full=TURNS)

    def time(
        self,
        title: str,
        name: str,
        *,
        batch: int = 0,
        layers: int = 0,
        threads: int = 1,
        tuned: bool = False,
    ) -> Timed:
        """Time a candidate; of batch and layers, 0 is the default."""
        problem = Problem(
            batch or self.problem.batch, layers or self.problem.layers, self.problem.size
        )
        if self._setting.smoke and threads == 1:
            timed = time_step(name, problem, self.rounds)
        else:
            timed = self._in_a_child(name, problem, threads, tuned)
        self.found[title] = {"ms": timed.ms, "peak_mb": timed.peak_mb}
        self._setting.say(f"{title}: {timed.ms:.1f} ms, {timed.peak_mb:.0f} MB")
        return timed

    def _in_a_child(self, name: str, problem: Problem, threads: int, tuned: bool) -> Timed:
        numbers = (problem.batch, problem.layers, problem.size, threads, self.rounds)
        child = python(
            "-m",
            "benchmarks.twin_checks.speed_candidates",
            name,
            *map(str, numbers),
            check=True,
            variables={"OMP_NUM_THREADS": str(threads), **(MALLOC_TUNED if tuned else {})},
        )
        return Timed(**json.loads(child.stdout.splitlines()[-1]))


def transforms(setting: Setting) -> Outcome:
    """Time a step over the transforms that it needs, and on two threads."""
    timings = Timings(setting)
    bare, two = [], []
    for _ in range(timings.turns):
        # In turns, each against what stood beside it: the machine is not the same all the time.
        one = timings.time("own one thread", "own")
        bare.append(one.ms / timings.time("transforms one thread", "transforms").ms)
        two.append(one.ms / timings.time("own two threads", "own", threads=2).ms)
    claims = [
        claim("over the plain transforms needed, same grid", median(bare), "<= 1.2"),
        claim("two threads against one, speed", median(two), ">= 1.5"),
    ]
    cuda = "present, not timed" if torch.cuda.is_available() else "not run: no CUDA device here"
    return Outcome(
        claims, {"grid": grid_size(timings.problem.size), "found": timings.found, "cuda": cuda}
    )


def peers(setting: Setting) -> Outcome:
    """Time a step over torchoptics' own, as it is and with a tuned malloc."""
    if util.find_spec("torchoptics") is None:
        raise NotPossibleError("torchoptics is not installed: pip install 'labdiff[benchmarks]'")
    timings = Timings(setting)
    plain, tuned = [], []
    for _ in range(timings.turns):
        one = timings.time("own one thread", "own")
        peer = timings.time("torchoptics as it is", "torchoptics")
        plain.append(one.ms / peer.ms)
        tuned.append(
            one.ms / timings.time("torchoptics malloc tuned", "torchoptics", tuned=True).ms
        )
    size = timings.problem.size
    own_error = worst_error(size, grid_size(size), hard_edged=False)
    peer_error = worst_error(size, PEER_SHARE * size, hard_edged=True)
    claims = [
        claim("over torchoptics float32, 600 grid", median(plain), "<= 0.1"),
        claim("over torchoptics with malloc tuned", median(tuned), "<= 0.25"),
        claim("peak memory over torchoptics'", one.peak_mb / peer.peak_mb, "<= 0.45"),
        claim("worst-case error over torchoptics'", own_error / peer_error, "<= 1"),
    ]
    return Outcome(claims, {"found": timings.found})


def worst_error(size: int, grid: int, *, hard_edged: bool) -> float:
    """Return the relative error of one gap for the worst case, random phase in every pixel.

    Against a four times larger grid with the same transfer function's band. hard_edged: without the
    taper at the band's edge, as the peers have it.
    """
    torch.manual_seed(1)
    phase = 6.3 * torch.rand(1, size, size)
    field = torch.polar(torch.ones_like(phase), phase)

    def moved(padded: int) -> torch.Tensor:
        transfer = transfer_function((padded, padded), PITCH_M, WAVELENGTH_M, GAP_M)
        if hard_edged:
            transfer = transfer / transfer.abs().clamp_min(1e-30)
        return propagate(field, transfer)

    exact = moved(4 * size)
    return float((moved(grid) - exact).norm() / exact.norm())


def layers(setting: Setting) -> Outcome:
    """Time steps of several numbers of layers: each layer and sample costs the same."""
    timings = Timings(setting)
    counts = setting.amount("numbers of layers", smoke=(1, 2), quick=(2, 4), full=(2, 4, 16))
    times = [
        [timings.time(f"own layers {n}", "own", layers=n).ms / n for n in counts]
        for _ in range(timings.turns)
    ]
    return Outcome([_spread("layers", times)], {"found": timings.found})


def batches(setting: Setting) -> Outcome:
    """Time steps of several batch sizes: each layer and sample costs the same."""
    timings = Timings(setting)
    counts = setting.amount("sizes of a batch", smoke=(1, 2), quick=(4, 16), full=(4, 16, 64))
    times = [
        [timings.time(f"own batch {n}", "own", batch=n).ms for n in counts]
        for _ in range(timings.turns)
    ]
    return Outcome([_spread("batch", times)], {"found": timings.found})


def _spread(over: str, times_ms: list[list[float]]) -> Claim:
    """Return the claim about medians over the turns, of each count."""
    medians = [median(turns) for turns in zip(*times_ms, strict=True)]
    spread = max(medians) / min(medians) - 1.0
    return claim(f"spread of the time a layer and sample over {over}", spread, "<= 0.15")
