"""The camera's noise, fixed patterns, defects and full scale."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from drivers.types import Roi
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings
from mock_sheets.bands import TitledImage, bands
from mock_sheets.layout import BLUE, EDGE, GREY, ORANGE, QUIET, WIDTH, Array, Sheet, plot
from mock_sheets.scene import GEOMETRY, SEED, WINDOW, dialled, display, laboratory, star, titled


def camera() -> Sheet:
    """Draw noise, fixed patterns, defects and the end of the scale."""
    part = Roi(WINDOW.top + 15, WINDOW.left + 70, 80, 80)

    def counts_of(settings: MockSettings, exposure_ms: float) -> Array:
        lab = laboratory(settings)
        lab.camera.roi, lab.camera.exposure_ms = part, exposure_ms
        display(lab, star())
        counts = lab.camera.get_frame().pixels.astype(np.float64)
        return counts - lab.world.truth.pedestal_counts

    def at(exposure_ms: float, **value: float) -> TitledImage:
        (key, number), *_ = value.items()
        title, note = titled(key.replace("__", "."), number)
        if key == "camera__shot_noise":
            title = "shot_noise = true"
        return TitledImage(
            title, note, counts_of(dialled(camera__pedestal=0.02, **value), exposure_ms)
        )

    none = dialled(camera__pedestal=0.02)
    dim, full = counts_of(none, 0.02), counts_of(none, 2.0)
    over = TitledImage("4 times the exposure", "counts end at 4095", counts_of(none, 8.0), 4 * full)
    return bands(
        (
            TitledImage("off, but the pedestal", "20 \u00b5s, up to 80 electrons", dim),
            [
                at(0.02, camera__shot_noise=True),
                at(0.02, camera__read_noise_electrons=5.0),
                at(0.02, camera__offset_pattern_electrons=3.0),
            ],
        ),
        (
            TitledImage("off, but the pedestal", "2 ms, up to 8000 electrons", full),
            [at(2.0, camera__gain_pattern=0.05), at(2.0, camera__defects=2e-3), over],
        ),
    )


def camera_noise() -> Sheet:
    """Draw the photon transfer curve and the histogram of a dark frame."""
    sheet = Sheet(WIDTH, 290)
    size = ((WIDTH - 2 * EDGE - 20) / 2, 270.0)
    _transfer(plot(sheet, EDGE, 12, size, "photon transfer (EMVA 1288): shot and read noise"))
    _dark(plot(sheet, EDGE + size[0] + 20, 12, size, "a dark frame of 2 ms, effect after effect"))
    return sheet


def _transfer(axes: Axes) -> None:
    gain = MockSettings().camera.full_well_electrons / 2**GEOMETRY.camera_bit_depth
    read = MockSettings().camera.read_noise_electrons / gain
    means = np.logspace(-0.5, 3.6, 100)
    axes.plot(means, np.full(100, read**2 + 1 / 12), ":", color=QUIET, lw=1)
    axes.plot(means, means / gain, "--", color=QUIET, lw=1)
    expected = means / gain + read**2 + 1 / 12
    axes.plot(means, expected, color=GREY, label="$\\mu / K + \\sigma_r^2 + 1/12$")
    lab = laboratory(MockSettings().only(*NOISE))
    display(lab, star())
    edges = np.logspace(-0.2, 3.5, 24)
    for exposure_ms in (0.01, 0.1, 1.5):
        lab.camera.exposure_ms = exposure_ms
        expected = (
            lab.world.expose(WINDOW, lab.world.clock.now_s(), exposure_ms * 1e-3, 0.0, 1)[0]()
            / gain
        )
        one, other = (f.pixels.astype(float) for f in lab.camera.get_frames(2))
        place, half = np.digitize(expected, edges), np.square(one - other) / 2
        groups = [place == i for i in range(1, len(edges)) if (place == i).sum() > 400]
        found = [(expected[group].mean(), half[group].mean()) for group in groups]
        label = "pairs of frames" if exposure_ms == 0.01 else None
        axes.plot(*np.transpose(found), "o", ms=3.5, color=ORANGE, label=label)
    axes.set(xscale="log", yscale="log", xlim=(0.5, 4000), ylim=(0.5, 3000))
    axes.set(xlabel="mean $\\mu$, counts above the dark level", ylabel="variance, counts$^2$")
    axes.text(0.6, read**2 * 0.62, "read noise", color=QUIET, fontsize=7.5)
    axes.text(20, 3.4, "shot noise", color=QUIET, fontsize=7.5, rotation=38)
    axes.legend(loc="upper left", handlelength=1.2)


NOISE = ("camera.shot_noise", "camera.read_noise_electrons", "camera.pedestal")


def _dark(axes: Axes) -> None:
    effects: dict[str, float] = {}
    bins = np.arange(69.5, 121.5)
    for name, value, colour, label in (
        ("pedestal", 0.02, GREY, "pedestal = 0.02"),
        ("read_noise_electrons", 5.0, BLUE, "+ read_noise_electrons = 5"),
        ("offset_pattern_electrons", 3.0, "#3a9b8f", "+ offset_pattern_electrons = 3"),
        ("dark_electrons_per_s", 2e4, ORANGE, "+ dark_electrons_per_s = 20 000 (default 20)"),
    ):
        effects[f"camera__{name}"] = value
        if name == "dark_electrons_per_s":
            effects["camera__shot_noise"] = True
        lab = MockLaboratory.create(GEOMETRY, dialled(**effects), SEED)
        lab.camera.exposure_ms = 2.0
        counts = lab.camera.get_frame().pixels
        share = np.histogram(counts, bins)[0] / counts.size
        axes.stairs(share, bins, color=colour, label=label, lw=1.5)
    axes.set(xlabel="counts", ylabel="share of the pixels", xlim=(70, 120), yscale="log")
    axes.set(ylim=(1e-4, 200), yticks=(1e-4, 1e-3, 1e-2, 1e-1, 1.0))
    axes.minorticks_off()
    axes.legend(loc="upper left", handlelength=1.2)
