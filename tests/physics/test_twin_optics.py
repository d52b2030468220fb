"""The twin's physics against closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from twin.cavity import FixedCavity, cavity_intensity
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.propagation import padded_size, propagate, transfer_function

PITCH_M, WAVELENGTH_M, GAP_M = 9.2e-6, 850e-9, 11.4e-3
GEOMETRY = TwinGeometry((100, 100), 4, PITCH_M, WAVELENGTH_M, GAP_M / 2, 0.6e-3, "slm_patch")


def gaussian(size: int, waist_m: float) -> Tensor:
    axis = (torch.arange(size) - (size - 1) / 2) * PITCH_M
    amplitude = torch.exp(-(axis[:, None].square() + axis[None, :].square()) / waist_m**2)
    return amplitude.to(torch.complex64)


def centroid_px(intensity: Tensor) -> tuple[float, float]:
    """Centre of gravity (x, y) in pixels."""
    axis = torch.arange(intensity.shape[-1]).float()
    total = intensity.sum()
    x = (intensity.sum(0) * axis).sum() / total
    y = (intensity.sum(1) * axis).sum() / total
    return float(x), float(y)


def test_gaussian_beam_widens_as_its_closed_form_says() -> None:
    waist_m, size = 0.12e-3, 160
    padded = padded_size(size, PITCH_M, WAVELENGTH_M, 3 * GAP_M)
    transfer = transfer_function((padded, padded), PITCH_M, WAVELENGTH_M, 3 * GAP_M)
    intensity = propagate(gaussian(size, waist_m), transfer).abs().square()
    axis = (torch.arange(size) - (size - 1) / 2) * PITCH_M
    variance = (intensity.sum(0) * axis.square()).sum() / intensity.sum()
    rayleigh_m = math.pi * waist_m**2 / WAVELENGTH_M
    expected_m = waist_m * math.sqrt(1 + (3 * GAP_M / rayleigh_m) ** 2)
    assert math.isclose(2.0 * float(variance.sqrt()), expected_m, rel_tol=2e-3)


def test_propagation_keeps_the_energy_of_a_contained_beam() -> None:
    field = gaussian(100, 0.15e-3)
    transfer = transfer_function((162, 162), PITCH_M, WAVELENGTH_M, GAP_M)
    before = float(field.abs().square().sum())
    after = float(propagate(field, transfer).abs().square().sum())
    assert math.isclose(after, before, rel_tol=1e-4)


def test_the_cavity_creates_no_light() -> None:
    torch.manual_seed(0)
    twin = DigitalTwin(GEOMETRY)
    inputs = 3.0 * torch.rand(3, 100, 100)
    intensity = twin(inputs, 6.0 * torch.rand(4, 100, 100))
    assert float(intensity.mean((1, 2)).max()) <= 1.0


def test_conjugate_transfer_is_the_adjoint() -> None:
    torch.manual_seed(0)
    transfer = transfer_function((162, 162), PITCH_M, WAVELENGTH_M, GAP_M)
    u, v = torch.randn(2, 100, 100, dtype=torch.complex64)
    forward = torch.vdot(v.flatten(), propagate(u, transfer).flatten())
    backward = torch.vdot(propagate(v, transfer.conj().resolve_conj()).flatten(), u.flatten())
    assert abs(complex(forward - backward)) < 1e-5 * float(u.norm() * v.norm())


def test_gradcheck_of_the_fast_path_in_double_precision() -> None:
    torch.manual_seed(0)
    kind = torch.complex128
    transfer = transfer_function((12, 12), PITCH_M, WAVELENGTH_M, GAP_M).to(kind)
    way_out = transfer_function((12, 12), PITCH_M, WAVELENGTH_M, 1.1 * GAP_M).to(kind)
    first = torch.randn(2, 6, 6, dtype=kind, requires_grad=True)
    modulations = torch.randn(2, 6, 6, dtype=kind, requires_grad=True)

    def fast(a: Tensor, b: Tensor) -> Tensor:
        result: Tensor = FixedCavity.apply(a, b, transfer, way_out)  # type: ignore[no-untyped-call]
        return result

    assert torch.autograd.gradcheck(fast, (first, modulations))


def test_two_steps_under_way_at_once_do_not_share_their_fields() -> None:
    torch.manual_seed(0)
    transfer = transfer_function((24, 24), PITCH_M, WAVELENGTH_M, GAP_M)
    planes = torch.randn(3, 12, 12, dtype=torch.complex64, requires_grad=True)
    weights = torch.rand(2, 12, 12)

    def steps(way: Callable[..., Tensor]) -> list[Tensor]:
        firsts = [
            torch.rand(2, 12, 12, generator=torch.Generator().manual_seed(i)) for i in range(2)
        ]
        losses = [(weights * way(first, planes, transfer, transfer)).sum() for first in firsts]
        return [torch.autograd.grad(loss, planes)[0] for loss in losses]

    for _ in range(2):  # the second time with memory that the first has left
        for fast, plain in zip(steps(FixedCavity.apply), steps(cavity_intensity), strict=True):
            torch.testing.assert_close(fast, plain, rtol=1e-4, atol=1e-4)


def test_a_beam_tilt_moves_the_light_by_distance_times_sine() -> None:
    twin = DigitalTwin(TwinGeometry((100, 100), 2, PITCH_M, WAVELENGTH_M, GAP_M / 2, 2e-4, "dmd"))
    flat = (torch.ones(1, 100, 100), torch.zeros(2, 100, 100))
    x_before, y_before = centroid_px(twin(*flat)[0])
    values = twin.state_dict()
    values["d_alpha_beam_mrad"] = torch.tensor([2.0, -1.0])
    twin.load_alignment(values)
    x_after, y_after = centroid_px(twin(*flat)[0])
    # ramp = exp(-j k x sin a): a positive angle sends the light towards negative x.
    moved_px = 3 * GAP_M / PITCH_M * 1e-3
    assert abs(x_after - x_before + 2.0 * moved_px) < 0.1
    assert abs(y_after - y_before - moved_px) < 0.1


def test_precompensation_gives_the_light_of_a_straight_bench() -> None:
    torch.manual_seed(0)
    inputs, phases = 3.0 * torch.rand(2, 100, 100), 3.0 * torch.rand(4, 100, 100)
    twin = DigitalTwin(GEOMETRY)
    straight = twin(inputs, phases)
    values = twin.state_dict()
    values["d_alpha_beam_mrad"] = torch.tensor([1.5, -0.7])
    values["d_alpha_mirror_mrad"] = torch.tensor([-1.0, 2.0])
    twin.load_alignment(values)
    undo = twin.precompensation_phase()
    corrected = twin(inputs + undo[0], phases + undo[1:])
    assert float((corrected - straight).abs().max()) < 1e-3 * float(straight.max())
