"""The twin that is looked at with every batch."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from labdiff.training.change_detector import ChangeDetector
from labdiff.training.twin_refinement import RefinementResult, TwinRefiner
from labdiff.training.twin_window import TwinWindow
from twin.alignment_fit import normalised
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.drift_tracking import TRACKED
from twin.parameter_vector import parameter_vector

GEOMETRY = TwinGeometry(
    (24, 24), 2, 9.2e-6, 850e-9, 1e-3, 0.2e-3, "slm_patch", numerical_aperture=0.03
)
TRUE_MRAD = torch.tensor([0.3, -0.2])
NO_NOISE = torch.zeros(4)


def true_twin() -> DigitalTwin:
    twin = DigitalTwin(GEOMETRY).finer(2)
    twin.load_alignment(twin.state_dict() | {"d_alpha_mirror_mrad": TRUE_MRAD})
    return twin


def frames(seed: int, noise: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs, layers and what a bench with a tilted mirror answers; noise: share of the light's rms."""
    rng = torch.Generator().manual_seed(seed)
    inputs = 2.0 * torch.rand(4, 24, 24, generator=rng)
    layers = 2.0 * torch.rand(2, 24, 24, generator=rng)
    with torch.no_grad():
        light = true_twin()(inputs, layers)
    return inputs, layers, light + noise * light.std() * torch.randn(light.shape, generator=rng)


def followed(
    looks: int, noise: float, floor: Tensor
) -> tuple[DigitalTwin, TwinRefiner, list[RefinementResult]]:
    twin = DigitalTwin(GEOMETRY)
    # Only the angles are unknown: 24 x 24 pixels do not tell a hundred parameters apart.
    free = torch.cat(
        [
            torch.full((p.numel(),), 0.3 * (n.startswith("d_alpha")))
            for n, p in twin.named_parameters()
        ]
    )
    refinement = TwinRefiner(twin, torch.diag(free.double().square()))
    found = [refinement.refine(*frames(i, noise), floor, 10.0 * i) for i in range(looks)]
    return twin, refinement, found


def test_finds_what_turned_and_says_how_well() -> None:
    twin, refinement, _ = followed(6, 0.03, NO_NOISE)
    found, deviation = twin.alignment(), refinement.deviation()
    for axis, true in zip("xy", TRUE_MRAD.tolist(), strict=True):
        name = f"d_alpha_mirror_{axis}_mrad"
        assert found[name] == pytest.approx(true, abs=0.02)
        assert abs(found[name] - true) < 3.0 * deviation[name]
    assert not any(p.requires_grad for p in twin.parameters())


def test_refines_while_the_discrepancy_says_so_and_stops_at_the_noise() -> None:
    # What noise of 10 % makes of normalised images: D = 1 - 1 / sqrt(1 + 0.1^2).
    floor = torch.full((4,), 1.0 - 1.01**-0.5)
    _, _, looks = followed(12, 0.1, floor)
    assert looks[0].refined
    assert looks[0].discrepancy > 2.0 * float(floor[0])
    assert sum(look.refined for look in looks[6:]) <= 2
    assert looks[-1].discrepancy == pytest.approx(float(floor[0]), rel=0.2)
    unknown = followed(3, 0.1, torch.full((4,), math.nan))[2]
    assert all(look.refined for look in unknown)


def test_resumed_refinement_goes_on_bit_for_bit() -> None:
    straight, first, second = (DigitalTwin(GEOMETRY) for _ in range(3))
    through, before = TwinRefiner(straight), TwinRefiner(first)
    for step in range(3):
        for refinement in (through, before):
            refinement.refine(*frames(step), NO_NOISE, float(step))
    after = TwinRefiner(second)
    second.load_alignment(first.state_dict())
    after.load_state(before.state())
    for step in range(3, 6):
        looks = [r.refine(*frames(step), NO_NOISE, float(step)) for r in (through, after)]
        assert looks[0] == looks[1]
    assert torch.equal(parameter_vector(straight), parameter_vector(second))
    assert through.deviation() == after.deviation()


