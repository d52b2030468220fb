"""A virtual day of drift against the Ornstein-Uhlenbeck processes that the dials configure."""

from __future__ import annotations

import time

import numpy as np
from scipy import signal

from benchmarks.claims import claim
from benchmarks.mock_checks.benches import SMALL, lit
from benchmarks.parts import Outcome, Setting
from mock_hardware.settings import MockSettings

DAY_S, SMOKE_S = 86_400, 7200
"""Two hours are enough for every spectrum to have a band; its variance is then known to a third."""


def day(seconds: int) -> tuple[dict[str, np.ndarray], float]:
    """Return observables second by second, frames every ten minutes; and the time that it took."""
    lab = lit(SMALL, MockSettings(), seed=2)
    started = time.perf_counter()
    power, angles, wavelength, temperature = [], [], [], []
    for second in range(seconds):
        lab.world.clock.sleep_s(second + 1.0 - lab.world.clock.now_s())
        power.append(lab.power_meter.read_mw() / lab.laser.power_mw - 1.0)
        now = lab.world.drift.at(lab.world.clock.now_s())
        angles.append(np.concatenate([now.beam_rad, now.mirror_rad]))
        wavelength.append(now.wavelength_nm)
        temperature.append(now.temperature_k)
        if second % 600 == 0:
            lab.camera.get_frame().pixels.mean()
    found = {
        "power": np.array(power)[:, None],
        "angles": np.array(angles),
        "wavelength": np.array(wavelength)[:, None],
        "temperature": np.array(temperature)[:, None],
    }
    return found, time.perf_counter() - started


def spectrum_error(series: np.ndarray, rms: float, tau_s: float) -> float:
    """Return the mean log ratio of the measured spectrum to 4 rms^2 tau / (1 + (2 pi f tau)^2), in nepers.

    Between a tenth and thirty times the corner frequency, in bands of a third of an octave.
    """
    length = min(len(series), int(2 ** np.ceil(np.log2(60 * tau_s))))
    frequency, density = signal.welch(series, 1.0, nperseg=length, axis=0, detrend=False)
    density = density.mean(axis=1)
    expected = 4.0 * rms**2 * tau_s / (1.0 + (2.0 * np.pi * frequency * tau_s) ** 2)
    corner = 1.0 / (2.0 * np.pi * tau_s)
    use = (frequency > 0.5 * corner) & (frequency < min(30 * corner, 0.1))
    return float(abs(np.log(density[use].mean() / expected[use].mean())))


def measure(setting: Setting) -> Outcome:
    """Measure spectra and variances of what drifts."""
    found, seconds = day(setting.amount("seconds of drift", smoke=SMOKE_S, quick=DAY_S, full=DAY_S))
    dials = MockSettings().drift
    configured = {
        "power": (dials.power, 60.0 * dials.laser_minutes),
        "angles": (dials.beam_urad * 1e-6, 60.0 * dials.angle_minutes),
        "wavelength": (dials.wavelength_nm, 60.0 * dials.laser_minutes),
    }
    spectra, sigmas = [], []
    for name, (rms, tau_s) in configured.items():
        series = found[name]
        spectra.append(spectrum_error(series, rms, tau_s))
        # The variance of a process of correlation time tau is known to sqrt(2 tau / T).
        sigma = np.sqrt(2.0 * tau_s / len(series) / series.shape[1])
        sigmas.append(abs(np.mean(series**2) / rms**2 - 1.0) / sigma)
    minute = np.sqrt(np.mean((found["angles"][60:] - found["angles"][:-60]) ** 2))
    claims = [
        claim("power spectrum over a day: worst error, nepers", max(spectra), "<= 0.15"),
        claim("variance over a day: worst error, in its own sigmas", max(sigmas), "<= 3"),
        claim("angles' change in a minute, microradians rms", minute * 1e6, ">= 10"),
        claim("a virtual day of slow observables, seconds", seconds, "<= 60"),
    ]
    return Outcome(claims)
