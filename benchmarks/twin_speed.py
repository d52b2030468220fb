"""How fast the twin is: python benchmarks/twin_speed.py [--json] [--quick].

Forward and backward with respect to four layers of 300 x 300 phases, gaps of 34.2 mm at 850 nm and
9.2 um, batch 16, complex64. Beside it, in the same run: torchoptics (from the extra `benchmarks`;
left out where it is missing), and the bare transforms that the twin needs. Every figure comes from a
process of its own, so that no peer meets a heap that another one has warmed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import util
from statistics import median

import torch
from rich.console import Console
from torch import Tensor

from benchmarks.claims import Claim, claim, finish
from twin.cavity import FixedCavity, along_columns
from twin.propagation import padded_size, propagate, transfer_function

PITCH_M, WAVELENGTH_M, GAP_M = 9.2e-6, 850e-9, 34.2e-3
SIZE, LAYERS, BATCH = 300, 4, 16
PEER_GRID = 600
TURNS = 3
propagate_through: Callable[..., Tensor] = FixedCavity.apply
MALLOC_TUNED = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "1000000000"}
"""glibc keeps large temporaries instead of giving them back to the kernel at every step."""


def grid_size() -> int:
    """The padded grid that the twin chooses."""
    return padded_size(SIZE, PITCH_M, WAVELENGTH_M, GAP_M)


def inputs(batch: int) -> Tensor:
    """Amplitudes (B, h, w), a Gaussian beam with a random image on it."""
    torch.manual_seed(0)
    axis = (torch.arange(SIZE) - (SIZE - 1) / 2) / (SIZE / 3)
    beam = torch.exp(-(axis[:, None].square() + axis[None, :].square()))
    return beam * torch.rand(batch, SIZE, SIZE)


def own(batch: int, layers: int) -> Callable[[], None]:
    """One training step of the twin's cavity."""
    grid = grid_size()
    # As the twin keeps it while the alignment stays.
    gap = along_columns(transfer_function((grid, grid), PITCH_M, WAVELENGTH_M, GAP_M))
    amplitude = inputs(batch)
    phases = (6.0 * torch.rand(layers, SIZE, SIZE)).requires_grad_()

    def step() -> None:
        phases.grad = None
        modulations = torch.complex(phases.cos(), phases.sin())
        torch.autograd.backward(propagate_through(amplitude, modulations, gap, gap).sum())

    return step


def torchoptics_step(batch: int, layers: int) -> Callable[[], None]:
    """The same with torchoptics, float32, its transfer function computed anew as it does."""
    import torchoptics
    from torchoptics.elements import PhaseModulator

    torchoptics.set_default_spacing(PITCH_M)
    torchoptics.set_default_wavelength(WAVELENGTH_M)
    torch.set_default_dtype(torch.float32)
    torchoptics.config.Config.dtype = torch.float32
    amplitude = inputs(batch).to(torch.complex64)
    phases = (6.0 * torch.rand(layers, SIZE, SIZE)).requires_grad_()
    pad = (PEER_GRID - SIZE) // 2

    def step() -> None:
        phases.grad = None
        field = torchoptics.Field(amplitude)
        for index, phase in enumerate(phases):
            field = PhaseModulator(phase, z=index * GAP_M)(field)
            field = field.propagate_to_z(
                (index + 1) * GAP_M, propagation_method="ASM", asm_pad=(pad, pad)
            )
        field.intensity().sum().backward()

    return step


def transforms(batch: int, layers: int) -> Callable[[], None]:
    """The transforms alone: for every sample and layer two forward, two backward, one by one."""
    grid = grid_size()
    field = torch.randn(grid, grid, dtype=torch.complex64)

    def step() -> None:
        for _ in range(batch * layers * 2):
            torch.fft.ifft2(torch.fft.fft2(field))

    return step


CANDIDATES = {"own": own, "torchoptics": torchoptics_step, "transforms": transforms}


def measure_here(name: str, batch: int, layers: int, threads: int, rounds: int) -> None:
    """In a child: time the steps, print ms a sample and peak memory."""
    torch.set_num_threads(threads)
    step = CANDIDATES[name](batch, layers)
    step()
    times_s = []
    for _ in range(rounds):
        started_s = time.perf_counter()
        step()
        times_s.append(time.perf_counter() - started_s)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"ms": 1e3 * median(times_s) / batch, "peak_mb": peak_mb}))


