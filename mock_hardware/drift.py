"""Drift of a laboratory: Ornstein-Uhlenbeck processes on a grid of time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from zlib import crc32

import numpy as np
import numpy.typing as npt

from mock_hardware.settings import MockDriftSettings

Array = npt.NDArray[np.float64]

STEP_S = 1.0
"""Step of the grid of time."""
_BLOCK = 4096


class OrnsteinUhlenbeck:
    """x' = -x / tau + noise, stationary rms `rms`, exact on a grid of STEP_S, linear between.

    Its power spectrum is 2 rms^2 tau / (1 + (2 pi f tau)^2) for each sign of f. It starts at 0: what
    stands at the beginning belongs to the bench's truth. The values depend on the seed alone and not on
    when they are asked for.
    """

    def __init__(self, rms: float, tau_s: float, seed: list[int]) -> None:
        self._rms, self._keep = rms, float(np.exp(-STEP_S / tau_s))
        self._rng = np.random.default_rng(seed)
        self._known = np.zeros(1)

    def __call__(self, now_s: float) -> float:
        """Return the value at a time since the laboratory opened."""
        if self._rms == 0.0:
            return 0.0
        place = max(now_s, 0.0) / STEP_S
        index = int(place)
        while index + 1 >= len(self._known):
            self._extend()
        before, after = self._known[index : index + 2]
        return float(before + (place - index) * (after - before))

    def _extend(self) -> None:
        kicks = self._rng.standard_normal(_BLOCK) * self._rms * np.sqrt(1.0 - self._keep**2)
        # As scipy.signal.lfilter, whose import loads all of scipy.stats: most of a mock bench's start.
        more = accumulate(
            kicks.tolist(), lambda x, kick: kick + self._keep * x, initial=float(self._known[-1])
        )
        self._known = np.concatenate([self._known[:-1], list(more)])


class ModeHops:
    """A laser that hops between two modes at random: the power is less by a share in the second.

    It starts in the first. Times between two hops are exponential; they depend on the seed alone.
    """

    def __init__(self, share: float, mean_s: float, seed: list[int]) -> None:
        self._share, self._mean_s = share, mean_s
        self._rng = np.random.default_rng(seed)
        self._hops_s = np.zeros(0)

    def __call__(self, now_s: float) -> float:
        """Return the change of the power at a time since the laboratory opened, as a share."""
        if self._share == 0.0:
            return 0.0
        while not len(self._hops_s) or self._hops_s[-1] <= now_s:
            start_s = self._hops_s[-1] if len(self._hops_s) else 0.0
            more_s = start_s + np.cumsum(self._rng.exponential(self._mean_s, _BLOCK))
            self._hops_s = np.concatenate([self._hops_s, more_s])
        hops = int(np.searchsorted(self._hops_s, now_s, side="right"))
        return -self._share if hops % 2 else 0.0


@dataclass(frozen=True, slots=True)
class Drifted:
    """How far the bench is from its truth; angles (x, y) in rad, power as a share."""

    beam_rad: Array
    mirror_rad: Array
    power: float
    wavelength_nm: float
    temperature_k: float


STILL = Drifted(np.zeros(2), np.zeros(2), 0.0, 0.0, 0.0)


class Drift:
    """All slow quantities of a laboratory."""

    def __init__(self, settings: MockDriftSettings, seed: int) -> None:
        def process(name: str, rms: float, minutes: float) -> OrnsteinUhlenbeck:
            return OrnsteinUhlenbeck(rms, 60.0 * minutes, [seed, 3, crc32(name.encode())])

        s = settings
        self._beam = [process(f"beam {a}", s.beam_urad * 1e-6, s.angle_minutes) for a in "xy"]
        self._mirror = [process(f"mirror {a}", s.mirror_urad * 1e-6, s.angle_minutes) for a in "xy"]
        self._power = process("power", s.power, s.laser_minutes)
        self._ripple, self._ripple_hz = s.ripple, s.ripple_hz
        self._hops = ModeHops(s.mode_hop, s.mode_hop_s, [seed, 3, crc32(b"mode hops")])
        self._wavelength = process("wavelength", s.wavelength_nm, s.laser_minutes)
        self._temperature = process("temperature", s.temperature_k, s.temperature_minutes)

    def at(self, now_s: float) -> Drifted:
        """Return all drifted quantities at one moment."""
        return Drifted(
            beam_rad=np.array([process(now_s) for process in self._beam]),
            mirror_rad=np.array([process(now_s) for process in self._mirror]),
            power=self._power(now_s) + self._hops(now_s) + self._rippling(now_s),
            wavelength_nm=self._wavelength(now_s),
            temperature_k=self._temperature(now_s),
        )

    def _rippling(self, now_s: float) -> float:
        """Return the ripple of the power at a moment, as a share."""
        return self._ripple * math.sin(2.0 * math.pi * self._ripple_hz * now_s)
