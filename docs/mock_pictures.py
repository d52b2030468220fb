"""The pictures of docs/mock-bench.md, made anew: python docs/mock_pictures.py [NAME ...]."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path as MplPath
from matplotlib.text import TextPath
from PIL import Image
from scipy import ndimage, signal

from drivers.errors import DeviceError
from drivers.phase_quantiser import PhaseQuantiser
from drivers.types import Roi
from labdiff.bench.open import mock_geometry
from labdiff.config.bench import load_bench
from labdiff.session.models import build_twin
from mock_hardware.crystal import TEN_TO_NINETY, LiquidCrystal
from mock_hardware.drift import Drift, OrnsteinUhlenbeck
from mock_hardware.fault_script import Fault
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.light_path import LightPath
from mock_hardware.optics.panel import PanelOptics
from mock_hardware.settings import MockSettings, MockSlmSettings
from mock_hardware.truth import draw_truth

Array = npt.NDArray[Any]

FOLDER = Path(__file__).parent / "images" / "mock"
SEED = 19
"""A bench on which hardly any hidden quantity is far from its rms."""
BENCH = load_bench("mock")
GEOMETRY = mock_geometry(BENCH)
WINDOW = Roi(48, 80, 160, 160)
"""The patch's image on the camera."""
OFF = MockSettings().off()

SHARP = 2
"""Pixels of the file a unit of the layout."""
CELL, GAP, EDGE = 160, 18, 16
TITLE, NOTE = 34, 18
INK, QUIET, LINE = "#1c2330", "#5b6678", "#c4cbd7"
BLUE, ORANGE, GREY = "#2468b0", "#d9641a", "#9aa3b2"
LIGHT = colormaps["inferno"].resampled(40)
CHANGE = colormaps["RdBu_r"].resampled(25)
MAP = colormaps["PuOr"].resampled(25)
STYLE = {
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": QUIET,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "lines.linewidth": 1.5,
}


