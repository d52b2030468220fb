"""Rows of the efficiency table that are timed on this computer."""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import torch

from labdiff.bench.bench import Bench
from labdiff.config.bench import BenchConfig
from labdiff.diffusion.sampler import Sampler
from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.reproduce.digital_denoisers.counting import multiply_adds, parameters
from labdiff.reproduce.digital_denoisers.denoiser import DigitalDenoiser
from labdiff.reproduce.digital_denoisers.prediction import denoiser
from labdiff.reproduce.efficiency import STEPS, Efficiency


def measured_peer(
    net: DigitalDenoiser, batch: int, repeats: int, watts: float | None
) -> Efficiency:
    """Denoising steps of a batch: the net, and DDPM's reverse step; the median of `repeats`.

    The weights do not matter for it, so the net may be untrained. watts: the power of this computer at
    work, if it is known; without it there is no energy.
    """
    schedule, sampler = NoiseSchedule(), Sampler("ddpm", STEPS)
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(batch, *net.image_shape, generator=rng)
    denoise = denoiser(net, batch)
    times_s = []
    for index in range(1 + repeats):  # the first one warms up
        t = STEPS - 1 - index
        started_s = time.perf_counter()
        x = sampler.step(x, denoise(x, t), t, t - 1, schedule, rng)
        times_s.append(time.perf_counter() - started_s)
    rate = batch / (median(times_s[1:]) * STEPS)
    threads = torch.get_num_threads()
    power = "" if watts is None else f"; {watts:g} W as stated"
    return Efficiency(
        net.architecture,
        "measured here",
        parameters(net),
        multiply_adds(net),
        None if watts is None else watts / rate,
        rate,
        f"CPU, threads: {threads}, batch of {batch}, median of {repeats} steps{power}",
    )


def frames_per_s(bench: Bench, frames: int, seed: int = 0) -> float:
    """Frames a second that this computer simulates, new input each, layers of smooth random phases.

    The bench is open and of mock devices; its laser is on.
    """
    rng = np.random.default_rng(seed)
    height, width = bench.layout.patch_shape
    coarse = rng.uniform(0.0, 2.0 * np.pi, (bench.planes, height // 10 + 1, width // 10 + 1))
    phases = coarse.repeat(10, 1).repeat(10, 2)[:, :height, :width].astype(np.float32)
    if bench.dmd is not None:
        bench.show(phases)
    taken = []
    started_s = 0.0
    for index in range(1 + frames):
        if bench.dmd is not None:
            bench.dmd.show(np.roll(phases[0], index, 0) / np.float32(2.0 * np.pi))
            bench.clock.sleep_s(bench.dmd.timing.total_ms / 1e3)
        else:
            bench.show(np.concatenate([np.roll(phases[:1], index, 1), phases[1:]]))
        taken.append(bench.camera.get_frame())
        if index == 0:  # it warms up, and is waited for
            taken[0].pixels.max()
            started_s = time.perf_counter()
    # Pixels last: they may be on their way while the next pattern settles.
    for frame in taken:
        frame.pixels.max()
    return frames / (time.perf_counter() - started_s)


def simulated_odu(config: BenchConfig, bench: Bench, frames: int) -> Efficiency:
    """The mock bench's own pace: what an image costs without a laboratory. Says nothing of light."""
    rate = frames_per_s(bench, frames)
    return Efficiency(
        f"simulated bench {config.name} on this computer",
        "measured here",
        None,
        None,
        None,
        rate / STEPS,
        f"{rate:.3g} simulated frames/s, {frames} frames of the whole sensor",
    )