def measured(
    name: str,
    *,
    batch: int = BATCH,
    layers: int = LAYERS,
    threads: int = 1,
    rounds: int = 5,
    tuned: bool = False,
) -> dict[str, float]:
    """Measure ms a sample and peak memory of a candidate in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    if tuned:
        environment |= MALLOC_TUNED
    words = [name, batch, layers, threads, rounds]
    child = subprocess.run(
        [sys.executable, __file__, "--child", *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(child.stdout.splitlines()[-1])
    return found


def worst_error(grid: int, hard_edged: bool) -> float:
    """Relative error of one gap for the worst case, random phase in every pixel.

    Against a four times larger grid with the same transfer function's band. hard_edged: without the
    taper at the band's edge, as the peers have it.
    """
    torch.manual_seed(1)
    phase = 6.3 * torch.rand(1, SIZE, SIZE)
    field = torch.polar(torch.ones_like(phase), phase)

    def moved(size: int) -> Tensor:
        transfer = transfer_function((size, size), PITCH_M, WAVELENGTH_M, GAP_M)
        if hard_edged:
            transfer = transfer / transfer.abs().clamp_min(1e-30)
        return propagate(field, transfer)

    exact = moved(4 * SIZE)
    return float((moved(grid) - exact).norm() / exact.norm())


def claims_of(quick: bool, console: Console) -> tuple[list[Claim], dict[str, dict[str, float]]]:
    """All figures and what they show."""
    rounds = 3 if quick else 5
    found: dict[str, dict[str, float]] = {}

    def note(words: str, **how: object) -> dict[str, float]:
        found[words] = measured(words.split()[0], rounds=rounds, **how)  # type: ignore[arg-type]
        console.print(f"{words}: {found[words]['ms']:.1f} ms, {found[words]['peak_mb']:.0f} MB")
        return found[words]

    turns: dict[str, list[float]] = {"bare": [], "two": [], "peer": [], "tuned": []}
    peers = util.find_spec("torchoptics") is not None
    for _ in range(1 if quick else TURNS):
        # In turns, each against what stood beside it: the machine is not the same all the time.
        one = note("own one thread")
        turns["bare"].append(one["ms"] / note("transforms one thread")["ms"])
        turns["two"].append(one["ms"] / note("own two threads", threads=2)["ms"])
        if peers:
            peer = note("torchoptics as it is")
            turns["peer"].append(one["ms"] / peer["ms"])
            turns["tuned"].append(one["ms"] / note("torchoptics malloc tuned", tuned=True)["ms"])
    claims = [
        claim("over the plain transforms needed, same grid", median(turns["bare"]), "<= 1.2"),
        claim("two threads against one, speed", median(turns["two"]), ">= 1.5"),
    ]
    if peers:
        errors = worst_error(grid_size(), False), worst_error(PEER_GRID, True)
        claims += [
            claim("over torchoptics float32, 600 grid", median(turns["peer"]), "<= 0.1"),
            claim("over torchoptics with malloc tuned", median(turns["tuned"]), "<= 0.25"),
            claim("peak memory over torchoptics'", one["peak_mb"] / peer["peak_mb"], "<= 0.45"),
            claim("worst-case error over torchoptics'", errors[0] / errors[1], "<= 1"),
        ]
    else:
        console.print("torchoptics is not installed: pip install 'labdiff[benchmarks]'")
    for what, counts in (("layers", (2, 4, 16)), ("batch", (4, 16, 64))):
        some = counts[:2] if quick else counts
        times: dict[int, list[float]] = {count: [] for count in some}
        for _ in range(1 if quick else TURNS):
            for count, per in times.items():
                found_ms = note(f"own {what} {count}", **{what: count})["ms"]
                per.append(found_ms / (count if what == "layers" else LAYERS))
        medians = [median(per) for per in times.values()]
        spread = max(medians) / min(medians) - 1.0
        claims.append(
            claim(f"spread of the time a layer and sample over {what}", spread, "<= 0.15")
        )
    return claims, found


def main() -> None:
    """Measure, then print one JSON line."""
    if sys.argv[1:2] == ["--child"]:
        name, *numbers = sys.argv[2:]
        batch, layers, threads, rounds = map(int, numbers)
        measure_here(name, batch, layers, threads, rounds)
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    parser.add_argument("--quick", action="store_true", help="a faithful subset in under a minute")
    arguments = parser.parse_args()
    console = Console(stderr=True, quiet=arguments.json, highlight=False)
    claims, found = claims_of(arguments.quick, console)
    cuda = "not run: no CUDA device here" if not torch.cuda.is_available() else "present, not timed"
    finish("twin_speed", claims, arguments.json, grid=grid_size(), found=found, cuda=cuda)


if __name__ == "__main__":
    main()
