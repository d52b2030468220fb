"""How fast the mock gives frames: python benchmarks/mock_speed.py [--json] [--quick] [--part BENCH].

Frames a second through the devices, as Bench.measure asks for them, all effects on; and the CPU time
of a frame over that of the transforms that its propagation needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
from scipy import fft

from benchmarks.claims import claim
from benchmarks.mock_checks.benches import block_phases, lit, panel_of
from benchmarks.parts import Outcome, Part, Setting, parser, run_parts
from drivers.types import Roi
from labdiff.bench.mock_bench import mock_geometry
from labdiff.config.bench import load_bench
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.optics import propagation

CELLS = 10
"""The input image has so many cells a side."""
BLOCK_PX = 8
"""Layers are random in blocks: noise in every pixel would leave next to no light to count."""
WINDOW_PX = 130


@dataclass(frozen=True, slots=True)
class Task:
    """A shipped bench, how many frames share their layers, and the rate that is required."""

    bench: str
    batch: int
    frames_per_s: float


TASKS = (Task("mock", 64, 200.0), Task("mock-paper", 8, 4.0))


def laboratory(task: Task, threads: int | None = None) -> MockLaboratory:
    """Return the bench as shipped, its laser on, read out around the sensor's centre."""
    config = load_bench(task.bench)
    dials = config.mock if threads is None else config.mock.model_copy(update={"threads": threads})
    lab = lit(mock_geometry(config), dials)
    lab.laser.power_mw = config.laser.power_mw
    lab.camera.exposure_ms = config.camera.exposure_ms
    height, width = lab.camera.shape
    half = WINDOW_PX // 2
    lab.camera.roi = Roi(height // 2 - half, width // 2 - half, WINDOW_PX, WINDOW_PX)
    return lab


def take_batch(lab: MockLaboratory, batch: int, seed: int) -> None:
    """Show new layers, then take a frame of each random input; each device gets its declared time."""
    geometry, shape = lab.world.geometry, lab.world.geometry.patch_shape
    layers = block_phases(geometry.layers, shape, BLOCK_PX, seed=seed)
    inputs = block_phases(batch, shape, shape[0] // CELLS, seed=seed + 1)
    frames = []
    if lab.dmd is not None:
        lab.slm.set_phase(panel_of(geometry, layers))
        lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)
    for field in inputs:
        if lab.dmd is not None:
            lab.dmd.show(field / np.float32(2.0 * np.pi))
            lab.world.clock.sleep_s(lab.dmd.timing.total_ms * 1e-3)
        else:
            lab.slm.set_phase(panel_of(geometry, np.concatenate([field[None], layers])))
            lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)
        frames.append(lab.camera.get_frame())
    # Pixels last: they may be computed while the next pattern settles.
    for frame in frames:
        assert frame.pixels.shape == (WINDOW_PX, WINDOW_PX)


def seconds_of(clock: Callable[[], float], act: Callable[..., object], *of: Any) -> float:
    """Return what act(*of) takes by a clock."""
    started_s = clock()
    act(*of)
    return clock() - started_s


def frames_per_s(task: Task, rounds: int) -> float:
    """Return the median batch's rate, on as many threads as the bench file says, after one to warm up."""
    lab = laboratory(task)
    with lab.world.workers:
        take_batch(lab, task.batch, 0)
        times_s = [
            seconds_of(time.perf_counter, take_batch, lab, task.batch, seed)
            for seed in range(10, 10 * (rounds + 1), 10)
        ]
    return task.batch / median(times_s)


class Transforms:
    """A recording replacement of scipy.fft: which transforms of arrays are asked for, and how."""

    def __init__(self) -> None:
        self._noted: list[tuple[Callable[..., Any], tuple[int, ...], tuple[Any, ...], Any]] = []
        self._fields: dict[tuple[int, ...], npt.NDArray[np.complex64]] = {}

    def __getattr__(self, name: str) -> Any:
        function = getattr(fft, name)

        def noting(*args: Any, **more: Any) -> Any:
            if args and isinstance(args[0], np.ndarray):
                shape = args[0].shape
                self._fields.setdefault(shape, random_field(shape))
                # Over and over in place, only what keeps the energy stays away from denormal numbers.
                norm = {"norm": "ortho"} if more.get("overwrite_x") else {}
                self._noted.append((function, shape, args[1:], more | norm))
            return function(*args, **more)

        return noting

    def repeat(self) -> None:
        """Repeat the same calls on arrays of the same shapes, with nothing between them."""
        for function, shape, args, more in self._noted:
            function(self._fields[shape], *args, **more)


