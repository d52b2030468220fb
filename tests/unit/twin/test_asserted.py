"""Wavelength and pitch: an error of either is answered by gap, angles and waist, and nothing shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from twin.asserted import AssertedDeviations, asserted_covariance, compensations, wavelength_gap_px2
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.discrepancy import discrepancy
from twin.parameter_vector import load_parameter_vector, parameter_vector, value_names
from twin.probes import smooth_phases

GEOMETRY = TwinGeometry((40, 40), 2, 9.2e-6, 850e-9, 2e-3, 0.25e-3, "slm_patch")
ERROR = 0.01


def misaligned(geometry: TwinGeometry) -> DigitalTwin:
    twin = DigitalTwin(geometry)
    values = twin.state_dict()
    values["z_gap_percent"] = torch.tensor(2.0)
    values["d_alpha_beam_mrad"] = torch.tensor([1.5, -1.0])
    values["d_alpha_mirror_mrad"] = torch.tensor([-1.0, 0.8])
    values["bounce_tilt_mrad"] = torch.tensor([[0.1, 0.2], [-0.1, 0.1]])
    values["source_waist_percent"] = torch.tensor(-3.0)
    values["defocus_percent"] = torch.tensor(0.6)
    twin.load_alignment(values)
    return twin


def images(twin: DigitalTwin) -> torch.Tensor:
    patterns = smooth_phases(6, (40, 40), 2.0, 1).view(2, 3, 40, 40)
    with torch.no_grad():
        return twin(patterns[:, 0], patterns[:, 1:])


@pytest.mark.parametrize(
    ("which", "geometry"),
    [
        (0, replace(GEOMETRY, wavelength_m=(1.0 + ERROR) * GEOMETRY.wavelength_m)),
        (1, replace(GEOMETRY, pixel_pitch_m=(1.0 + ERROR) * GEOMETRY.pixel_pitch_m)),
    ],
)
def test_the_light_of_a_wrong_data_sheet_is_that_of_other_parameters(
    which: int, geometry: TwinGeometry
) -> None:
    truth = misaligned(GEOMETRY)
    wrong = DigitalTwin(geometry)
    load_parameter_vector(wrong, parameter_vector(truth))
    left_alone = float(discrepancy(images(truth), images(wrong)).max())
    answer = parameter_vector(truth).double() + ERROR * compensations(truth)[which]
    load_parameter_vector(wrong, answer.float())
    answered = float(discrepancy(images(truth), images(wrong)).max())
    assert answered < 0.01 * left_alone
    # What frames do tell stays as it was.
    assert wavelength_gap_px2(wrong) == pytest.approx(wavelength_gap_px2(truth), rel=4 * ERROR**2)


def test_deviations_follow_the_asserted_ones() -> None:
    twin = misaligned(GEOMETRY)
    deviations = AssertedDeviations(wavelength=0.001, pixel_pitch=0.002)
    sigma = asserted_covariance(twin, deviations).diagonal().sqrt()
    found = dict(zip(value_names(twin), sigma.tolist(), strict=True))
    assert found["z_gap_percent"] == pytest.approx(102.0 * deviations.gap)
    assert found["source_waist_percent"] == pytest.approx(97.0 * 0.002)
    assert found["d_alpha_beam_mrad[0]"] == pytest.approx(1.5 * (0.001**2 + 0.002**2) ** 0.5)
    assert found["crosstalk_px"] == 0.0
    assert not bool(asserted_covariance(twin, AssertedDeviations(0.0, 0.0)).any())