def test_what_does_not_drift_stays_as_it_was_calibrated() -> None:
    """Refine a calibrated twin by frames that it misses for another reason too."""
    twin = DigitalTwin(GEOMETRY)
    before = {name: value.clone() for name, value in twin.named_parameters()}
    covariance = torch.diag(torch.full((len(parameter_vector(twin)),), 0.1**2))
    free = frozenset(TRACKED)
    refiner = TwinRefiner(twin, covariance, free, window=TwinWindow(8, free=free))
    stated = refiner.deviation()
    for step in range(6):
        inputs, layers, light = frames(step)
        vignetted = light * torch.linspace(0.96, 1.04, 24)
        assert not refiner.wants_probes
        refiner.refine(inputs, layers, vignetted, NO_NOISE, 10.0 * step)
    moved = {
        name for name, value in twin.named_parameters() if not torch.equal(value, before[name])
    }
    assert moved == free
    assert twin.d_alpha_mirror_mrad.tolist() == pytest.approx(TRUE_MRAD.tolist(), abs=0.05)
    after = refiner.deviation()
    assert after["source_waist_percent"] == stated["source_waist_percent"] > 0.0
    assert after["d_alpha_mirror_x_mrad"] < stated["d_alpha_mirror_x_mrad"]


def test_deviations_carry_the_names_of_the_alignment() -> None:
    twin = DigitalTwin(GEOMETRY)
    twin.load_alignment({n: v + 0.3 for n, v in twin.state_dict().items()})
    count = len(parameter_vector(twin))
    root = 1e-3 * torch.randn(count, count, generator=torch.Generator().manual_seed(1)).double()
    covariance = root @ root.T
    stated = twin.alignment_deviation(covariance)
    assert list(stated) == list(twin.alignment())
    # Against finite differences of what is shown.
    theta, shown = parameter_vector(twin), twin.alignment()
    slopes = torch.zeros(len(shown), count)
    first = 0
    for name, parameter in twin.named_parameters():
        for index in range(parameter.numel()):
            moved = {n: v.clone() for n, v in twin.state_dict().items()}
            moved[name].view(-1)[index] += 1e-2
            other = DigitalTwin(GEOMETRY)
            other.load_alignment(moved)
            change = [
                b - a for a, b in zip(shown.values(), other.alignment().values(), strict=True)
            ]
            slopes[:, first + index] = torch.tensor(change) / 1e-2
        first += parameter.numel()
    assert first == len(theta)
    spread = (slopes.double() @ covariance @ slopes.double().T).diagonal().sqrt()
    for value, expected in zip(stated.values(), spread.tolist(), strict=True):
        assert value == pytest.approx(expected, rel=0.03)


def test_a_jump_is_a_change_point_the_second_time_and_drift_never() -> None:
    detector = ChangeDetector()
    rng = torch.Generator().manual_seed(0)
    drifting = 2e-3 * torch.exp(0.2 * torch.randn(400, generator=rng) + torch.linspace(0, 2, 400))
    assert {detector.check(float(d), 1.6e-3) for d in drifting} == {"expected"}
    assert detector.check(0.4, 1.6e-3, drift=0.05) == "expected"  # so long ago was the last look
    assert detector.check(0.4, 1.6e-3) == "suspicious"
    assert detector.check(0.016, 1.6e-3) == "expected"  # one frame that went wrong
    assert detector.check(0.4, 1.6e-3) == "suspicious"
    other = ChangeDetector()
    other.load_state(detector.state())
    assert detector.check(0.5, 1.6e-3) == other.check(0.5, 1.6e-3) == "change point"


def test_normalised_images_have_the_discrepancy_as_half_their_square() -> None:
    _, _, light = frames(0)
    first, second = normalised(light), normalised(light.flip(0))
    half = 0.5 * (first - second).square().sum((1, 2))
    assert torch.allclose(half, 1.0 - (first * second).sum((1, 2)), atol=1e-5)
