"""Alignment from probe frames, and the online steps."""

from __future__ import annotations

import pytest
import torch

from twin.alignment_fit import FitStep, Triples, fit_alignment
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.parameter_vector import load_parameter_vector, parameter_vector
from twin.probes import smooth_phases, square_phases

GEOMETRY = TwinGeometry((40, 40), 2, 9.2e-6, 850e-9, 2e-3, 0.25e-3, "slm_patch")


BLURS_PX = (4.0, 3.0, 2.0, 2.0, 1.0, 0.0, 0.0)


def misaligned() -> tuple[DigitalTwin, Triples]:
    """A bench with hidden tilts, and eight frames of it."""
    torch.manual_seed(0)
    truth = DigitalTwin(GEOMETRY)
    values = truth.state_dict()
    values["d_alpha_beam_mrad"] = torch.tensor([1.5, -1.0])
    values["d_alpha_mirror_mrad"] = torch.tensor([-1.0, 0.8])
    values["source_centre_px"] = torch.tensor([1.0, -1.5])
    truth.load_alignment(values)
    patterns = smooth_phases(24, (40, 40), 1.5, 1).view(8, 3, 40, 40)
    with torch.no_grad():
        frames = truth(patterns[:, 0], patterns[:, 1:])
    return truth, Triples(patterns[:, 0], patterns[:, 1:], frames)


def test_a_frame_that_went_wrong_counts_little() -> None:
    truth, triples = misaligned()
    frames = triples.intensity.clone()
    frames[3] = frames[5]  # a stale one
    twin = DigitalTwin(GEOMETRY)
    for _ in fit_alignment(twin, Triples(triples.inputs, triples.phases, frames), BLURS_PX):
        pass
    error_rad = twin.planes_tilt_rad() - truth.planes_tilt_rad()
    assert float(error_rad.abs().max()) < 2e-4


@pytest.fixture(scope="module")
def fitted() -> tuple[DigitalTwin, DigitalTwin, list[FitStep]]:
    """Fit the frames of a misaligned bench once for all tests that read the result: truth, twin, steps."""
    truth, triples = misaligned()
    twin = DigitalTwin(GEOMETRY)
    return truth, twin, list(fit_alignment(twin, triples, BLURS_PX))


def test_a_fit_reports_what_the_frames_do_not_determine(
    fitted: tuple[DigitalTwin, DigitalTwin, list[FitStep]],
) -> None:
    _, twin, steps = fitted
    share = steps[-1].measured_share
    names = [n for n, p in twin.named_parameters() for _ in range(p.numel())]
    assert float(share.min()) >= 0.0 and float(share.max()) <= 1.0
    assert share[names.index("d_alpha_beam_mrad")] > 0.9
    # Smooth phases know nothing of what happens at a pixel's rim.
    assert share[names.index("crosstalk_px")] == 0.0


def test_fit_finds_a_misaligned_bench_and_says_how_well(
    fitted: tuple[DigitalTwin, DigitalTwin, list[FitStep]],
) -> None:
    truth, twin, steps = fitted
    assert steps[-1].discrepancy < 1e-3 < steps[0].discrepancy
    assert steps[-1].deviation.shape == parameter_vector(twin).shape
    error_rad = twin.planes_tilt_rad() - truth.planes_tilt_rad()
    assert float(error_rad.abs().max()) < 5e-5


def test_parameter_vector_round_trip() -> None:
    twin = DigitalTwin(GEOMETRY)
    theta = torch.arange(parameter_vector(twin).numel()).float()
    load_parameter_vector(twin, theta)
    assert torch.equal(parameter_vector(twin), theta)


def test_square_probes_hold_zero_and_pi_and_repeat_by_seed() -> None:
    probes = square_phases(3, (40, 40), 3, 7)
    assert torch.equal(probes, square_phases(3, (40, 40), 3, 7))
    assert set(probes.flatten().tolist()) == {0.0, float(torch.tensor(torch.pi))}