def random_field(shape: tuple[int, ...]) -> npt.NDArray[np.complex64]:
    """Return complex noise."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((*shape, 2), np.float32).view(np.complex64)[..., 0]


def plain_transforms(lab: MockLaboratory) -> Callable[[], None]:
    """Return what does, for each propagation of a frame, an FFT of its whole padded grid and one back."""
    gap, way_out = (
        lab.world.light_path.optics.undrifted.gap,
        lab.world.light_path.optics.undrifted.exit,
    )
    fields = [random_field(gap.grid)] * lab.world.geometry.layers + [random_field(way_out.grid)]

    def act() -> None:
        for field in fields:
            spectrum = fft.fft2(field, overwrite_x=True, workers=1)
            fft.ifft2(spectrum, overwrite_x=True, workers=1)

    return act


def own_transforms(lab: MockLaboratory) -> Callable[[], None]:
    """Return what performs the transforms of a frame as the mock's propagation itself asks for them."""
    transforms = Transforms()
    with mock.patch.object(propagation, "fft", transforms):
        assert lab.camera.get_frame().pixels.any()
    return transforms.repeat


def cpu_ms(task: Task, rounds: int) -> dict[str, list[float]]:
    """Return CPU times a frame on one thread, in turns so that all meet the same machine."""
    lab = laboratory(task, threads=1)
    with lab.world.workers:
        take_batch(lab, task.batch, 0)
        plain, own = plain_transforms(lab), own_transforms(lab)
        found: dict[str, list[float]] = {"frame": [], "plain": [], "own": []}
        for seed in range(10, 10 * (rounds + 1), 10):
            batch_s = seconds_of(time.process_time, take_batch, lab, task.batch, seed)
            found["frame"].append(1e3 * batch_s / task.batch)
            for name, act in (("plain", plain), ("own", own)):
                # Half as many as frames: transforms only.
                times_s = [
                    seconds_of(time.process_time, act) for _ in range(max(1, task.batch // 2))
                ]
                found[name].append(1e3 * sum(times_s) / len(times_s))
    return found


def median_ratio(found: dict[str, list[float]], over: str) -> float:
    """Return a frame's time over that of transforms, the median over the rounds."""
    return median(a / b for a, b in zip(found["frame"], found[over], strict=True))


def measure(task: Task, setting: Setting) -> Outcome:
    """Measure rate and CPU time of a bench's frames."""
    rounds = setting.amount("rounds", smoke=1, quick=3, full=9)
    batch = setting.amount("frames a batch", smoke=1, quick=task.batch, full=task.batch)
    task, name = replace(task, batch=batch), f"{task.bench}.toml"
    setting.say(f"{name}: frames ...")
    rate = frames_per_s(task, rounds)
    setting.say(f"{name}: CPU time ...")
    found = cpu_ms(task, rounds)
    claims = [
        claim(f"{name} frames/s", rate, f">= {task.frames_per_s:g}"),
        claim(
            f"{name} CPU time a frame over plain FFTs of the padded grids",
            median_ratio(found, "plain"),
            "<= 1.6",
        ),
        claim(
            f"{name} CPU time a frame over the mock's own pruned transforms alone",
            median_ratio(found, "own"),
            "<= 1.6",
        ),
    ]
    return Outcome(claims, {f"{kind}_cpu_ms": round(median(ms), 3) for kind, ms in found.items()})


PARTS: dict[str, Part] = {task.bench: partial(measure, task) for task in TASKS}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    run_parts("mock_speed", PARTS, parser(__doc__, PARTS).parse_args(arguments))


if __name__ == "__main__":
    main()
