"""The twin on an NVIDIA GPU: time of a sample, memory bandwidth, and this computer's CPU beside it."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from benchmarks.claims import claim
from benchmarks.parts import NotPossibleError, Outcome, Setting
from benchmarks.twin_checks.speed_candidates import (
    GAP_M,
    PITCH_M,
    WAVELENGTH_M,
    Problem,
    grid_size,
    inputs,
    propagate_through,
)
from twin.cavity import along_columns
from twin.propagation import transfer_function

BATCHES = (16, 64, 256, 1024)
SIZE, LAYERS = 300, 4
COPIED_BYTES = 2**30
COMPLEX_BYTES = 8
COMMAND = "python benchmarks/devices.py --part speed --json"


def measure(setting: Setting) -> Outcome:
    """Time forward and backward with respect to four layers of 300 x 300."""
    if not torch.cuda.is_available():
        raise NotPossibleError(f"no NVIDIA GPU is at hand; where one is: {COMMAND}")
    device = torch.device("cuda", 0)
    batches = setting.amount("batches", smoke=BATCHES[:1], quick=BATCHES[:2], full=BATCHES)
    ms = {batch: _ms_a_sample(batch, device) for batch in batches}
    cpu_ms = _ms_a_sample(BATCHES[0], torch.device("cpu"))
    fastest = min(ms.values())
    share = _needed_bytes() / (1e-3 * fastest) / _copy_bytes_a_second(device)
    claims = [
        claim("share of the memory's copy bandwidth that the transforms need", share, ">= 0.6"),
        claim("times as fast as this computer's CPU with all its cores", cpu_ms / fastest, ">= 50"),
    ]
    figures = {
        "device": torch.cuda.get_device_name(device),
        "ms_a_sample": {str(batch): round(value, 5) for batch, value in ms.items()},
        "cpu_ms_a_sample": round(cpu_ms, 3),
    }
    return Outcome(claims, figures)


def _ms_a_sample(batch: int, device: torch.device, rounds: int = 5) -> float:
    """Return the least time of a step over its samples, after one that warms up."""
    step = _step(batch, device)
    times_s = []
    for _ in range(rounds + 1):
        _finish(device)
        began_s = time.perf_counter()
        step()
        _finish(device)
        times_s.append(time.perf_counter() - began_s)
    return 1e3 * min(times_s[1:]) / batch


def _step(batch: int, device: torch.device) -> Callable[[], None]:
    """Return one training step of the cavity on a device."""
    problem = Problem(batch, LAYERS, SIZE)
    grid = grid_size(SIZE)
    transfer = transfer_function((grid, grid), PITCH_M, WAVELENGTH_M, GAP_M).to(device)
    gap, amplitude = along_columns(transfer), inputs(problem).to(device)
    phases = (6.0 * torch.rand(LAYERS, SIZE, SIZE, device=device)).requires_grad_()

    def step() -> None:
        phases.grad = None
        modulations = torch.complex(phases.cos(), phases.sin())
        torch.autograd.backward(propagate_through(amplitude, modulations, gap, gap).sum())

    return step


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _needed_bytes() -> float:
    """Return what the transforms of a sample read and write at least: every line once in each pass."""
    grid = grid_size(SIZE)
    lines = 2 * SIZE * grid + 2 * grid * grid  # along x and along y, there and back
    return 2.0 * COMPLEX_BYTES * lines * LAYERS * 2


def _copy_bytes_a_second(device: torch.device) -> float:
    """Return how many bytes a copy in the device's memory reads and writes in a second."""
    source = torch.empty(COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    times_s = []
    for _ in range(6):
        _finish(device)
        began_s = time.perf_counter()
        target.copy_(source)
        _finish(device)
        times_s.append(time.perf_counter() - began_s)
    return 2.0 * COPIED_BYTES / min(times_s[1:])
