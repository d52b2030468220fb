"""Files in which makers deliver flatness maps and phase responses, made of a surface that is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
from PIL import Image

from drivers.absent import AbsentSlm
from drivers.phase_quantiser import PhaseQuantiser
from drivers.slm.corrected import TURN_RAD
from drivers.slm.panel_options import PanelOptions
from drivers.types import FloatArray, PatternId

SHAPE = (48, 64)
WAVELENGTH_NM = 850.0
Array = npt.NDArray[np.float64]


def surface_rad() -> Array:
    """A bowed panel of 1.5 turns, rad."""
    rows, columns = np.mgrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j]
    found: Array = 9.4 * (0.7 * rows**2 + 0.3 * columns**2 + 0.1 * rows * columns)
    return found


def map_rad() -> Array:
    """What a maker delivers: what makes the surface flat, wrapped."""
    return np.mod(-surface_rad(), TURN_RAD)


def as_levels(full: float) -> Array:
    return np.mod(np.round(map_rad() / TURN_RAD * full), full)


def hamamatsu(folder: Path) -> PanelOptions:
    """An 8-bit BMP, whose level of 2 pi is 219 at this wavelength."""
    path = folder / "CAL_LSH0800001_850nm.bmp"
    Image.fromarray(as_levels(219.0).astype(np.uint8)).save(path)
    return PanelOptions(correction=str(path), correction_two_pi_level=219.0)


def holoeye(folder: Path) -> PanelOptions:
    """A PNG in RGB with equal channels."""
    path = folder / "U.14-correction.png"
    Image.fromarray(np.repeat(as_levels(256.0).astype(np.uint8)[:, :, None], 3, axis=2)).save(path)
    return PanelOptions(correction=str(path))


def santec(folder: Path) -> PanelOptions:
    """A CSV of levels of 10 bits, with a heading, upside down."""
    path = folder / "correction.csv"
    rows = "\n".join(",".join(f"{value:.0f}" for value in row) for row in as_levels(1024.0)[::-1])
    path.write_text("Y/X levels\n" + rows, encoding="utf-8")
    return PanelOptions(
        correction=str(path), correction_two_pi_level=1024.0, correction_flip="rows"
    )


def meadowlark(folder: Path) -> PanelOptions:
    """A 16-bit PNG for another wavelength."""
    path = folder / "slm4000_at1064.png"
    scaled = np.mod(-surface_rad() * WAVELENGTH_NM / 1064.0, TURN_RAD)
    Image.fromarray((scaled / TURN_RAD * 65535.0).astype(np.uint16)).save(path)
    return PanelOptions(
        correction=str(path), correction_two_pi_level=65535.0, correction_wavelength_nm=1064.0
    )


def array_in_radians(folder: Path) -> PanelOptions:
    """Somebody's own measurement."""
    np.save(folder / "flat.npy", map_rad().astype(np.float32))
    return PanelOptions(correction=str(folder / "flat.npy"))


def dataset(folder: Path) -> PanelOptions:
    """Somebody's own measurement in HDF5."""
    with h5py.File(folder / "flat.h5", "w") as file:
        file["map"] = map_rad()
    return PanelOptions(correction=str(folder / "flat.h5"))


class BentPanel(AbsentSlm):
    """A panel of 8 bits with a bent phase response, which keeps what it displays."""

    bent = TURN_RAD * 1.1 * (np.arange(256) / 256.0) ** 1.3

    def __init__(self) -> None:
        super().__init__(SHAPE, 8.0)
        self._quantise = PhaseQuantiser(8)
        self.phase: npt.NDArray[np.floating] = np.zeros(SHAPE)

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        self._quantise = PhaseQuantiser(8, phase_by_grey_rad)

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        self.phase = self.bent[self._quantise(phase_rad)]
        return 1


def phases_in_pi(folder: Path) -> PanelOptions:
    """Level and phase in units of pi, as spreadsheets have it."""
    rows = (f"{level};{phase / np.pi:.5f}" for level, phase in enumerate(BentPanel.bent))
    (folder / "lut.csv").write_text("level;phase/pi\n" + "\n".join(rows), encoding="utf-8")
    return PanelOptions(lut=str(folder / "lut.csv"))


def phases_in_rad(folder: Path) -> PanelOptions:
    """One phase a line."""
    np.savetxt(folder / "response.txt", BentPanel.bent)
    return PanelOptions(lut=str(folder / "response.txt"))


def output_levels(folder: Path) -> PanelOptions:
    """Meadowlark's .lut: for each input level the output level that makes the phase straight."""
    wanted = np.arange(256) * TURN_RAD / 256.0
    outputs = np.abs(BentPanel.bent[None, :] - wanted[:, None]).argmin(axis=1)
    rows = (f"{level}\t{output}" for level, output in enumerate(outputs))
    (folder / "slm.lut").write_text("\n".join(rows), encoding="utf-8")
    return PanelOptions(lut=str(folder / "slm.lut"))


MAPS = (hamamatsu, holoeye, santec, meadowlark, array_in_radians, dataset)
RESPONSES = (phases_in_pi, phases_in_rad, output_levels)


def _saved(save: Callable[[Path], None], name: str) -> Callable[[Path], PanelOptions]:
    def make(folder: Path) -> PanelOptions:
        save(folder / name)
        return PanelOptions(correction=str(folder / name))

    return make


def _colours(path: Path) -> None:
    colours = np.zeros((*SHAPE, 3), np.uint8)
    colours[:, :, 1] = 7
    Image.fromarray(colours).save(path)


WRONG = {
    "that is missing": _saved(lambda path: None, "missing.png"),
    "of another size": _saved(lambda path: np.save(path, np.zeros((4, 5))), "small.npy"),
    "of 16 bits without a scale": _saved(
        lambda path: Image.fromarray(np.zeros(SHAPE, np.uint16)).save(path), "levels.png"
    ),
    "in colours": _saved(_colours, "colour.png"),
    "of words": _saved(lambda path: path.write_text("nothing here") and None, "text.csv"),
    "of another program": _saved(lambda path: path.write_bytes(b"PK"), "map.docx"),
    "that is damaged": _saved(lambda path: path.write_bytes(b"\x89PNG\r\n"), "cut.png"),
    "with NaN": _saved(lambda path: np.save(path, np.full(SHAPE, np.nan)), "nan.npy"),
}
"""Maps that are refused, by what is wrong with them."""
