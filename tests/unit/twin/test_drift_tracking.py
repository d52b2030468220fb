"""Drift is followed from frames of unchanged patterns."""

from __future__ import annotations

import torch

from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.drift_tracking import track_drift
from twin.probes import smooth_phases

GEOMETRY = TwinGeometry((60, 60), 3, 9.2e-6, 850e-9, 5.7e-3, 0.4e-3, "slm_patch")


def twin_at(beam_mrad: list[float], mirror_mrad: list[float]) -> DigitalTwin:
    twin = DigitalTwin(GEOMETRY)
    values = twin.state_dict()
    values["d_alpha_beam_mrad"] = torch.tensor(beam_mrad)
    values["d_alpha_mirror_mrad"] = torch.tensor(mirror_mrad)
    values["bounce_tilt_mrad"] = 0.1 * torch.ones(3, 2)
    twin.load_alignment(values)
    return twin


def test_one_fit_finds_the_drift_to_a_few_microradians() -> None:
    inputs = smooth_phases(4, (60, 60), 1.5, 1)
    layers = smooth_phases(3, (60, 60), 1.5, 2)
    bench = twin_at([0.32, -0.18], [0.52, 0.29])
    noise = 0.02 * torch.randn(4, 60, 60, generator=torch.Generator().manual_seed(0))
    measured = 1.7 * bench(inputs, layers) * (1.0 + noise) + 0.01
    twin = twin_at([0.3, -0.2], [0.5, 0.3])
    for _ in range(2):
        track_drift(twin, inputs, layers, measured)
    error = torch.cat(
        [
            twin.d_alpha_beam_mrad - bench.d_alpha_beam_mrad,
            twin.d_alpha_mirror_mrad - bench.d_alpha_mirror_mrad,
        ]
    )
    assert float(error.abs().max()) < 4e-3
    assert torch.equal(twin.bounce_tilt_mrad, bench.bounce_tilt_mrad)


def test_a_fit_without_drift_changes_next_to_nothing() -> None:
    inputs, layers = smooth_phases(2, (60, 60), 1.5, 1), smooth_phases(3, (60, 60), 1.5, 2)
    twin = twin_at([0.3, -0.2], [0.5, 0.3])
    change = track_drift(twin, inputs, layers, twin(inputs, layers))
    assert float(change.abs().max()) < 1e-4
