"""Measure rows of the efficiency table on this computer."""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import torch

from labdiff.bench.bench import Bench
from labdiff.config.bench import BenchConfig
from labdiff.config.training import SamplerOptions
from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.generation.sample import sampler_of
from labdiff.reproduce.digital_denoisers.counting import multiply_adds, parameters
from labdiff.reproduce.digital_denoisers.denoiser import DigitalDenoiser
from labdiff.reproduce.digital_denoisers.prediction import denoiser
from labdiff.reproduce.efficiency import STEPS, Efficiency


def measured_denoiser(
    net: DigitalDenoiser, batch: int, repeats: int, watts: float | None
) -> Efficiency:
    """Measure the time of a denoising step: the net, and DDPM's reverse step.

    The weights do not matter, so the net may be untrained.

    Args:
        net: the digital denoiser.
        batch: number of images of a step.
        repeats: number of steps, of which the median counts.
        watts: power that this computer draws under load; None, no energy, if it is not known.
    """
    schedule = NoiseSchedule()
    sampler = sampler_of(
        SamplerOptions(sampler="ddpm", sampler_steps=STEPS, sampler_spacing="linspace")
    )
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
    """Measure how many frames a second this computer simulates, each with a new input.

    The layers have smooth random phases.

    Args:
        bench: an open bench of mock devices, its laser on.
        frames: number of frames.
        seed: of the phases.
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
        if index == 0:  # the first frame warms up, and is waited for
            taken[0].pixels.max()
            started_s = time.perf_counter()
    # Pixels are read last: a frame may be computed while the next pattern settles.
    for frame in taken:
        frame.pixels.max()
    return frames / (time.perf_counter() - started_s)


def simulated_odu(config: BenchConfig, bench: Bench, frames: int) -> Efficiency:
    """Return the row of a mock bench, which measures the simulation and not the optics.

    Args:
        config: the bench file.
        bench: the open bench.
        frames: number of frames that are timed.
    """
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
