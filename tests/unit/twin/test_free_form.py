"""The twin's free-form part: of no effect where it is 0, and learnt from frames."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from twin.alignment_fit import Triples
from twin.cavity import FixedCavity
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.free_form import stray_field
from twin.free_form_fit import FreeFormFit
from twin.parameter_labels import recorded_label, recorded_unit
from twin.parameter_vector import load_parameter_vector, parameter_vector
from twin.parameters import FREE_FORM_PARAMETERS
from twin.propagation import transfer_function

GEOMETRY = TwinGeometry((24, 24), 2, 9.2e-6, 850e-9, 1e-3, 0.2e-3, "slm_patch")


def some_free_form(seed: int, share: float = 1.0) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    none = DigitalTwin(GEOMETRY).no_free_form()
    sizes = {"phase_map_rad": 0.15, "stray_percent": 2.0}
    return {
        n: share * sizes[n] * torch.randn(value.shape, generator=rng) for n, value in none.items()
    }


def patterns(seed: int, count: int = 4) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    inputs = 3.0 * torch.rand(count, 24, 24, generator=rng)
    return inputs, 3.0 + torch.rand(2, 24, 24, generator=rng)


def blurred_twin(samples: int = 1) -> DigitalTwin:
    twin = DigitalTwin(GEOMETRY)
    values = {"crosstalk_px": torch.tensor(0.3), "stroke_percent": torch.ones(3, 3)}
    twin.load_alignment(twin.state_dict() | values)
    return twin if samples == 1 else twin.finer(samples)


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("refining", [False, True])
def test_a_part_of_zeros_changes_no_bit(samples: int, refining: bool) -> None:
    twin = blurred_twin(samples)
    twin.refining(refining)
    without = twin(*patterns(0)).detach()
    twin.set_free_form(twin.no_free_form())
    assert torch.equal(twin(*patterns(0)).detach(), without)


def test_both_paths_give_the_same_light_and_gradients() -> None:
    weight = torch.rand(4, 24, 24, generator=torch.Generator().manual_seed(1))
    results = []
    for plain in (False, True):
        twin = blurred_twin()
        twin.refining(plain)
        leaves = {name: value.requires_grad_() for name, value in some_free_form(2).items()}
        twin.set_free_form(leaves)
        intensity = twin(*patterns(3))
        slopes = torch.autograd.grad((intensity * weight).sum(), list(leaves.values()))
        results.append((intensity.detach(), *slopes))
    for fast, slow in zip(*results, strict=True):
        assert float((fast - slow).norm()) < 1e-4 * float(slow.norm())
        assert float(slow.norm()) > 0.0


def test_gradcheck_of_the_stray_field_in_double_precision() -> None:
    rng = torch.Generator().manual_seed(0)
    kind = torch.complex128
    transfer = transfer_function((12, 12), 9.2e-6, 850e-9, 1e-3).to(kind)
    first, stray = (torch.randn(2, 6, 6, dtype=kind, generator=rng) for _ in range(2))
    planes = torch.randn(2, 6, 6, dtype=kind, generator=rng)

    def fast(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        result: Tensor = FixedCavity.apply(a, b, transfer, transfer, c)  # type: ignore[no-untyped-call]
        return result

    leaves = (part.requires_grad_() for part in (first, planes, stray[0].clone()))
    assert torch.autograd.gradcheck(fast, tuple(leaves))


def test_stray_light_alone_is_the_square_of_its_field() -> None:
    twin = DigitalTwin(GEOMETRY)
    dark = {"source_centre_px": torch.tensor([1e4, 0.0])}
    twin.load_alignment(twin.state_dict() | dark)
    part = some_free_form(4)
    twin.set_free_form(part)
    field = stray_field(part["stray_percent"], (24, 24))
    torch.testing.assert_close(twin(*patterns(0, 1))[0], field.abs().square())


def test_the_map_is_a_phase_on_each_pixel() -> None:
    with_map, without = DigitalTwin(GEOMETRY), DigitalTwin(GEOMETRY)
    phase_map = some_free_form(5, 0.1)["phase_map_rad"]
    with_map.set_free_form({"phase_map_rad": phase_map})
    inputs, layers = patterns(6)
    torch.testing.assert_close(
        with_map(inputs, layers), without(inputs + phase_map[0], layers + phase_map[1:])
    )


def test_it_is_stored_and_restored_with_the_parameters() -> None:
    twin, other = blurred_twin(), DigitalTwin(GEOMETRY)
    assert set(twin.state_dict()) == {name for name, _ in twin.named_parameters()}
    part = some_free_form(7)
    twin.set_free_form(part)
    other.load_alignment(twin.state_dict())
    assert torch.equal(other(*patterns(0)), twin(*patterns(0)))
    assert torch.equal(other.finer(2).free_form["phase_map_rad"], part["phase_map_rad"])
    load_parameter_vector(other, parameter_vector(other))
    assert set(other.free_form) == set(part)
    other.load_alignment(blurred_twin().state_dict())
    assert not other.free_form, "values of a calibration have none"
    with pytest.raises(ValueError, match="phase_map_rad is of shape"):
        other.set_free_form({"phase_map_rad": torch.zeros(2, 24, 24)})


def test_runs_record_its_size_under_names_with_labels() -> None:
    twin = DigitalTwin(GEOMETRY)
    before = set(twin.alignment())
    part = some_free_form(8)
    twin.set_free_form(part)
    found = twin.alignment()
    assert set(found) - before == {"phase_map_rms_rad", "stray_rms_percent"}
    rms = float(part["phase_map_rad"].square().mean().sqrt())
    assert found["phase_map_rms_rad"] == pytest.approx(rms, rel=1e-5)
    assert recorded_label("phase_map_rms_rad") == "phase map rms"
    assert recorded_label("stray_rms_percent") == "stray light rms"
    assert recorded_unit("stray_rms_percent") == "%"
    assert {record.name for record in FREE_FORM_PARAMETERS} == set(part)


def measured(twin: DigitalTwin, seed: int, noise: float) -> Triples:
    """Return what a bench answers; noise: share of the light's rms."""
    inputs, layers = patterns(seed, 8)
    with torch.no_grad():
        light = twin(inputs, layers)
    rng = torch.Generator().manual_seed(1000 + seed)
    spread = noise * light.std() * torch.randn(light.shape, generator=rng)
    return Triples(inputs, layers[None], light + spread)


