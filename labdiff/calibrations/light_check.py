"""Check during an alignment whether the light is steady and the dark level still right."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from calibration.dark import measure_dark
from calibration.steady_light import SteadyLight, gain_exponent, power_in_a_minute
from labdiff.calibrations.alignment_search import HELD_OUT_SEED, SEEDS
from labdiff.calibrations.probe_choice import TellingProbes
from labdiff.calibrations.probe_frames import (
    ProbeKind,
    measure_patterns,
    measure_probes,
    predicted,
)
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench
from twin.alignment_fit import Triples
from twin.digital_twin import DigitalTwin
from twin.discrepancy import discrepancy
from twin.frame_light import FrameLight, brightness, frame_light, share_of_light

Array = npt.NDArray[np.float64]
DARK_FRAMES = 3
"""Frames without light at the end of an alignment."""
REPEATED_AFTER = 4
"""Probes after which a flat SLM is shown again."""


class LightCheck:
    """Frames of a flat SLM in between, frames in the dark at the end, and what the probes tell beside.

    To find ambient light, power and gain takes no probe of its own: the fit normalises every frame.
    before: frames of searches that were given up.
    """

    def __init__(self, calibrated: CalibratedBench) -> None:
        self._calibrated = calibrated
        self._power: list[float] = []
        self._seconds: list[float] = []
        self._taken: dict[tuple[str, float, bool], list[Triples]] = {}
        self._since = 0
        self.before: list[Triples] = []

    def measure_probes(self, kind: ProbeKind, strength: float, frames: int, seed: int) -> Triples:
        """Measure probes as `labdiff.calibrations.probe_frames.measure_probes` does, after a flat SLM.

        Args:
            kind: of the patterns.
            strength: of the patterns.
            frames: how many.
            seed: of the patterns.
        """
        self._repeat_if_due()
        probes = measure_probes(self._calibrated, kind, strength, frames, seed)
        self._add((kind, strength, seed % SEEDS == HELD_OUT_SEED), probes)
        return probes

    def measure_chosen(self, chosen: TellingProbes) -> Triples:
        """Measure probes that were chosen, after a flat SLM."""
        self._repeat_if_due()
        probes = measure_patterns(self._calibrated, chosen.inputs, chosen.layers)
        for number, (kind, strength) in enumerate(chosen.kinds):
            self._add((kind, strength, False), probes.part(number))
        return probes

    def _add(self, kind: tuple[str, float, bool], probes: Triples) -> None:
        self._taken.setdefault(kind, []).append(probes)
        self._since += len(probes.inputs)

    def begin_anew(self) -> None:
        """Begin another search: what was measured for the one before tells no more of the light."""
        self.before += [part for parts in self._taken.values() for part in parts]
        self._taken.clear()

    @property
    def probes(self) -> list[Triples]:
        """Return the frames of each kind, as the kinds were first measured, held-out ones last."""
        kinds = sorted(self._taken, key=lambda kind: kind[2])
        return [Triples.joined(self._taken[kind]) for kind in kinds]

    def _repeat_if_due(self) -> None:
        if not self._power or self._since >= REPEATED_AFTER:
            self.repeat()

    def repeat(self) -> None:
        """Take a frame of a flat SLM, always the same: the laser's power alone changes it."""
        calibrated = self._calibrated
        planes = torch.from_numpy(calibrated.bench.layout.flat()).float()
        layers = planes[-calibrated.config.layers :]
        inputs = planes[:1] if len(planes) > len(layers) else torch.ones_like(planes[:1])
        self._power.append(float(calibrated.measure(inputs, layers).mean()))
        self._seconds.append(calibrated.bench.clock.now_s())
        self._since = 0

    def end(self) -> None:
        """Take a frame of a flat SLM if probes were taken since the last one."""
        if self._since:
            self.repeat()

    def dark_change(self) -> Job[float]:
        """Return by how much the counts without light have changed, share of full scale."""
        bench = self._calibrated.bench
        now = yield from measure_dark(
            bench.camera, bench.laser, bench.clock.sleep_s, DARK_FRAMES, ambient=False
        )
        change = now.pedestal_counts - self._calibrated.pedestal_counts
        return change / float(bench.full_scale_counts)

    def found(self, twin: DigitalTwin, dark_change: float) -> tuple[SteadyLight, FrameLight]:
        """Return what all probes tell of the light, and scale and offset of those measured last.

        Args:
            twin: as it was fitted.
            dark_change: as `dark_change` returned it.
        """
        self.end()
        found, light = _compared(twin, self.probes)
        power, seconds = np.array(self._power), np.array(self._seconds)
        whole = dataclasses.replace(
            found,
            power_scatter=float(power.std() / power.mean()),
            power_s=float(seconds[-1] - seconds[0]),
            power_minute=power_in_a_minute(power, seconds),
            dark_change=dark_change,
        )
        return whole, light


def light_of(twin: DigitalTwin, probes: Triples) -> SteadyLight:
    """Return what frames of one kind tell of the light."""
    return _compared(twin, [probes])[0]


def _compared(twin: DigitalTwin, kinds: Sequence[Triples]) -> tuple[SteadyLight, FrameLight]:
    """Return what frames of several kinds tell of the light, and scale and offset of those of the last.

    One sample a pixel misses a little of the light, more of one kind of patterns than of another: scales
    are compared among frames of a kind.
    """
    scales: list[Array] = []
    bright: list[Array] = []
    clipped: list[float] = []
    missed: list[Array] = []
    light = FrameLight(*(torch.zeros(1, dtype=torch.float64) for _ in range(4)))
    for frames in kinds:
        modelled = predicted(twin, frames)
        light = frame_light(frames.intensity, modelled, frames.valid)
        clipped.append(share_of_light(modelled, frames.valid))
        missed.append(discrepancy(frames.intensity, modelled, frames.valid).double().numpy())
        scales.append(_centred(np.log(light.ratio.clamp_min(1e-6).numpy())))
        bright.append(_centred(np.log(brightness(modelled).clamp_min(1e-6).numpy())))
    log_scale = np.concatenate(scales)
    exponent, explained = gain_exponent(log_scale, np.concatenate(bright))
    found = SteadyLight(
        offset=float(light.offset.mean()),
        scale_scatter=float(np.sqrt(np.sum(log_scale**2) / max(len(log_scale) - len(kinds), 1))),
        gain_exponent=exponent,
        explained=explained,
        clipped=float(np.mean(clipped)),
        discrepancy=float(np.concatenate(missed).mean()),
    )
    return found, light


def _centred(values: Array) -> Array:
    result: Array = values - values.mean()
    return result
