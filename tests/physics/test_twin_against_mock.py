"""Twin and mock laboratory share no code; told the same alignment they give the same light."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from mock_hardware.dials import MockDials
from mock_hardware.geometry import MockGeometry
from mock_hardware.optics.cavity import CavityOptics
from mock_hardware.truth import draw_truth
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.probes import smooth_phases


def test_twin_told_the_truth_predicts_the_mock() -> None:
    geometry = MockGeometry(
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
    tilts_mrad = np.array([[2.0, -1.0], [1.1, 0.4], [0.9, 0.6], [1.0, 0.5], [1.2, 0.3]])
    truth = dataclasses.replace(
        draw_truth(geometry, MockDials().off(), seed=0),
        z_gap_mm=5.7 * 1.02,
        tilts_rad=tilts_mrad * 1e-3,
        waists_mm=np.array([0.6 * 0.95] * 2),
        beam_centre_um=np.array([30.0, -20.0]),
    )
    twin = DigitalTwin(TwinGeometry((100, 100), 4, 9.2e-6, 850e-9, 5.7e-3, 0.6e-3, "slm_patch"))
    values = twin.state_dict()
    values["z_gap_percent"] = torch.tensor(2.0)
    values["d_alpha_beam_mrad"] = torch.tensor(tilts_mrad[0], dtype=torch.float32)
    values["bounce_tilt_mrad"] = torch.tensor(tilts_mrad[1:], dtype=torch.float32)
    values["source_waist_percent"] = torch.tensor(-5.0)
    values["source_centre_px"] = torch.tensor([30.0, -20.0]) / 9.2
    twin.load_alignment(values)

    phases = smooth_phases(5, (100, 100), 2.0, seed=1)
    modelled = twin(phases[:1], phases[1:])[0]
    fields = np.exp(1j * phases.numpy()).astype(np.complex64)
    answer = torch.from_numpy(CavityOptics(geometry, truth).intensity(fields[0], list(fields[1:])))
    assert float((modelled - answer).norm()) < 5e-3 * float(answer.norm())
