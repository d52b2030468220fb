"""Flatness maps and phase responses in the files in which makers deliver them, of a known surface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from drivers.errors import DeviceStateError, DeviceValueError
from drivers.phase_quantiser import PhaseQuantiser
from drivers.slm.corrected import TURN_RAD, CorrectedSlm, correction_rad
from drivers.slm.panel_options import PanelOptions
from drivers.slm.wrapper import SlmWrapper
from labdiff.bench.open import open_bench
from labdiff.config.bench import bench_text, parse_bench
from labdiff.errors import UserError
from tests.contracts.makers_files import (
    MAPS,
    RESPONSES,
    SHAPE,
    WAVELENGTH_NM,
    WRONG,
    BentPanel,
    surface_rad,
)
from tests.contracts.peers import SlmPyServer

FLAT_RAD = 0.02


@pytest.mark.parametrize("maker", MAPS)
def test_the_panel_is_flat_with_the_makers_map(
    maker: Callable[[Path], PanelOptions], tmp_path: Path
) -> None:
    correction = correction_rad(maker(tmp_path), SHAPE, WAVELENGTH_NM)
    displayed = PhaseQuantiser(10).realised(correction)
    light = np.exp(1j * (displayed + surface_rad()))
    piston = np.angle(light.mean())
    assert np.angle(light * np.exp(-1j * piston)).std() < FLAT_RAD


@pytest.mark.parametrize("maker", MAPS)
def test_the_map_can_be_switched_off_and_the_pattern_is_displayed_anew(
    maker: Callable[[Path], PanelOptions], tmp_path: Path
) -> None:
    panel = BentPanel()
    slm = SlmWrapper(CorrectedSlm(panel, maker(tmp_path), WAVELENGTH_NM))
    wanted = np.full(SHAPE, 1.0)
    slm.set_phase(wanted)
    with_map = panel.phase.copy()
    assert slm.correction is True
    slm.correction = False
    without = panel.phase.copy()
    assert slm.correction is False and np.ptp(without) < np.ptp(with_map)
    slm.correction = True
    np.testing.assert_array_equal(panel.phase, with_map)
    plain = SlmWrapper(BentPanel())
    assert plain.correction is None
    with pytest.raises(DeviceStateError, match="no flatness map"):
        plain.correction = False


@pytest.mark.parametrize("maker", RESPONSES)
def test_the_phase_is_right_with_the_makers_response(
    maker: Callable[[Path], PanelOptions], tmp_path: Path
) -> None:
    panel = BentPanel()
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
    panel = BentPanel()
    BentPanel.bent, bent = np.arange(256) * (TURN_RAD / 214.0), BentPanel.bent
    try:
        CorrectedSlm(panel, PanelOptions(two_pi_level=214.0), WAVELENGTH_NM).set_phase(
            np.full(SHAPE, np.pi)
        )
        assert panel.phase[0, 0] == pytest.approx(np.pi, abs=0.02)
    finally:
        BentPanel.bent = bent


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("that is missing", "there is no such file"),
        ("of another size", "set correction_top"),
        ("of 16 bits without a scale", "set correction_two_pi_level"),
        ("in colours", "picture in colours"),
        ("of words", "no rows of numbers"),
        ("of another program", r"read are \.bmp"),
        ("that is damaged", "cannot be read"),
        ("with NaN", "expected are finite"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(wrong: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DeviceValueError, match=words):
        CorrectedSlm(BentPanel(), WRONG[wrong](tmp_path), WAVELENGTH_NM)


def test_a_response_of_another_number_of_levels_is_said(tmp_path: Path) -> None:
    np.save(tmp_path / "small.npy", np.zeros((4, 5)))
    with pytest.raises(DeviceValueError, match="expected is one for each of 256 levels"):
        CorrectedSlm(BentPanel(), PanelOptions(lut=str(tmp_path / "small.npy")), WAVELENGTH_NM)


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


def test_the_simulated_slm_takes_the_options_of_the_panel(tmp_path: Path) -> None:
    np.save(tmp_path / "flat.npy", np.full((80, 224), np.pi))
    text = bench_text("mock-small")[1].replace(
        "[input]",
        "[slm.options]\ncrystal_ms = 37.0\ntwo_pi_level = 214\n"
        f"correction = '{tmp_path / 'flat.npy'}'\n\n[input]",
        1,
    )
    with open_bench(parse_bench(text, "bench.toml"), 0) as bench:
        assert bench.slm.timing.duration_ms == 37.0
        with_map = bench.slm.set_phase(np.zeros(bench.slm.shape, np.float32))
        assert bench.slm.set_grey(np.full(bench.slm.shape, 107.0)) == with_map + 1
    with pytest.raises(UserError, match=r"slm\.options: colour: unknown; every SLM takes"):
        open_bench(parse_bench(text.replace("crystal_ms = 37.0", "colour = 1"), "b"), 0)
    with pytest.raises(UserError, match=r"slm\.options: .*there is no such file"):
        open_bench(parse_bench(text.replace("flat.npy", "gone.npy"), "b"), 0)
