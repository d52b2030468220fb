"""The text of a bench file that is written for devices that were found or named: every key commented.

What no device tells is a default marked `CHECK`; a device that is not there is `"none"`, with what to write
once it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from drivers.absent import NONE
from drivers.discovery.found import quoted
from drivers.plain_text import plain_line

CHECK = "CHECK: "
"""Mark of a value that no device tells."""
LAYERS = 4
"""Number of layers of a new bench, as the paper has them."""
COMMENT_COLUMN = 42
"""Column in which comments of keys begin."""
PATCH_SHARE = 0.84
"""Share of its part of the panel that a patch takes on each axis; the rest keeps patches apart."""
WAIST_SHARE = 0.65
"""Waist of the beam over the side of a patch."""
FRESNEL_NUMBER = 87.0
"""Of a patch's side over twice the gap to the mirror: light of one spreads over the next, not past it."""
IMAGE_SHARE = 0.6
"""Share of the sensor's shorter side that the image of a patch takes."""
HEAD = """\
# {name}: a bench file, written by labdiff init. docs/hardware/first-day.md goes through it.
# What is marked CHECK comes from no device: set it to your bench's value, and take the mark away.
# A device that is not there yet is driver = "none"; the bench does without it what it can.
"""
HINTS: dict[str, tuple[str, ...]] = {
    "slm": (
        "none yet. Once it is there, instead of the line above:",
        "driver = \"screen\"        # on a monitor output; address as 'labdiff monitors' prints it",
        'address = "serial=..."',
        'driver = "slmpy", "meadowlark", "slmsuite": docs/hardware.md',
    ),
    "camera": (
        "none yet. Once it is there, instead of the line above, as 'labdiff devices' prints it:",
        'driver = "basler"        # or "genicam", "micromanager", "webcam": docs/hardware/cameras.md',
        'serial = "..."',
    ),
    "laser": (
        "no line to it: you are asked to block and free its beam. If it has one, instead of that:",
        'driver = "obis"          # or "cobolt", "toptica_ibeam" ...: docs/hardware/scpi-lasers.md',
        'address = "ASRL/dev/ttyUSB0::INSTR"',
    ),
}
"""What is written under a device that is not there, behind a #."""


@dataclass(frozen=True, slots=True)
class DraftDevice:
    """A device of the file. title: what it is. settings: keys beside the driver. notes: comment lines."""

    driver: str = NONE
    title: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def lines(self, kind: str) -> Iterator[str]:
        """Yield the lines that select it."""
        yield _key("driver", quoted(self.driver), plain_line(self.title))
        for name, value in self.settings.items():
            yield f"{name} = {quoted(value)}"
        hints = HINTS.get(kind, ()) if self.driver == NONE else ()
        yield from (f"# {line}" for line in (*hints, *map(plain_line, self.notes)))


@dataclass(frozen=True, slots=True)
class Pixels:
    """Pixels of a panel or a sensor. shape: (height, width). known: keys that the device reported."""

    shape: tuple[int, int]
    pitch_um: float
    bit_depth: int
    known: frozenset[str] = frozenset()

    def lines(self, of: str) -> Iterator[str]:
        """Yield its keys. of: "panel" or "sensor"."""
        bits = "bits of a grey level: 8 or 10" if of == "panel" else "bits of a count"
        for key, value, comment in (
            (
                "shape",
                f"[{self.shape[0]}, {self.shape[1]}]",
                f"(height, width) of the {of}, pixels",
            ),
            ("pixel_pitch_um", f"{self.pitch_um:g}", "distance between pixel centres"),
            ("bit_depth", str(self.bit_depth), bits),
        ):
            yield _key(key, value, comment if key in self.known else CHECK + comment)


