"""Twin and mock laboratory share no code; told the same truth they give the same light."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mock_hardware.geometry import MockGeometry
from mock_hardware.light_path import LightPath
from mock_hardware.optics.cavity import MARGIN_PX
from mock_hardware.settings import MockSettings
from mock_hardware.truth import Truth, draw_truth
from twin.backplane import curvature_modes
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.probes import smooth_phases, square_phases

SAMPLES = 2
GEOMETRY = MockGeometry(
    wavelength_nm=850.0,
    pixel_pitch_um=9.2,
    panel_shape=(144, 640),
    patch_shape=(100, 100),
    patch_top=22,
    patch_lefts=(20, 140, 260, 380, 500),
    z_gap_mm=5.7,
    waist_mm=0.6,
    input_kind="slm_patch",
    camera_shape=(256, 320),
    camera_pitch_um=3.45,
    camera_bit_depth=12,
    magnification=0.6,
)
MODELLED = (
    "beam.tilt_mrad",
    "beam.offset_um",
    "beam.waist_error",
    "cavity.gap_error",
    "cavity.mirror_tilt_mrad",
    "cavity.bounce_tilt_mrad",
    "slm.crosstalk_px",
    "slm.dead_space",
    "slm.backplane_rad",
    "cavity.mirror_edge",
    "relay.defocus_mm",
)


def twin_that_knows(truth: Truth) -> DigitalTwin:
    twin = DigitalTwin(
        TwinGeometry((100, 100), 4, 9.2e-6, 850e-9, 5.7e-3, 0.6e-3, "slm_patch", SAMPLES)
    )
    values = twin.state_dict()
    tilts_mrad = torch.tensor(truth.tilts_rad * 1e3).float()
    values["z_gap_percent"] = torch.tensor(100.0 * (truth.z_gap_mm / GEOMETRY.z_gap_mm - 1.0))
    values["d_alpha_beam_mrad"] = tilts_mrad[0]
    values["bounce_tilt_mrad"] = tilts_mrad[1:]
    values["source_waist_percent"] = torch.tensor(100.0 * (truth.waists_mm[0] / 0.6 - 1.0))
    values["source_centre_px"] = torch.tensor(truth.beam_centre_um / 9.2).float()
    values["crosstalk_px"] = torch.tensor(truth.crosstalk_px)
    dead = truth.dead_space * np.sqrt(truth.dead_space_reflectance) / (1.0 - truth.dead_space)
    values["zero_order_percent"] = torch.tensor(100.0 * float(dead))
    modes = curvature_modes(*GEOMETRY.patch_shape).flatten(1).T
    shapes = torch.tensor(truth.backplane_rad).double().flatten(1).T
    values["backplane_rad"] = torch.linalg.lstsq(modes, shapes).solution.T.float()
    values["mirror_edge_px"] = torch.tensor(truth.mirror_edge * GEOMETRY.patch_shape[1])
    values["defocus_percent"] = torch.tensor(50.0 * truth.defocus_mm / GEOMETRY.z_gap_mm)
    twin.load_alignment(values)
    return twin


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_twin_with_the_true_parameters_predicts_the_mock(seed: int) -> None:
    settings = MockSettings().only(*MODELLED)
    relay = settings.relay.model_copy(update={"pupil_na": 0.0})
    settings = settings.model_copy(update={"samples_per_pixel": SAMPLES, "relay": relay})
    truth = draw_truth(GEOMETRY, settings, seed)
    twin, light_path = twin_that_knows(truth), LightPath(GEOMETRY, settings, truth)
    dark = (1.0 - truth.dead_space) ** 10
    turn = 2.0 * torch.pi
    for phases in (
        smooth_phases(5, (100, 100), 2.0, seed).remainder(turn),
        square_phases(5, (100, 100), 6, seed),
    ):
        fine = twin.fine_intensity(*twin.modulation(phases[:1], phases[1:]))
        modelled = torch.nn.functional.avg_pool2d(fine[:, None], SAMPLES)[0, 0]
        light = light_path.plane(phases.numpy())[MARGIN_PX * SAMPLES :, MARGIN_PX * SAMPLES :]
        cells = light[: 100 * SAMPLES, : 100 * SAMPLES].reshape(100, SAMPLES, 100, SAMPLES)
        answer = torch.from_numpy(cells.mean((1, 3))) / dark
        assert float((modelled - answer).norm()) < 0.02 * float(answer.norm())
