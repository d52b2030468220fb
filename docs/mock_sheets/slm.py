"""Where the SLM's effects come from: response, fringing, dead space and the maps of each patch."""

from __future__ import annotations

import dataclasses

import numpy as np
from matplotlib.axes import Axes

from mock_hardware.optics.panel import PanelOptics
from mock_hardware.settings import MockSlmSettings
from mock_hardware.truth import draw_truth
from mock_sheets.layout import BLUE, EDGE, GREY, MAP, ORANGE, PHASE, QUIET, WIDTH, Sheet, plot
from mock_sheets.scene import GEOMETRY, OFF, SEED, dialled


def slm() -> Sheet:
    """Draw where the SLM's effects come from."""
    sheet = Sheet(WIDTH, 470)
    size = (226.0, 230.0)
    lefts = [EDGE + i * (size[0] + 10) for i in range(3)]
    _response(plot(sheet, lefts[0], 12, size, "stroke_spread, lut_bend"))
    _fringing(plot(sheet, lefts[1], 12, size, "crosstalk_px"))
    _dead_space(plot(sheet, lefts[2], 12, size, "dead_space"))
    truth = draw_truth(GEOMETRY, dialled(slm__lut_variation=0.01, slm__backplane_rad=0.15), SEED)
    stroke = 100.0 * (truth.stroke_map - 1.0)
    for row, (title, what, patches, most, unit) in enumerate(
        (
            ("lut_variation = 0.01", "stroke of each patch", stroke, 2.0, "%"),
            ("backplane_rad = 0.15", "phase of each patch", truth.backplane_rad, 0.5, "rad"),
        )
    ):
        top = 252 + row * 106
        sheet.write(EDGE, top + 4, title, weight="bold", fontsize=8)
        sheet.write(EDGE, top + 18, f"the default: {what}", color=QUIET, fontsize=7.5)
        labels = (f"\u2212{most:g} {unit}", "0", f"+{most:g} {unit}")
        sheet.scale(EDGE, top + 44, MAP, labels)
        for column, patch in enumerate(patches):
            left = WIDTH - EDGE - 98 - (4 - column) * 104
            sheet.picture(left, top, patch, (-most, most), MAP, 98)
    return sheet


def _response(axes: Axes) -> None:
    grey = np.arange(256)
    for settings, colour, label in (
        (OFF, GREY, "off"),
        (dialled(slm__stroke_spread=0.12), BLUE, "stroke_spread 0.12 (default)"),
        (dialled(slm__lut_bend=0.1), ORANGE, "lut_bend 0.1 (default 0.04)"),
    ):
        response = draw_truth(GEOMETRY, settings, SEED).phase_by_grey_rad
        axes.plot(grey, response / np.pi, color=colour, label=label)
    axes.set(xlabel="grey level", ylabel=PHASE, xlim=(0, 255), ylim=(0, 3.1))
    axes.legend(loc="upper left", handlelength=1.0)


def _fringing(axes: Axes) -> None:
    samples, patch = 8, (16, 24)
    geometry = dataclasses.replace(GEOMETRY, patch_shape=patch)
    phase = np.zeros(patch, np.float32)
    phase[:, 4:8], phase[:, 8:12], phase[:, 14], phase[:, 18:] = 2.0, 6.0, 3.0, 4.5
    place = (np.arange(patch[1] * samples) + 0.5) / samples
    axes.plot(place, phase[0].repeat(samples) / np.pi, color=GREY, label="off")
    for value, colour, label in ((0.25, BLUE, "0.25 (default)"), (1.0, ORANGE, "1")):
        truth = draw_truth(geometry, dialled(slm__crosstalk_px=value), SEED)
        field = PanelOptics(truth, samples).light(0, phase).at(0.0)
        profile = np.unwrap(np.angle(field[patch[0] * samples // 2]))
        axes.plot(place, profile / np.pi, color=colour, label=label)
    axes.set(xlabel="place, px", ylabel=PHASE, xlim=(0, patch[1]), ylim=(-0.1, 3.1))
    axes.legend(loc="upper left", handlelength=1.0)


def _dead_space(axes: Axes) -> None:
    stroke = np.linspace(0.0, 2.0 * np.pi, 200)
    for share, colour, label in (
        (0.0, GREY, "off"),
        (0.06, BLUE, "0.06 (default)"),
        (0.2, ORANGE, "0.2"),
    ):
        centre = share * np.sqrt(MockSlmSettings().dead_space_reflectance)
        field = (1.0 - share) * np.exp(1j * stroke) + centre
        axes.plot(field.real, field.imag, color=colour, label=label)
        axes.plot(centre, 0.0, "+", color=colour)
    axes.set(xlabel="reflection, real part", ylabel="imaginary part")
    axes.set(xlim=(-1.75, 1.75), ylim=(-1.1, 2.14), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    axes.legend(loc="upper left", handlelength=1.0)