@dataclass(frozen=True, slots=True)
class BenchDraft:
    """A bench file to be written.

    dmd: None if a patch of the SLM writes the input. waist_mm, z_gap_mm: None for what suits the patches.
    optics_known: whether a person has given wavelength, waist and gap.
    """

    name: str
    slm: DraftDevice = DraftDevice()
    camera: DraftDevice = DraftDevice()
    laser: DraftDevice = DraftDevice()
    dmd: DraftDevice | None = None
    panel: Pixels = Pixels((1080, 1920), 8.0, 8)
    sensor: Pixels = Pixels((1080, 1440), 3.45, 12)
    exposure_ms: float = 2.0
    power_mw: float = 1.0
    wavelength_nm: float = 850.0
    waist_mm: float | None = None
    z_gap_mm: float | None = None
    optics_known: bool = False

    @property
    def patches(self) -> tuple[int, int, list[int]]:
        """Side, top and lefts of square patches that fit on the panel, in pixels."""
        count = LAYERS + (0 if self.dmd else 1)
        height, width = self.panel.shape
        part = width // count
        side = max(int(PATCH_SHARE * min(part, height)), 1)
        return side, (height - side) // 2, [n * part + (part - side) // 2 for n in range(count)]

    @property
    def default_waist_mm(self) -> float:
        """Waist that suits the patches."""
        return float(f"{WAIST_SHARE * self._side_mm:.2g}")

    @property
    def default_gap_mm(self) -> float:
        """Gap between SLM and mirror over which light of one patch spreads over the next."""
        gap_mm = self._side_mm**2 / (2e-6 * self.wavelength_nm * FRESNEL_NUMBER)
        return float(f"{min(gap_mm, 1000.0):.2g}")

    def text(self) -> str:
        """Return the file."""
        side, top, lefts = self.patches
        mark = "" if self.optics_known else CHECK
        waist = self.default_waist_mm if self.waist_mm is None else self.waist_mm
        gap = self.default_gap_mm if self.z_gap_mm is None else self.z_gap_mm
        lines = [
            HEAD.format(name=plain_line(self.name)),
            f"name = {quoted(self.name)}",
            "",
            "[source]",
            _key(
                "wavelength_nm", f"{self.wavelength_nm:g}", f"{mark}vacuum wavelength of the laser"
            ),
            _key("waist_mm", f"{waist:g}", f"{mark}1/e^2 intensity radius of the beam on the SLM"),
            "",
            "[cavity]",
            _key("z_gap_mm", f"{gap:g}", f"{mark}SLM to mirror; light travels twice this"),
            _key("patch_shape", f"[{side}, {side}]", "(height, width) of every patch, SLM pixels"),
            _key("patch_top", str(top), "first row of the patches on the SLM"),
            _key(
                "patch_lefts", str(lefts), "first columns, in the order in which light meets them"
            ),
            "",
            "[slm]",
            *self.slm.lines("slm"),
            *self.panel.lines("panel"),
            "",
            "[input]",
            *self._input(),
            "",
            "[camera]",
            *self.camera.lines("camera"),
            *self.sensor.lines("sensor"),
            _key("exposure_ms", f"{self.exposure_ms:g}", "where automatic exposure starts"),
            "",
            "[relay]",
            _key("magnification", f"{self._magnification:g}", f"{CHECK}output plane to camera"),
            "",
            "[laser]",
            *self.laser.lines("laser"),
            _key("power_mw", f"{self.power_mw:g}", "set power; begin with the least that is seen"),
        ]
        return "\n".join(lines) + "\n"

    @property
    def _side_mm(self) -> float:
        return self.patches[0] * self.panel.pitch_um * 1e-3

    @property
    def _magnification(self) -> float:
        sensor_mm = min(self.sensor.shape) * self.sensor.pitch_um * 1e-3
        found = min(IMAGE_SHARE * sensor_mm / self._side_mm, 1.0)
        return float(f"{found:.2g}") if math.isfinite(found) else 1.0

    def _input(self) -> Iterator[str]:
        if self.dmd is None:
            yield _key("kind", '"slm_patch"', 'the first patch writes the image; "dmd": a DMD does')
            return
        yield _key(
            "kind", '"dmd"', 'a DMD writes the image as amplitude; "slm_patch": the first patch'
        )
        yield from self.dmd.lines("input")


def _key(name: str, value: str, comment: str) -> str:
    """Return a line of a key, with its comment where there is one."""
    line = f"{name} = {value}"
    return f"{line:<{COMMENT_COLUMN}} # {comment}" if comment else line