def test_a_hidden_part_is_found_and_explains_frames_that_were_not_fitted() -> None:
    bench, twin = DigitalTwin(GEOMETRY), DigitalTwin(GEOMETRY)
    truth = some_free_form(9)
    bench.set_free_form(truth)
    fit = FreeFormFit(twin, 400)
    for seed in range(40):
        fit.add(measured(bench, seed, 0.1))
        fit.improve(5)
    hidden, found = truth["phase_map_rad"], fit.values["phase_map_rad"]
    # A phase that all pixels of a patch have in common is in no frame.
    missed = found - hidden
    missed = missed - missed.mean((1, 2), keepdim=True)
    assert float(missed.norm()) < 0.2 * float(hidden.norm())
    held_out = measured(bench, 99, 0.0)
    assert fit.missed(held_out, True) < 0.02 * fit.missed(held_out, False)
    assert not twin.free_form, "the twin itself is left as it was"


def test_without_light_that_tells_of_it_the_prior_keeps_it_at_zero() -> None:
    twin = DigitalTwin(GEOMETRY)
    fit = FreeFormFit(twin, 64)
    for seed in range(4):
        fit.add(measured(twin, seed, 0.0))
        fit.improve(5)
    assert float(fit.values["phase_map_rad"].abs().max()) < 1e-2


def test_a_resumed_fit_goes_on_bit_for_bit() -> None:
    bench, twin = DigitalTwin(GEOMETRY), DigitalTwin(GEOMETRY)
    bench.set_free_form(some_free_form(10))
    through, before = FreeFormFit(twin, 16), FreeFormFit(twin, 16)
    for fit in (through, before):
        for seed in range(3):
            fit.add(measured(bench, seed, 0.1))
            fit.improve(2)
    assert before.frames == 16, "the latest two batches"
    after = FreeFormFit(twin, 16)
    after.load_state(before.state())
    for fit in (through, after):
        fit.add(measured(bench, 3, 0.1))
        fit.improve(3)
    for name, value in through.values.items():
        assert torch.equal(value, after.values[name]), name