class Sheet:
    """A page on which everything has its place in units from the upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._figure = Figure((width / 100, height / 100), dpi=100 * SHARP, facecolor="white")

    def place(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes with these edges."""
        low = self.height - top - height
        shares = (left / self.width, low / self.height, width / self.width, height / self.height)
        return self._figure.add_axes(shares)

    def write(self, left: float, top: float, words: str, **style: Any) -> None:
        """Words whose upper left corner is there."""
        style = {"va": "top", **style}
        self._figure.text(left / self.width, 1.0 - top / self.height, words, **style)

    def head(self, left: float, top: float, title: str, note: str = "") -> None:
        """A title, and what stands below it; a long title is smaller."""
        size = min(8.0, 8.0 * 25 / len(title))
        self.write(left, top, title, weight="bold", fontsize=size)
        self.write(left, top + 14, note, color=QUIET, fontsize=7.5)

    def picture(
        self,
        left: float,
        top: float,
        image: Array,
        limits: tuple[float, float],
        colours: Any = LIGHT,
        size: float = CELL,
    ) -> None:
        """A square image, pixel by pixel."""
        axes = self.place(left, top, size, size)
        low, high = limits
        axes.imshow(image, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
        axes.set_axis_off()

    def scale(self, left: float, top: float, colours: Any, words: Sequence[str]) -> None:
        """A bar of colours, as wide as a cell, with words under its ends and its middle."""
        bar = self.place(left, top, CELL, 9)
        bar.imshow(np.linspace(0.0, 1.0, 200)[None], cmap=colours, aspect="auto")
        bar.set_axis_off()
        aligned = ("left", "right") if len(words) == 2 else ("left", "center", "right")
        for word, ha in zip(words, aligned, strict=True):
            x = {"left": left, "center": left + CELL / 2, "right": left + CELL}[ha]
            self.write(x, top + 12, word, ha=ha, color=QUIET, fontsize=7.5)

    def save(self, name: str) -> None:
        """Write the file, with a palette of 256 colours."""
        canvas = FigureCanvasAgg(self._figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / f"{name}.png"
        page = Image.fromarray(np.ascontiguousarray(pixels))
        page = page.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        page.save(path, optimize=True)
        print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")


class Shown(NamedTuple):
    """A titled image; its difference is taken against `against`, or against the band's first image."""

    title: str
    note: str
    image: Array
    against: Array | None = None


# What the light shows


@cache
def drawing(target_bytes: bytes) -> Array:
    """Phases (patches, h, w) by which the data sheet's bench draws a target (h, w) of 0 and 1."""
    shape = GEOMETRY.patch_shape
    target = torch.from_numpy(np.frombuffer(target_bytes, np.float32).reshape(shape).copy())
    twin = build_twin(BENCH)
    phases = torch.full((GEOMETRY.layers + 1, *shape), float(np.pi), requires_grad=True)
    optimiser = torch.optim.Adam([phases], lr=0.15)
    for _ in range(100):
        light = twin(phases[:1], phases[1:])[0]
        scale = (light * target).sum() / target.square().sum()
        error = (light - scale * target).square().sum() / (scale * target).square().sum()
        loss = error + 0.3 * (1.0 - light.mean() / 0.8).clamp(min=0.0) ** 2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    drawn: Array = phases.detach().numpy()
    return drawn


def softened(shape: Array) -> bytes:
    """A target whose rims the light can follow."""
    return bytes(ndimage.gaussian_filter(shape.astype(np.float32), 0.8).tobytes())


def plane() -> tuple[Array, Array]:
    """(y, x) of the patch's pixels from its centre."""
    height, width = GEOMETRY.patch_shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    return y - (height - 1) / 2, x - (width - 1) / 2


def star() -> Array:
    """Phases that draw a Siemens star."""
    y, x = plane()
    radius, angle = np.hypot(y, x), np.arctan2(y, x)
    return drawing(softened((np.cos(8 * angle) > 0) & (radius < 40) & (radius > 5)))


def digit(number: int) -> Array:
    """Phases that draw a digit."""
    y, x = plane()
    outline = TextPath((0, 0), str(number), size=90)
    box = outline.get_extents()
    places = np.column_stack([x.ravel() + (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2 - y.ravel()])
    inked = np.zeros(x.size, bool)
    for loop in outline.to_polygons():
        inked ^= MplPath(loop).contains_points(places)
    return drawing(softened(inked.reshape(x.shape)))


def flat() -> Array:
    """Phases 0."""
    return np.zeros((GEOMETRY.layers + 1, *GEOMETRY.patch_shape), np.float32)


def light(settings: MockSettings, phases: Array, seed: int = SEED) -> Array:
    """Intensity on the camera, without its noise."""
    path = LightPath(GEOMETRY, settings, draw_truth(GEOMETRY, settings, seed))
    grey = PhaseQuantiser(GEOMETRY.slm_bit_depth)
    written = np.stack([path.panel.phase(i, grey(phase)) for i, phase in enumerate(phases)])
    return path.image(path.plane(written), WINDOW)


def dialled(**values: float) -> MockSettings:
    """Every effect off but these, named section__dial."""
    names = [name.replace("__", ".") for name in values]
    settings = MockSettings().only(*names)
    for name, value in zip(names, values.values(), strict=True):
        section, setting = name.split(".")
        changed = getattr(settings, section).model_copy(update={setting: value})
        settings = settings.model_copy(update={section: changed})
    return settings


def titled(name: str, value: float) -> tuple[str, str]:
    """Title and note of a setting."""
    section, setting = name.split(".")
    default = getattr(getattr(MockSettings(), section), setting)
    note = "the default" if value == default else f"default {default:g}"
    return f"{setting} = {value:g}", f"[mock.{section}], {note}"


def shown(phases: Array, **value: float) -> Shown:
    """One effect alone, seen by light."""
    (key, number), *_ = value.items()
    return Shown(*titled(key.replace("__", "."), number), light(dialled(**value), phases))


def laboratory(settings: MockSettings, seed: int = SEED) -> MockLaboratory:
    """Laser on, shutter open, the window read out."""
    lab = MockLaboratory.create(GEOMETRY, settings, seed)
    lab.laser.emission = True
    lab.world.clock.sleep_s(lab.laser.timing.total_ms * 1e-3)
    lab.camera.roi = WINDOW
    return lab


def write(lab: MockLaboratory, phases: Array, settle: bool = True) -> None:
    """Put phases on the panel."""
    panel = np.zeros(GEOMETRY.panel_shape, np.float32)
    for place, phase in zip(GEOMETRY.patches, phases, strict=True):
        panel[place] = phase
    lab.slm.set_phase(panel)
    if settle:
        lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)


# Sheets of pictures: off beside on, and the difference below

BELOW = TITLE + CELL + 10
BAND = BELOW + CELL + NOTE + 14


def width_of(columns: int) -> float:
    """Width of a sheet with so many cells side by side."""
    return 2 * EDGE + columns * CELL + (columns - 1) * GAP


WIDTH = width_of(4)


def band(sheet: Sheet, top: float, off: Shown, effects: Sequence[Shown], legend: str) -> None:
    """Off at the left, then each effect with its difference below."""
    most = float(np.quantile(off.image, 0.999))
    for column, entry in enumerate([off, *effects]):
        left = EDGE + column * (CELL + GAP)
        sheet.head(left, top, entry.title, entry.note)
        sheet.picture(left, top + TITLE, entry.image, (0.0, most))
        if entry is off:
            continue
        change = entry.image - (off.image if entry.against is None else entry.against)
        reach = max(float(np.quantile(np.abs(change), 0.998)), 1e-6)
        sheet.picture(left, top + BELOW, change, (-reach, reach), CHANGE)
        words = f"\u00b1 {_percent(reach / most)} of the brightest"
        sheet.write(left, top + BELOW + CELL + 3, words, color=QUIET, fontsize=7.5)
    if legend:
        sheet.write(EDGE, top + BELOW + 2, "above: light", color=QUIET)
        sheet.scale(EDGE, top + BELOW + 20, LIGHT, ("dark", "brightest at the left"))
        sheet.write(EDGE, top + BELOW + 62, legend, color=QUIET)
        sheet.scale(EDGE, top + BELOW + 80, CHANGE, ("darker", "same", "brighter"))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.2g} %"


def bands(
    name: str, *rows: tuple[Shown, Sequence[Shown]], legend: str = "here: on minus off"
) -> None:
    """A sheet of bands."""
    sheet = Sheet(WIDTH, 12 + len(rows) * BAND)
    for row, (off, effects) in enumerate(rows):
        band(sheet, 12 + row * BAND, off, effects, legend if row == 0 else "")
    sheet.save(name)


def off_light(phases: Array, words: str) -> Shown:
    """The reference of a band."""
    return Shown("every effect off", words, light(OFF, phases))


STAR = "layers that draw a star"


def bench() -> None:
    """The whole bench: perfect, and as three seeds have it."""
    sheet = Sheet(WIDTH, 12 + TITLE + CELL + 14)
    off = off_light(star(), STAR)
    most = float(np.quantile(off.image, 0.999))
    found = [off]
    for seed in range(3):
        image = light(MockSettings(), star(), seed)
        found.append(Shown(f"every effect on, seed {seed}", "the same layers", image))
    for column, entry in enumerate(found):
        left = EDGE + column * (CELL + GAP)
        sheet.head(left, 12, entry.title, entry.note)
        sheet.picture(left, 12 + TITLE, entry.image, (0.0, most))
    sheet.save("bench")


def slm_light() -> None:
    """The SLM's effects, seen by light."""
    bands(
        "slm-light",
        (
            off_light(star(), STAR),
            [
                shown(star(), slm__stroke_spread=0.12),
                shown(star(), slm__lut_bend=0.04),
                shown(star(), slm__lut_variation=0.05),
            ],
        ),
        (
            off_light(star(), STAR),
            [
                shown(star(), slm__backplane_rad=0.5),
                shown(star(), slm__crosstalk_px=1.0),
                shown(star(), slm__dead_space=0.06),
            ],
        ),
    )


def beam() -> None:
    """The beam's effects."""
    bands(
        "beam",
        (
            off_light(star(), STAR),
            [
                shown(star(), beam__tilt_mrad=1.5),
                shown(star(), beam__offset_um=30.0),
                shown(star(), beam__waist_error=0.05),
            ],
        ),
        (
            off_light(flat(), "flat layers"),
            [
                shown(flat(), beam__ellipticity=0.1),
                shown(flat(), beam__structure=0.1),
                shown(flat(), beam__window_ghost=0.05),
            ],
        ),
    )


def cavity() -> None:
    """The cavity's effects, and the losses."""
    bands(
        "cavity",
        (
            off_light(star(), STAR),
            [
                shown(star(), cavity__gap_error=0.015),
                shown(star(), cavity__mirror_tilt_mrad=1.0),
                shown(star(), cavity__bounce_tilt_mrad=0.1),
            ],
        ),
        (
            off_light(flat(), "flat layers"),
            [
                shown(flat(), cavity__mirror_edge=0.1),
                shown(flat(), cavity__mirror_loss=0.02),
                shown(flat(), slm__reflection_loss=0.05),
            ],
        ),
    )


def relay() -> None:
    """The relay's effects."""
    bands(
        "relay",
        (
            off_light(star(), STAR),
            [
                shown(star(), relay__magnification_error=0.03),
                shown(star(), relay__rotation_deg=3.0),
                shown(star(), relay__offset_px=3.0),
            ],
        ),
        (
            off_light(star(), STAR),
            [
                shown(star(), relay__distortion=0.03),
                shown(star(), relay__defocus_mm=0.5),
                shown(star(), relay__aberration_rad=0.5),
            ],
        ),
    )


# Curves


def plot(sheet: Sheet, left: float, top: float, size: tuple[float, float], title: str) -> Axes:
    """Axes with a title above, in a box of that size."""
    sheet.write(left, top, title, weight="bold", fontsize=8)
    return sheet.place(left + 36, top + 20, size[0] - 40, size[1] - 58)


def slm() -> None:
    """Where the SLM's effects come from."""
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
        words = (f"\u2212{most:g} {unit}", "0", f"+{most:g} {unit}")
        sheet.scale(EDGE, top + 44, MAP, words)
        for column, patch in enumerate(patches):
            left = WIDTH - EDGE - 98 - (4 - column) * 104
            sheet.picture(left, top, patch, (-most, most), MAP, 98)
    sheet.save("slm")


def _response(axes: Axes) -> None:
    grey = np.arange(256)
    for settings, colour, words in (
        (OFF, GREY, "off"),
        (dialled(slm__stroke_spread=0.12), BLUE, "stroke_spread 0.12 (default)"),
        (dialled(slm__lut_bend=0.1), ORANGE, "lut_bend 0.1 (default 0.04)"),
    ):
        response = draw_truth(GEOMETRY, settings, SEED).phase_by_grey_rad
        axes.plot(grey, response / np.pi, color=colour, label=words)
    axes.set(xlabel="grey level", ylabel=PHASE, xlim=(0, 255), ylim=(0, 3.1))
    axes.legend(loc="upper left", handlelength=1.0)


def _fringing(axes: Axes) -> None:
    samples, patch = 8, (16, 24)
    geometry = dataclasses.replace(GEOMETRY, patch_shape=patch)
    phase = np.zeros(patch, np.float32)
    phase[:, 4:8], phase[:, 8:12], phase[:, 14], phase[:, 18:] = 2.0, 6.0, 3.0, 4.5
    place = (np.arange(patch[1] * samples) + 0.5) / samples
    axes.plot(place, phase[0].repeat(samples) / np.pi, color=GREY, label="off")
    for value, colour, words in ((0.25, BLUE, "0.25 (default)"), (1.0, ORANGE, "1")):
        truth = draw_truth(geometry, dialled(slm__crosstalk_px=value), SEED)
        field = PanelOptics(truth, samples).light(0, phase).at(0.0)
        profile = np.unwrap(np.angle(field[patch[0] * samples // 2]))
        axes.plot(place, profile / np.pi, color=colour, label=words)
    axes.set(xlabel="place, px", ylabel=PHASE, xlim=(0, patch[1]), ylim=(-0.1, 3.1))
    axes.legend(loc="upper left", handlelength=1.0)


def _dead_space(axes: Axes) -> None:
    stroke = np.linspace(0.0, 2.0 * np.pi, 200)
    for share, colour, words in (
        (0.0, GREY, "off"),
        (0.06, BLUE, "0.06 (default)"),
        (0.2, ORANGE, "0.2"),
    ):
        centre = share * np.sqrt(MockSlmSettings().dead_space_reflectance)
        field = (1.0 - share) * np.exp(1j * stroke) + centre
        axes.plot(field.real, field.imag, color=colour, label=words)
        axes.plot(centre, 0.0, "+", color=colour)
    axes.set(xlabel="reflection, real part", ylabel="imaginary part")
    axes.set(xlim=(-1.75, 1.75), ylim=(-1.1, 2.14), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    axes.legend(loc="upper left", handlelength=1.0)


def dmd() -> None:
    """The micro-mirror device: dark while its mirrors move, and as grey as it has mirrors."""
    sheet = Sheet(WIDTH, 12 + TITLE + CELL + 44)
    geometry = dataclasses.replace(GEOMETRY, input_kind="dmd")
    axes = plot(sheet, EDGE, 12, (330, TITLE + CELL + 36), "load_us = 43.2, mirror_us = 8")
    y, x = plane()
    for settings, colour, words in (
        (OFF, GREY, "diffraction_loss off"),
        (dialled(dmd__diffraction_loss=0.12), BLUE, "diffraction_loss = 0.12, the default"),
    ):
        lab = MockLaboratory.create(geometry, settings, SEED)
        lab.laser.emission = True
        assert lab.dmd is not None
        lab.dmd.show(np.ones(geometry.patch_shape, np.float32))
        lab.world.clock.sleep_s(1.0)
        asked_s = lab.world.clock.now_s()
        lab.dmd.show((np.hypot(y, x) < 30.0).astype(np.float32))
        times_us = np.sort(np.concatenate([np.arange(-20.0, 101.0, 10.0), EDGES_US]))
        seen = [
            lab.world.expose(WINDOW, asked_s + t * 1e-6, 1e-9, 0.0, 1)[0]().sum() for t in times_us
        ]
        if settings is OFF:
            most = float(max(seen))
        axes.plot(times_us, np.array(seen) / most, color=colour, label=words)
    axes.set(
        xlabel="time after the command, \u00b5s", ylabel="light", xlim=(-20, 100), ylim=(0, 1.5)
    )
    axes.legend(loc="upper left", handlelength=1.0)
    ramp = 0.5 + 0.5 * np.cos(np.hypot(y, x) / 9.0) * np.exp(-((np.hypot(y, x) / 60.0) ** 2))
    for column, mirrors in enumerate((256, 4)):
        left = WIDTH - EDGE - CELL - (1 - column) * (CELL + GAP)
        note = "the default" if mirrors == 256 else "default 256"
        sheet.head(left, 12, f"mirrors_per_superpixel = {mirrors}", f"[mock.dmd], {note}")
        changed = OFF.dmd.model_copy(update={"mirrors_per_superpixel": mirrors})
        lab = MockLaboratory.create(geometry, OFF.model_copy(update={"dmd": changed}), SEED)
        assert lab.dmd is not None
        lab.dmd.show(ramp)
        field = lab.dmd.mirrors.field(1.0)
        sheet.picture(left, 12 + TITLE, field[10:90, 10:90], (0.0, 1.0))
        sheet.write(left, 12 + TITLE + CELL + 3, "amplitude", color=QUIET, fontsize=7.5)
    sheet.save("dmd")


EDGES_US = np.array([43.19, 43.21, 51.19, 51.21])
PHASE = "phase, $\\pi$ rad"


def camera() -> None:
    """Noise, fixed patterns, defects and the end of the scale."""
    part = Roi(WINDOW.top + 15, WINDOW.left + 70, 80, 80)

    def seen(settings: MockSettings, exposure_ms: float) -> Array:
        lab = laboratory(settings)
        lab.camera.roi, lab.camera.exposure_ms = part, exposure_ms
        write(lab, star())
        counts = lab.camera.get_frame().pixels.astype(np.float64)
        return counts - lab.world.truth.pedestal_counts

    def at(exposure_ms: float, **value: float) -> Shown:
        (key, number), *_ = value.items()
        title, note = titled(key.replace("__", "."), number)
        if key == "camera__shot_noise":
            title = "shot_noise = true"
        return Shown(title, note, seen(dialled(camera__pedestal=0.02, **value), exposure_ms))

    none = dialled(camera__pedestal=0.02)
    dim, full = seen(none, 0.02), seen(none, 2.0)
    over = Shown("4 times the exposure", "counts end at 4095", seen(none, 8.0), 4 * full)
    bands(
        "camera",
        (
            Shown("off, but the pedestal", "20 \u00b5s, up to 80 electrons", dim),
            [
                at(0.02, camera__shot_noise=True),
                at(0.02, camera__read_noise_electrons=5.0),
                at(0.02, camera__offset_pattern_electrons=3.0),
            ],
        ),
        (
            Shown("off, but the pedestal", "2 ms, up to 8000 electrons", full),
            [at(2.0, camera__gain_pattern=0.05), at(2.0, camera__defects=2e-3), over],
        ),
    )


def camera_noise() -> None:
    """Photon transfer, and what a dark frame holds."""
    sheet = Sheet(WIDTH, 290)
    size = ((WIDTH - 2 * EDGE - 20) / 2, 270.0)
    _transfer(plot(sheet, EDGE, 12, size, "photon transfer (EMVA 1288): shot and read noise"))
    _dark(plot(sheet, EDGE + size[0] + 20, 12, size, "a dark frame of 2 ms, effect after effect"))
    sheet.save("camera-noise")


def _transfer(axes: Axes) -> None:
    gain = MockSettings().camera.full_well_electrons / 2**GEOMETRY.camera_bit_depth
    read = MockSettings().camera.read_noise_electrons / gain
    means = np.logspace(-0.5, 3.6, 100)
    axes.plot(means, np.full(100, read**2 + 1 / 12), ":", color=QUIET, lw=1)
    axes.plot(means, means / gain, "--", color=QUIET, lw=1)
    expected = means / gain + read**2 + 1 / 12
    axes.plot(means, expected, color=GREY, label="$\\mu / K + \\sigma_r^2 + 1/12$")
    lab = laboratory(MockSettings().only(*NOISE))
    write(lab, star())
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
        words = "pairs of frames" if exposure_ms == 0.01 else None
        axes.plot(*np.transpose(found), "o", ms=3.5, color=ORANGE, label=words)
    axes.set(xscale="log", yscale="log", xlim=(0.5, 4000), ylim=(0.5, 3000))
    axes.set(xlabel="mean $\\mu$, counts above the dark level", ylabel="variance, counts$^2$")
    axes.text(0.6, read**2 * 0.62, "read noise", color=QUIET, fontsize=7.5)
    axes.text(20, 3.4, "shot noise", color=QUIET, fontsize=7.5, rotation=38)
    axes.legend(loc="upper left", handlelength=1.2)


NOISE = ("camera.shot_noise", "camera.read_noise_electrons", "camera.pedestal")


def _dark(axes: Axes) -> None:
    effects: dict[str, float] = {}
    bins = np.arange(69.5, 121.5)
    for name, value, colour, words in (
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
        axes.stairs(share, bins, color=colour, label=words, lw=1.5)
    axes.set(xlabel="counts", ylabel="share of the pixels", xlim=(70, 120), yscale="log")
    axes.set(ylim=(1e-4, 200), yticks=(1e-4, 1e-3, 1e-2, 1e-1, 1.0))
    axes.minorticks_off()
    axes.legend(loc="upper left", handlelength=1.2)


SMALL = 80
"""A cell in which one unit is one pixel of the camera, two of them to a pixel of the file."""


def in_time() -> None:
    """Rise and fall, tearing, flicker, and a rolling shutter."""
    sheet = Sheet(WIDTH, 728)
    half = (WIDTH - 2 * EDGE - 20) / 2
    _rise(plot(sheet, EDGE, 12, (half, 210), "rise_ms = 4, fall_ms = 7"))
    _flicker(plot(sheet, EDGE + half + 20, 12, (half, 210), "flicker = 0.002, flicker_hz = 480"))
    _tearing(sheet, 236)
    _shutters(sheet, 474)
    sheet.save("time")


def _rise(axes: Axes) -> None:
    times_ms = np.linspace(-2.0, 26.0, 400)
    steps = np.array([2.0, 1.0, 0.25]) * np.pi
    settings = MockSlmSettings(scan_ms=0.0)
    flat_phase = np.zeros((1, 1, len(steps)), np.float32)
    crystal = LiquidCrystal(settings, flat_phase, np.zeros(1))
    target = steps.astype(np.float32)[None, None]
    period_s = 1.0 / settings.refresh_hz
    crystal.show(1, target, period_s)
    up = np.array([crystal.phase(period_s + t * 1e-3)[0, 0] for t in times_ms])
    crystal.show(2, flat_phase, 60 * period_s)
    down = np.array([crystal.phase(60 * period_s + t * 1e-3)[0, 0] for t in times_ms])
    for i, shade in enumerate((1.0, 0.7, 0.4)):
        words = ("up", "down") if i == 0 else (None, None)
        axes.plot(times_ms, up[:, i] / np.pi, color=BLUE, alpha=shade, label=words[0])
        axes.plot(times_ms, down[:, i] / np.pi, color=ORANGE, alpha=shade, label=words[1])
    for full_ms, colour, share in ((4.0, BLUE, (0.1, 0.9)), (7.0, ORANGE, (0.9, 0.1))):
        tau_ms = full_ms / TEN_TO_NINETY
        marks = tau_ms * np.log([1 / 0.9, 1 / 0.1])
        axes.plot(marks, 2.0 * np.array(share), "o", ms=4, color=colour, mfc="white")
    axes.set(xlabel="time after the refresh, ms", ylabel=PHASE, xlim=(-2, 26), ylim=(-0.1, 2.6))
    axes.plot([], [], "o", ms=4, color=QUIET, mfc="white", label="10 and 90 %")
    axes.legend(loc="upper right", handlelength=1.0, ncols=3)


def _flicker(axes: Axes) -> None:
    lab = laboratory(dialled(slm__flicker=0.002))
    write(lab, star())
    lab.world.clock.sleep_s(1.0)
    start_s = lab.world.clock.now_s()
    spot = Roi(WINDOW.top + 70, WINDOW.left + 20, 20, 40)
    for exposure_ms, times_ms, marks, colour in (
        (0.01, np.arange(0.0, 10.0, 0.1), "-", GREY),
        (1.0, np.arange(0.5, 10.0, 1.0), "o", ORANGE),
    ):
        bright = []
        for time_ms in times_ms:
            begun_s = start_s + (time_ms - exposure_ms / 2) * 1e-3
            found = lab.world.expose(spot, begun_s, exposure_ms * 1e-3, 0.0, 1)[0]()
            bright.append(found.max() / exposure_ms)
        if exposure_ms < 0.1:
            middle = float(np.mean(bright))
        share = 100 * (np.array(bright) / middle - 1.0)
        words = f"exposures of {exposure_ms:g} ms"
        axes.plot(times_ms, share, marks, color=colour, label=words, ms=4)
    axes.set(xlabel="time, ms", ylabel="light on a pixel, %", xlim=(0, 10), ylim=(-0.35, 0.55))
    axes.legend(loc="upper right", handlelength=1.0, ncols=2)


TIMES_MS = (0.0, 3.0, 5.0, 7.0, 10.0, 14.0, 27.0)


def _tearing(sheet: Sheet, top: float) -> None:
    lab = laboratory(OFF)
    write(lab, digit(4))
    lab.world.clock.sleep_s(1.0)
    write(lab, digit(5), settle=False)
    refresh_s = np.ceil(lab.world.clock.now_s() * 60.0 - 1e-9) / 60.0
    sheet.write(EDGE, top, "scan_ms = 8: a refresh runs down the panel", weight="bold", fontsize=8)
    words = "from a 4 to a 5; above the crystal of the last patch, below the light of that moment"
    sheet.write(EDGE, top + 14, words, color=QUIET, fontsize=7.5)
    step = (WIDTH - 2 * EDGE - SMALL) / (len(TIMES_MS) - 1)
    frames = []
    for time_ms in TIMES_MS:
        lab.world.clock.sleep_s(refresh_s + time_ms * 1e-3 - lab.world.clock.now_s())
        now_s = lab.world.clock.now_s()
        image = lab.world.expose(WINDOW, now_s, 1e-7, 0.0, 1)[0]()
        frames.append((time_ms, lab.world.crystal.phase(now_s)[-1, 10:90, 10:90], image))
    most = float(np.quantile(frames[0][2], 0.999))
    for column, (time_ms, crystal, image) in enumerate(frames):
        left = EDGE + round(column * step)
        sheet.picture(left, top + 34, crystal, (0.0, 2.0 * np.pi), TURNS, SMALL)
        sheet.picture(left, top + 34 + SMALL + 8, image, (0.0, most), LIGHT, SMALL)
        words = f"{time_ms:g} ms"
        sheet.write(left, top + 34 + 2 * SMALL + 10, words, color=QUIET, fontsize=7.5)


TURNS = colormaps["twilight_shifted"].resampled(30)


def _shutters(sheet: Sheet, top: float) -> None:
    sheet.write(
        EDGE, top, "a pattern that changes while the shutter is open", fontsize=8, weight="bold"
    )
    words = "from a 4 to a 5; frames of 1 ms that begin 1 ms after the refresh"
    sheet.write(EDGE, top + 14, words, color=QUIET, fontsize=7.5)
    for column, (kind, line_us, title) in enumerate(
        (
            ("global", 5.0, 'shutter = "global"'),
            ("rolling", 5.0, 'shutter = "rolling"'),
            ("rolling", 50.0, "... line_us = 50"),
            ("rolling", 100.0, "... line_us = 100"),
        )
    ):
        changed = OFF.camera.model_copy(update={"shutter": kind, "line_us": line_us})
        lab = laboratory(OFF.model_copy(update={"camera": changed}))
        write(lab, digit(4))
        lab.world.clock.sleep_s(1.0)
        write(lab, digit(5), settle=False)
        refresh_s = np.ceil(lab.world.clock.now_s() * 60.0 - 1e-9) / 60.0
        lab.world.clock.sleep_s(refresh_s + 1e-3 - lab.world.clock.now_s())
        image = lab.camera.get_frame().pixels.astype(np.float64)
        left = EDGE + column * (CELL + GAP)
        note = "the default" if column == 0 else "default 5" if line_us > 5.0 else "line_us = 5"
        sheet.head(left, top + 36, title, note)
        sheet.picture(left, top + 36 + TITLE, image, (0.0, 3000.0))


def drift() -> None:
    """An hour of what moves by itself, and its spectrum."""
    sheet = Sheet(WIDTH, 400)
    settings = MockSettings().drift
    moving = Drift(settings, SEED)
    minutes = np.arange(0, 3601, 5) / 60.0
    found = [moving.at(60.0 * m) for m in minutes]
    traces = (
        ("beam, \u00b5rad", [1e6 * f.beam_rad for f in found], settings.beam_urad),
        ("mirror, \u00b5rad", [1e6 * f.mirror_rad for f in found], settings.mirror_urad),
        ("power, %", [100 * f.power for f in found], 100 * settings.power),
        ("wavelength, pm", [1e3 * f.wavelength_nm for f in found], 1e3 * settings.wavelength_nm),
        ("SLM, K", [f.temperature_k for f in found], settings.temperature_k),
    )
    sheet.write(
        EDGE, 12, "[mock.drift] at its defaults: an hour (band: one rms)", weight="bold", fontsize=8
    )
    for row, (words, values, rms) in enumerate(traces):
        axes = sheet.place(EDGE + 36, 36 + row * 64, 330, 56)
        axes.axhspan(-rms, rms, color="#eef1f6", lw=0)
        columns = np.array(values).reshape(len(values), -1).T
        for line, colour in zip(columns, (BLUE, ORANGE), strict=False):
            axes.plot(minutes, line, color=colour, lw=1.0)
        axes.set(xlim=(0, 60), ylim=(-3.7 * rms, 3.7 * rms), yticks=(-2 * rms, 0, 2 * rms))
        axes.text(1, 3.4 * rms, words, va="top", fontsize=7.5)
        if row < len(traces) - 1:
            axes.set_xticklabels([])
        else:
            axes.set_xlabel("time, minutes")
    size = (WIDTH - EDGE - 420, 386.0)
    _spectrum(plot(sheet, 416, 12, size, "power spectrum over rms$^2$"))
    sheet.save("drift")


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


def drift_light() -> None:
    """What drift alone does to the light of a bench that is perfect at first."""
    path = LightPath(GEOMETRY, OFF, draw_truth(GEOMETRY, OFF, SEED))
    grey = PhaseQuantiser(GEOMETRY.slm_bit_depth)
    written = np.stack([path.panel.phase(i, grey(p)) for i, p in enumerate(star())])
    drifting = Drift(MockSettings().drift, SEED)

    def after(minutes: float) -> Array:
        now = drifting.at(60.0 * minutes)
        return path.image(path.plane(written, None, now), WINDOW) * (1.0 + now.power)

    off = Shown("as it was set up", STAR, after(0.0))
    effects = [
        Shown(
            f"after {minutes:g} minute{'s' * (minutes > 1)}",
            "[mock.drift], defaults",
            after(minutes),
        )
        for minutes in (1, 10, 60)
    ]
    bands("drift-light", (off, effects), legend="here: the change")


PART = Roi(WINDOW.top + 20, WINDOW.left + 20, 120, 120)
FAULTS: tuple[tuple[Fault, str], ...] = (
    ("dropped", "never comes: time-out"),
    ("duplicated", "the frame before once more"),
    ("torn", "the lower half is of the frame before"),
    ("late", "time-out; the next caller finds it"),
    ("timeout", "the camera does not answer"),
    ("unplugged", "the camera is gone"),
    ("slm_frozen", "the panel keeps its pattern"),
    ("laser_shut", "the interlock shuts the laser"),
    ("beam_blocked", "light leaves the laser, none arrives"),
    ("saturated", "a thousand times the light"),
)


def faults() -> None:
    """Five requests with each fault at the third."""
    sheet = Sheet(WIDTH, 12 + 36 + 5 * 108)
    words = "A bench without noise is asked for the digits 1 to 5; each fault meets request 3."
    sheet.write(EDGE, 12, words, color=QUIET)
    for index, (fault, meaning) in enumerate(FAULTS):
        left, top = EDGE + (index % 2) * 360, 42 + (index // 2) * 108
        sheet.write(left, top, f"{fault}@3", weight="bold", fontsize=8)
        sheet.write(left + 120, top + 1, meaning, color=QUIET, fontsize=7.5)
        plan = OFF.faults.model_copy(update={"script": (f"{fault}@3",)})
        lab = laboratory(OFF.model_copy(update={"faults": plan}))
        lab.camera.roi, lab.camera.exposure_ms = PART, 1.0
        for number in range(1, 6):
            write(lab, digit(number))
            place = (left + (number - 1) * 67, top + 16)
            try:
                frame = lab.camera.get_frame()
            except DeviceError as error:
                box = sheet.place(*place, 60, 60)
                box.set(xticks=[], yticks=[], facecolor="#eef1f6")
                kind = type(error).__name__.removeprefix("Device").removesuffix("Error")
                box.text(0.5, 0.5, kind.lower(), ha="center", va="center", color=QUIET, fontsize=6)
                said = "no frame"
            else:
                sheet.picture(*place, frame.pixels, (0.0, 3600.0), LIGHT, 60)
                said = f"frame {frame.sequence}"
            sheet.write(place[0], place[1] + 62, said, color=QUIET, fontsize=6.5)
    sheet.save("faults")


SHEETS: dict[str, Callable[[], None]] = {
    "bench": bench,
    "slm": slm,
    "slm-light": slm_light,
    "beam": beam,
    "cavity": cavity,
    "relay": relay,
    "dmd": dmd,
    "camera": camera,
    "camera-noise": camera_noise,
    "time": in_time,
    "drift": drift,
    "drift-light": drift_light,
    "faults": faults,
}


def main() -> None:
    """Make all pictures, or those named."""
    with rc_context(STYLE):
        for name in sys.argv[1:] or SHEETS:
            SHEETS[name]()


if __name__ == "__main__":
    main()
