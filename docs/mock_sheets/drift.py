"""An hour of drift: its traces, its spectrum and what it does to the light."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from scipy import signal

from drivers.phase_quantiser import PhaseQuantiser
from mock_hardware.drift import Drift, OrnsteinUhlenbeck
from mock_hardware.light_path import LightPath
from mock_hardware.settings import MockSettings
from mock_hardware.truth import draw_truth
from mock_sheets.bands import STAR_NOTE, TitledImage, bands
from mock_sheets.layout import BLUE, EDGE, INK, ORANGE, WIDTH, Array, Sheet, plot
from mock_sheets.scene import GEOMETRY, OFF, SEED, WINDOW, star


def drift() -> Sheet:
    """Draw an hour of each quantity that drifts, and the spectra."""
    sheet = Sheet(WIDTH, 400)
    settings = MockSettings().drift
    moving = Drift(settings, SEED)
    minutes = np.arange(0, 3601, 5) / 60.0
    states = [moving.at(60.0 * m) for m in minutes]
    traces = (
        ("beam, \u00b5rad", [1e6 * f.beam_rad for f in states], settings.beam_urad),
        ("mirror, \u00b5rad", [1e6 * f.mirror_rad for f in states], settings.mirror_urad),
        ("power, %", [100 * f.power for f in states], 100 * settings.power),
        ("wavelength, pm", [1e3 * f.wavelength_nm for f in states], 1e3 * settings.wavelength_nm),
        ("SLM, K", [f.temperature_k for f in states], settings.temperature_k),
    )
    sheet.write(
        EDGE, 12, "[mock.drift] at its defaults: an hour (band: one rms)", weight="bold", fontsize=8
    )
    for row, (label, values, rms) in enumerate(traces):
        axes = sheet.place(EDGE + 36, 36 + row * 64, 330, 56)
        axes.axhspan(-rms, rms, color="#eef1f6", lw=0)
        columns = np.array(values).reshape(len(values), -1).T
        for line, colour in zip(columns, (BLUE, ORANGE), strict=False):
            axes.plot(minutes, line, color=colour, lw=1.0)
        axes.set(xlim=(0, 60), ylim=(-3.7 * rms, 3.7 * rms), yticks=(-2 * rms, 0, 2 * rms))
        axes.text(1, 3.4 * rms, label, va="top", fontsize=7.5)
        if row < len(traces) - 1:
            axes.set_xticklabels([])
        else:
            axes.set_xlabel("time, minutes")
    size = (WIDTH - EDGE - 420, 386.0)
    _spectrum(plot(sheet, 416, 12, size, "power spectrum over rms$^2$"))
    return sheet


def _spectrum(axes: Axes) -> None:
    settings = MockSettings().drift
    for name, tau_s, colour, length in (
        ("angles, 2 minutes", 60.0 * settings.angle_minutes, BLUE, 2**12),
        ("temperature, 30 minutes", 60.0 * settings.temperature_minutes, ORANGE, 2**15),
    ):
        density = []
        for seed in range(3):
            process = OrnsteinUhlenbeck(1.0, tau_s, [seed])
            day = np.array([process(float(second)) for second in range(86_400)])
            frequency, power = signal.welch(day, 1.0, nperseg=length, detrend=False)
            density.append(power)
        bands_hz = np.logspace(-4.2, -0.302, 60)
        inside = np.digitize(frequency, bands_hz)
        groups = [inside == i for i in range(1, 60) if (inside == i).any()]
        means = [(frequency[g].mean(), np.mean(density, 0)[g].mean()) for g in groups]
        axes.plot(*np.transpose(means), "o", color=colour, ms=3, label=name)
        smooth = np.logspace(-4.3, -0.31, 100)
        expected = 4.0 * tau_s / (1.0 + (2.0 * np.pi * smooth * tau_s) ** 2)
        axes.plot(smooth, expected, "--", color=INK, lw=1.0)
    axes.set(xscale="log", yscale="log", xlim=(5e-5, 0.5), ylim=(1e-4, 1e6))
    axes.set(xlabel="frequency, Hz", ylabel="1 / Hz")
    axes.plot([], [], "--", color=INK, lw=1.0, label="$4 \\tau / (1 + (2 \\pi f \\tau)^2)$")
    axes.legend(loc="upper right", handlelength=1.4)


def drift_light() -> Sheet:
    """Draw what drift alone does to the light of a bench that is perfect at first."""
    path = LightPath(GEOMETRY, OFF, draw_truth(GEOMETRY, OFF, SEED))
    grey = PhaseQuantiser(GEOMETRY.slm_bit_depth)
    displayed = np.stack([path.panel.phase(i, grey(p)) for i, p in enumerate(star())])
    drifting = Drift(MockSettings().drift, SEED)

    def after(minutes: float) -> Array:
        now = drifting.at(60.0 * minutes)
        return path.image(path.plane(displayed, None, now), WINDOW) * (1.0 + now.power)

    off = TitledImage("as it was set up", STAR_NOTE, after(0.0))
    effects = [
        TitledImage(
            f"after {minutes:g} minute{'s' * (minutes > 1)}",
            "[mock.drift], defaults",
            after(minutes),
        )
        for minutes in (1, 10, 60)
    ]
    return bands((off, effects), legend="here: the change")
