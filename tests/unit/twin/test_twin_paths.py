"""The fast path is the plain path; alignment switches between them."""

from __future__ import annotations

import pytest
import torch

from twin.digital_twin import DigitalTwin, TwinGeometry

GEOMETRY = TwinGeometry((40, 40), 3, 9.2e-6, 850e-9, 2e-3, 0.3e-3, "slm_patch")


def tilted_twin() -> DigitalTwin:
    twin = DigitalTwin(GEOMETRY)
    values = twin.state_dict()
    values["d_alpha_beam_mrad"] = torch.tensor([1.0, -0.5])
    values["bounce_tilt_mrad"] = 0.1 * torch.ones(3, 2)
    values["output_shift_px"] = torch.tensor([0.6, -1.2])
    values["crosstalk_px"] = torch.tensor(0.3)
    values["zero_order_percent"] = torch.tensor(2.0)
    values["backplane_rad"] = torch.tensor([[0.1, -0.2, 0.3]] * 4)
    values["defocus_percent"] = torch.tensor(3.0)
    values["aberration_rad"] = 0.1 * torch.ones(11)
    values["mirror_edge_px"] = torch.tensor(1.5)
    values["ghost_percent"] = torch.tensor([1.0, -0.5])
    values["ghost_mrad"] = torch.tensor([2.0, -1.0])
    twin.load_alignment(values)
    return twin


def test_fast_and_plain_paths_agree_in_value_and_gradients() -> None:
    torch.manual_seed(0)
    twin, weight = tilted_twin(), torch.rand(2, 40, 40)
    results = []
    for plain in (False, True):
        twin.refining(plain)
        torch.manual_seed(1)
        inputs = torch.rand(2, 40, 40).requires_grad_()
        phases = torch.rand(3, 40, 40).requires_grad_()
        intensity = twin(inputs, phases)
        (intensity * weight).sum().backward()
        assert inputs.grad is not None and phases.grad is not None
        results.append((intensity.detach(), inputs.grad, phases.grad))
    for fast, slow in zip(*results, strict=True):
        assert float((fast - slow).norm()) < 1e-4 * float(slow.norm())


def test_each_sample_may_have_its_own_phases_and_gradients() -> None:
    torch.manual_seed(0)
    twin, weight = tilted_twin(), torch.rand(3, 40, 40)
    inputs = torch.rand(3, 40, 40)
    together = torch.rand(3, 3, 40, 40).requires_grad_()
    (twin(inputs, together) * weight).sum().backward()
    assert together.grad is not None
    for sample in range(3):
        alone = together[sample].detach().requires_grad_()
        intensity = twin(inputs[sample : sample + 1], alone)
        (intensity * weight[sample]).sum().backward()
        assert alone.grad is not None
        assert float((alone.grad - together.grad[sample]).norm()) < 1e-4 * float(alone.grad.norm())


def test_alignment_parameters_get_gradients_only_while_refining() -> None:
    torch.manual_seed(0)
    twin = tilted_twin()
    inputs, phases = torch.rand(1, 40, 40), torch.rand(3, 40, 40)
    assert not twin(inputs, phases).requires_grad
    twin.refining(True)
    twin(inputs, phases).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.any()) for p in twin.parameters())


def test_fixed_parameters_get_no_gradient() -> None:
    twin = tilted_twin()
    twin.refining(True, fixed=("crosstalk_px",))
    twin(torch.rand(1, 40, 40), torch.rand(3, 40, 40)).square().sum().backward()
    assert twin.crosstalk_px.grad is None and twin.z_gap_percent.grad is not None


def test_precompensation_undoes_tilts_and_curvature() -> None:
    twin = tilted_twin()
    aligned = DigitalTwin(GEOMETRY)
    values = twin.state_dict()
    for name in ("d_alpha_beam_mrad", "bounce_tilt_mrad", "backplane_rad", "zero_order_percent"):
        values[name] = torch.zeros_like(values[name])
    values["crosstalk_px"] = torch.tensor(0.0)
    aligned.load_alignment(values)
    sharp = twin.state_dict()
    sharp["crosstalk_px"], sharp["zero_order_percent"] = torch.tensor(0.0), torch.tensor(0.0)
    twin.load_alignment(sharp)
    undo = twin.precompensation_phase()
    inputs, phases = torch.rand(1, 40, 40), torch.rand(3, 40, 40)
    corrected = twin(inputs + undo[0], phases + undo[1:])
    wanted = aligned(inputs, phases)
    assert float((corrected - wanted).norm()) < 1e-4 * float(wanted.norm())


def test_phases_per_sample_equal_the_samples_one_by_one() -> None:
    torch.manual_seed(0)
    twin = tilted_twin()
    inputs, phases = torch.rand(2, 40, 40), torch.rand(2, 3, 40, 40)
    together = twin(inputs, phases)
    apart = torch.cat([twin(inputs[i : i + 1], phases[i]) for i in range(2)])
    assert torch.allclose(together, apart, atol=1e-5)


def test_dark_dmd_gives_no_light() -> None:
    twin = DigitalTwin(TwinGeometry((20, 20), 1, 9.2e-6, 850e-9, 1e-3, 1e-4, "dmd"))
    assert float(twin(torch.zeros(1, 20, 20), torch.zeros(1, 20, 20)).max()) == 0.0


def test_alignment_report_names_units() -> None:
    report = tilted_twin().alignment()
    assert report["z_gap_mm"] == pytest.approx(2.0)
    assert report["d_alpha_beam_y_mrad"] == pytest.approx(-0.5)
    assert all(name.endswith(("_mm", "_mrad", "_px", "_percent", "_rad")) for name in report)
