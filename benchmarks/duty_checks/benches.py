"""Two benches in real time, calibrated by the mock's truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from benchmarks.mock_checks.benches import block_phases, laboratory_of
from calibration.dark import DarkLevel
from calibration.registration import Registration
from calibration.result import Verdict
from labdiff.bench.bench import Bench
from labdiff.bench.open import open_bench
from labdiff.config.bench import BenchConfig, load_bench
from mock_hardware.laboratory import MockLaboratory

Images = npt.NDArray[np.float32]
SIDE_PX = 16
"""Side of a patch of the bench with the fast camera, with one sample a pixel: half a millisecond a frame.

The paper's 260 x 260 with two take a quarter of a second.
"""


@dataclass(frozen=True, slots=True)
class Task:
    """A bench, and how many frames are in a batch."""

    name: str
    config: BenchConfig
    batch: int

    def images(self, step: int) -> tuple[Images, Images]:
        """Return inputs (B, h, w) and layers (N, h, w) of a step: no two are alike."""
        shape = self.config.cavity.patch_shape
        inputs = block_phases(self.batch, shape, shape[0] // 4, seed=2 * step)
        layers = block_phases(self.config.layers, shape, shape[0] // 4, seed=2 * step + 1)
        if self.config.input.kind == "dmd":
            inputs = 0.2 + 0.8 * inputs / np.float32(2.0 * np.pi)
        return inputs.astype(np.float32), layers


def slm_task(batch: int) -> Task:
    """Return the shipped bench, all effects on: an SLM of 60 Hz writes input and layers, 100 x 100 each."""
    return Task("60 Hz SLM", load_bench("mock"), batch)


def camera_task(batch: int) -> Task:
    """Return the paper's devices, all effects on: DMD, SLM of 422 Hz, camera of 522 frames/s."""
    paper = load_bench("mock-paper")
    share = SIDE_PX / paper.cavity.patch_shape[0]
    lefts = tuple(8 + (SIDE_PX + 8) * layer for layer in range(paper.layers))
    parts = paper.model_dump()
    parts["slm"]["shape"] = (SIDE_PX + 16, lefts[-1] + SIDE_PX + 8)
    parts["cavity"] |= {"patch_shape": (SIDE_PX, SIDE_PX), "patch_top": 8, "patch_lefts": lefts}
    # The same Fresnel number, and the beam as large on the patch.
    parts["cavity"]["z_gap_mm"] *= share**2
    parts["source"]["waist_mm"] *= share
    parts["camera"]["shape"] = (SIDE_PX, SIDE_PX)
    parts["mock"]["samples_per_pixel"] = 1
    return Task("522 fps camera", BenchConfig.model_validate(parts), batch)


@contextmanager
def opened(
    task: Task, clock: Literal["virtual", "real"], faults: float = 0.0
) -> Iterator[tuple[MockLaboratory, Bench]]:
    """Open the bench of a task, calibrated by the truth. faults: chance of each kind for each frame."""
    chances = dict.fromkeys(("dropped", "duplicated", "torn", "late"), faults)
    parts = task.config.model_dump()
    # One thread computes frames fast enough, and leaves a core to the twin step.
    parts["mock"] |= {"clock": clock, "threads": 1}
    parts["mock"]["faults"] |= chances
    bench = open_bench(BenchConfig.model_validate(parts), seed=0)
    lab = laboratory_of(bench)
    truth, fine = lab.world.truth, Verdict("pass", "as the truth has it")
    bench.dark = DarkLevel(truth.pedestal_counts, 0.0, 0.0, fine)
    bench.use_registration(
        Registration(truth.camera_matrix, truth.camera_offset_px, 0.0, 0.0, fine)
    )
    with lab.world.workers, bench:
        inputs, layers = task.images(10**6)
        bench.counts_per_ms_per_unit = float(
            np.mean([frame.pixels.mean() for frame in bench.acquire(inputs[:4], layers)])
            - truth.pedestal_counts
        )
        yield lab, bench
