"""Panels with what their makers measured: flatness maps and phase responses of a known surface."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.parts import Setting
from benchmarks.stranger_checks.case import StrangerCase
from drivers.phase_quantiser import PhaseQuantiser
from drivers.slm.corrected import TURN_RAD, CorrectedSlm, correction_rad
from drivers.slm.panel_options import PanelOptions
from tests.contracts import makers_files
from tests.contracts.makers_files import SHAPE, WAVELENGTH_NM, BentPanel, surface_rad

FLAT_RAD = 0.02
"""Largest deviation of a panel with its map, and of a phase with its response, rms."""


def cases(setting: Setting) -> list[StrangerCase]:
    """Return the cases."""
    maps = [
        StrangerCase(f"flatness map {maker.__name__}", partial(_flat, maker))
        for maker in makers_files.MAPS
    ]
    responses = [
        StrangerCase(f"phase response {maker.__name__}", partial(_straight, maker))
        for maker in makers_files.RESPONSES
    ]
    wrong = [
        StrangerCase(f"a map {name}", partial(_refused, make))
        for name, make in makers_files.WRONG.items()
    ]
    return [*maps, *responses, *wrong]


def _flat(maker: Callable[[Path], PanelOptions]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        correction = correction_rad(maker(Path(folder)), SHAPE, WAVELENGTH_NM)
    light = np.exp(1j * (PhaseQuantiser(10).realised(correction) + surface_rad()))
    return bool(np.angle(light * np.exp(-1j * np.angle(light.mean()))).std() < FLAT_RAD)


def _straight(maker: Callable[[Path], PanelOptions]) -> bool:
    panel = BentPanel()
    with tempfile.TemporaryDirectory() as folder:
        slm = CorrectedSlm(panel, maker(Path(folder)), WAVELENGTH_NM)
    wanted = np.linspace(0.0, 0.98 * TURN_RAD, SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    slm.set_phase(wanted)
    return bool(np.sqrt(np.mean((panel.phase - wanted) ** 2)) < FLAT_RAD)


def _refused(make: Callable[[Path], PanelOptions]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        CorrectedSlm(BentPanel(), make(Path(folder)), WAVELENGTH_NM)
    return False
