"""What is timed: a training step of the twin's cavity, of a peer, and the bare transforms.

`python -m benchmarks.twin_checks.speed_candidates NAME BATCH LAYERS SIZE THREADS ROUNDS` prints a JSON
line. Every figure comes from a process of its own, so that none meets a heap that another has warmed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median

import torch
from torch import Tensor

from benchmarks.posix_calls import peak_memory_mb
from twin.cavity import FixedCavity, along_columns
from twin.propagation import padded_size, transfer_function

PITCH_M, WAVELENGTH_M, GAP_M = 9.2e-6, 850e-9, 34.2e-3
PEER_SHARE = 2
"""The peer's padded grid over the plane: 600 for 300."""
propagate_through: Callable[..., Tensor] = FixedCavity.apply


@dataclass(frozen=True, slots=True)
class Problem:
    """Forward and backward with respect to layers of size x size phases."""

    batch: int
    layers: int
    size: int


@dataclass(frozen=True, slots=True)
class Timed:
    """Milliseconds of one sample's step, and the peak memory of the process."""

    ms: float
    peak_mb: float


def grid_size(size: int) -> int:
    """Return the padded grid that the twin chooses for a plane of size x size."""
    return padded_size(size, PITCH_M, WAVELENGTH_M, GAP_M)


def inputs(problem: Problem) -> Tensor:
    """Return amplitudes (B, h, w), a Gaussian beam with a random image on it."""
    torch.manual_seed(0)
    size = problem.size
    axis = (torch.arange(size) - (size - 1) / 2) / (size / 3)
    beam = torch.exp(-(axis[:, None].square() + axis[None, :].square()))
    return beam * torch.rand(problem.batch, size, size)


def own_step(problem: Problem) -> Callable[[], None]:
    """Return one training step of the twin's cavity."""
    grid = grid_size(problem.size)
    # As the twin stores it while the alignment stays.
    gap = along_columns(transfer_function((grid, grid), PITCH_M, WAVELENGTH_M, GAP_M))
    amplitude = inputs(problem)
    phases = (6.0 * torch.rand(problem.layers, problem.size, problem.size)).requires_grad_()

    def step() -> None:
        phases.grad = None
        modulations = torch.complex(phases.cos(), phases.sin())
        torch.autograd.backward(propagate_through(amplitude, modulations, gap, gap).sum())

    return step


def torchoptics_step(problem: Problem) -> Callable[[], None]:
    """Return the same with torchoptics in float32, its transfer function computed anew as it does."""
    import torchoptics
    from torchoptics.elements import PhaseModulator

    torchoptics.set_default_spacing(PITCH_M)
    torchoptics.set_default_wavelength(WAVELENGTH_M)
    torch.set_default_dtype(torch.float32)
    torchoptics.config.Config.dtype = torch.float32
    amplitude = inputs(problem).to(torch.complex64)
    phases = (6.0 * torch.rand(problem.layers, problem.size, problem.size)).requires_grad_()
    pad = (PEER_SHARE - 1) * problem.size // 2

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


def transforms_step(problem: Problem) -> Callable[[], None]:
    """Return the transforms alone: for every sample and layer two forward, two backward, one by one."""
    grid = grid_size(problem.size)
    field = torch.randn(grid, grid, dtype=torch.complex64)

    def step() -> None:
        for _ in range(problem.batch * problem.layers * 2):
            torch.fft.ifft2(torch.fft.fft2(field))

    return step


CANDIDATES = {"own": own_step, "torchoptics": torchoptics_step, "transforms": transforms_step}


def time_step(name: str, problem: Problem, rounds: int) -> Timed:
    """Time a candidate's step in this process, after one that warms up."""
    step = CANDIDATES[name](problem)
    step()
    times_s = []
    for _ in range(rounds):
        started_s = time.perf_counter()
        step()
        times_s.append(time.perf_counter() - started_s)
    return Timed(1e3 * median(times_s) / problem.batch, peak_memory_mb())


def main(name: str, batch: int, layers: int, size: int, threads: int, rounds: int) -> None:
    """Time a candidate and print it."""
    torch.set_num_threads(threads)
    print(json.dumps(asdict(time_step(name, Problem(batch, layers, size), rounds))))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
