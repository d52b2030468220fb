"""Flatness maps and phase responses in the files in which makers deliver them, of a known surface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from drivers.absent import AbsentSlm
from drivers.errors import DeviceValueError
from drivers.phase_quantiser import PhaseQuantiser
from drivers.slm.corrected import TURN_RAD, CorrectedSlm, correction_rad
from drivers.slm.panel_options import PanelOptions
from drivers.types import FloatArray, PatternId
from labdiff.bench.open import open_bench
from labdiff.config.bench import bench_text, parse_bench
from labdiff.errors import UserError
from tests.contracts.peers import SlmPyServer

SHAPE = (48, 64)
WAVELENGTH_NM = 850.0
FLAT_RAD = 0.02
Array = npt.NDArray[np.float64]


def surface() -> Array:
    """A bowed panel of 1.5 turns, rad."""
    rows, columns = np.mgrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j]
    found: Array = 9.4 * (0.7 * rows**2 + 0.3 * columns**2 + 0.1 * rows * columns)
    return found


def map_rad() -> Array:
    """What a maker delivers: what makes the surface flat, wrapped."""
    return np.mod(-surface(), TURN_RAD)


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
    scaled = np.mod(-surface() * WAVELENGTH_NM / 1064.0, TURN_RAD)
    Image.fromarray((scaled / TURN_RAD * 65535.0).astype(np.uint16)).save(path)
    return PanelOptions(
        correction=str(path), correction_two_pi_level=65535.0, correction_wavelength_nm=1064.0
    )


def array_in_radians(folder: Path) -> PanelOptions:
    """Somebody's own measurement."""
    np.save(folder / "flat.npy", map_rad().astype(np.float32))
    return PanelOptions(correction=str(folder / "flat.npy"))


def dataset(folder: Path) -> PanelOptions:
    """The same in HDF5."""
    with h5py.File(folder / "flat.h5", "w") as file:
        file["map"] = map_rad()
    return PanelOptions(correction=str(folder / "flat.h5"))


@pytest.mark.parametrize(
    "maker", [hamamatsu, holoeye, santec, meadowlark, array_in_radians, dataset]
)
def test_the_panel_is_flat_with_the_makers_map(
    maker: Callable[[Path], PanelOptions], tmp_path: Path
) -> None:
    correction = correction_rad(maker(tmp_path), SHAPE, WAVELENGTH_NM)
    displayed = PhaseQuantiser(10).realised(correction)
    light = np.exp(1j * (displayed + surface()))
    piston = np.angle(light.mean())
    assert np.angle(light * np.exp(-1j * piston)).std() < FLAT_RAD


class Panel(AbsentSlm):
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
    rows = (f"{level};{phase / np.pi:.5f}" for level, phase in enumerate(Panel.bent))
    (folder / "lut.csv").write_text("level;phase/pi\n" + "\n".join(rows), encoding="utf-8")
    return PanelOptions(lut=str(folder / "lut.csv"))


def phases_in_rad(folder: Path) -> PanelOptions:
    """One phase a line."""
    np.savetxt(folder / "response.txt", Panel.bent)
    return PanelOptions(lut=str(folder / "response.txt"))


def output_levels(folder: Path) -> PanelOptions:
    """Meadowlark's .lut: for each input level the output level that makes the phase straight."""
    wanted = np.arange(256) * TURN_RAD / 256.0
    outputs = np.abs(Panel.bent[None, :] - wanted[:, None]).argmin(axis=1)
    rows = (f"{level}\t{output}" for level, output in enumerate(outputs))
    (folder / "slm.lut").write_text("\n".join(rows), encoding="utf-8")
    return PanelOptions(lut=str(folder / "slm.lut"))


@pytest.mark.parametrize("maker", [phases_in_pi, phases_in_rad, output_levels])
def test_the_phase_is_right_with_the_makers_response(
    maker: Callable[[Path], PanelOptions], tmp_path: Path
) -> None:
    panel = Panel()
    slm = CorrectedSlm(panel, maker(tmp_path), WAVELENGTH_NM)
    wanted = np.linspace(0.0, 0.98 * TURN_RAD, SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    slm.set_phase(wanted)
    assert np.sqrt(np.mean((panel.phase - wanted) ** 2)) < FLAT_RAD
    slm.set_lut(np.zeros(256) + np.linspace(0, TURN_RAD, 256))
    slm.set_phase(wanted)
    measured = panel.phase.copy()
    slm.set_lut(None)
    slm.set_phase(wanted)
    assert np.abs(panel.phase - wanted).max() < np.abs(measured - wanted).max()


def test_a_straight_response_is_given_by_its_level_of_two_pi() -> None:
    panel = Panel()
    Panel.bent, bent = np.arange(256) * (TURN_RAD / 214.0), Panel.bent
    try:
        CorrectedSlm(panel, PanelOptions(two_pi_level=214.0), WAVELENGTH_NM).set_phase(
            np.full(SHAPE, np.pi)
        )
        assert panel.phase[0, 0] == pytest.approx(np.pi, abs=0.02)
    finally:
        Panel.bent = bent


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"correction": "missing.png"}, "there is no such file"),
        ({"correction": "small.npy"}, "set correction_top"),
        ({"correction": "levels16.png"}, "set correction_two_pi_level"),
        ({"correction": "colour.png"}, "picture in colours"),
        ({"correction": "text.csv"}, "no rows of numbers"),
        ({"correction": "map.docx"}, r"read are \.bmp"),
        ({"lut": "small.npy"}, "expected is one for each of 256 levels"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    options: dict[str, str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("small.npy", np.zeros((4, 5)))
    Image.fromarray(np.zeros(SHAPE, np.uint16)).save("levels16.png")
    colours = np.zeros((*SHAPE, 3), np.uint8)
    colours[:, :, 1] = 7
    Image.fromarray(colours).save("colour.png")
    Path("text.csv").write_text("nothing here", encoding="utf-8")
    Path("map.docx").write_text("", encoding="utf-8")
    with pytest.raises(DeviceValueError, match=words):
        CorrectedSlm(Panel(), PanelOptions(**options), WAVELENGTH_NM)


def test_every_slm_driver_takes_the_options_of_the_panel(tmp_path: Path) -> None:
    np.save(tmp_path / "flat.npy", np.full((144, 640), np.pi))
    text = bench_text("mock")[1]
    with SlmPyServer((144, 640)) as server:
        real = text.replace('driver = "mock"', 'driver = "slmpy"', 1).replace(
            "[input]",
            f'address = "127.0.0.1:{server.port}"\noptions.crystal_ms = 150.0\n'
            f"options.correction = '{tmp_path / 'flat.npy'}'\n[input]",
            1,
        )
        with open_bench(parse_bench(real, "bench.toml"), 0) as bench:
            assert bench.slm.timing.duration_ms == 150.0
            bench.show(np.zeros((bench.planes, *bench.layout.patch_shape)))
            assert (server.pictures[-1] == 128).all()
        with pytest.raises(UserError, match=r"slm\.options: colour: unknown; every SLM takes"):
            open_bench(parse_bench(real.replace("crystal_ms = 150.0", "colour = 1"), "b"), 0)
        with pytest.raises(UserError, match=r"slm\.bit_depth = 10: .*8 bits"):
            open_bench(parse_bench(real.replace("bit_depth = 8 ", "bit_depth = 10 ", 1), "b"), 0)
