"""The mock's pixels with phase errors of their own: as the twin's phase map, and found from light."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from mock_hardware.light_path import LightPath
from mock_hardware.optics.cavity import MARGIN_PX
from mock_hardware.settings import MockSettings
from mock_hardware.truth import Truth, draw_truth
from tests.physics.test_twin_against_mock import GEOMETRY
from twin.alignment_fit import Triples
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.free_form_fit import FreeFormFit

SIDE = 32
SMALL = dataclasses.replace(
    GEOMETRY,
    panel_shape=(40, 128),
    patch_shape=(SIDE, SIDE),
    patch_top=4,
    patch_lefts=(4, 44, 84),
    z_gap_mm=1.0,
    waist_mm=0.19,
    camera_shape=(80, 80),
)


def noisy_panel() -> tuple[Truth, LightPath]:
    settings = MockSettings()
    slm = settings.slm.model_copy(update={"phase_noise_rad": 0.15})
    relay = settings.relay.model_copy(update={"pupil_na": 0.0})
    changed = settings.model_copy(update={"slm": slm, "relay": relay, "samples_per_pixel": 1})
    changed = changed.only("slm.phase_noise_rad", "slm.crosstalk_px")
    truth = draw_truth(SMALL, changed, 5)
    return truth, LightPath(SMALL, changed, truth)


def twin_of_it(truth: Truth) -> DigitalTwin:
    geometry = TwinGeometry((SIDE, SIDE), 2, 9.2e-6, 850e-9, 1e-3, 0.19e-3, "slm_patch")
    twin = DigitalTwin(geometry)
    blur = {"crosstalk_px": torch.tensor(truth.crosstalk_px)}
    twin.load_alignment(twin.state_dict() | blur)
    return twin


def answered(truth: Truth, light_path: LightPath, seed: int) -> Triples:
    """Return frames of four inputs with the same layers, without noise."""
    rng = torch.Generator().manual_seed(seed)
    inputs = 1.0 + torch.rand(4, SIDE, SIDE, generator=rng)
    layers = 2.0 + torch.rand(2, SIDE, SIDE, generator=rng)
    reflected = truth.slm_reflectivity**3 * truth.mirror_reflectivity**2
    frames: list[Tensor] = []
    for one in inputs:
        asked = torch.cat([one[None], layers]).numpy()
        light = light_path.plane((asked + truth.phase_error_rad).astype(np.float32))
        plane = slice(MARGIN_PX, MARGIN_PX + SIDE)
        frames.append(torch.from_numpy(light[plane, plane].copy()) / reflected)
    return Triples(inputs, layers[None], torch.stack(frames))


def test_a_twin_with_the_true_map_predicts_the_mock() -> None:
    truth, light_path = noisy_panel()
    frames, twin = answered(truth, light_path, 0), twin_of_it(truth)
    with torch.no_grad():
        without = twin(frames.inputs, frames.phases[0])
        twin.set_free_form({"phase_map_rad": torch.from_numpy(truth.phase_error_rad)})
        modelled = twin(frames.inputs, frames.phases[0])
    norm = float(frames.intensity.norm())
    # One sample a pixel, and another low pass from the crystal to it.
    assert float((modelled - frames.intensity).norm()) < 0.04 * norm
    assert float((without - frames.intensity).norm()) > 0.1 * norm


def test_the_hidden_map_is_found_from_the_mocks_light() -> None:
    truth, light_path = noisy_panel()
    fit = FreeFormFit(twin_of_it(truth), 400)
    for seed in range(40):
        fit.add(answered(truth, light_path, seed))
        fit.improve(10)
    held_out = answered(truth, light_path, 99)
    assert fit.missed(held_out, True) < 0.06 * fit.missed(held_out, False)
    # The fit also takes on what one sample a pixel gets wrong, so that it is not the truth to the last bit.
    for found, hidden in zip(fit.values["phase_map_rad"], truth.phase_error_rad, strict=True):
        assert float(np.corrcoef(found.flatten().numpy(), hidden.flatten())[0, 1]) > 0.8
