"""The light beside the fit: lamps, power and gain leave traces that normalised frames do not show."""

from __future__ import annotations

import pytest
import torch

from calibration.result import Verdict
from labdiff.bench.open import open_bench
from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.light_check import LightCheck, light_of
from labdiff.config.bench import parse_bench
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench
from mock_hardware.lamp import Lamp
from tests.support.mock_bench import laboratory_of
from tests.unit.labdiff.training.test_resume import BENCH
from twin.alignment_fit import Triples
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.probes import smooth_phases

TWIN = DigitalTwin(TwinGeometry((40, 40), 2, 9.2e-6, 850e-9, 2e-3, 0.25e-3, "slm_patch"))
FRAMES = 8


def frames(scale: torch.Tensor, offset: float) -> Triples:
    patterns = smooth_phases(3 * FRAMES, (40, 40), 2.0, 1).view(FRAMES, 3, 40, 40)
    with torch.no_grad():
        light = TWIN(patterns[:, 0], patterns[:, 1:])
    return Triples(patterns[:, 0], patterns[:, 1:], scale[:, None, None] * light + offset)


def verdict(scale: torch.Tensor, offset: float = 0.0) -> Verdict:
    return light_of(TWIN, frames(scale, offset)).verdict()


def test_light_of_another_strength_is_nothing_wrong() -> None:
    assert verdict(torch.full((FRAMES,), 0.7)).level == "pass"


def test_a_lamp_is_an_offset() -> None:
    found = verdict(torch.ones(FRAMES), 0.3)
    assert found.level == "fail"
    assert "ambient light" in found.reason


def test_a_power_that_is_not_steady_is_a_scatter_of_the_scale() -> None:
    found = verdict(1.0 + 0.1 * torch.randn(FRAMES, generator=torch.Generator().manual_seed(4)))
    assert found.level == "fail"
    assert "the laser's power is not steady" in found.reason


def test_automatic_gain_follows_the_brightness() -> None:
    bright = torch.quantile(frames(torch.ones(FRAMES), 0.0).intensity.flatten(1), 0.99, dim=1)
    found = verdict((bright / bright.mean()) ** -0.5)
    assert found.level == "fail"
    assert "gain" in found.reason


def test_frames_in_the_dark_tell_a_lamp_that_was_switched_on() -> None:
    config = parse_bench(BENCH, "small")
    calibrated = CalibratedBench(config, open_bench(config, 0))
    with calibrated.bench as bench:
        run(measure_routines(calibrated, ("dark level",)))
        check = LightCheck(calibrated)
        assert abs(run(check.dark_change())) < 1e-3
        bench.camera.exposure_ms *= 0.7
        laboratory_of(bench).world.lamp = Lamp(0.03)
        expected = 0.03 * bench.camera.exposure_ms / 2.0
        assert run(check.dark_change()) == pytest.approx(expected, rel=0.05)
        assert bench.laser.emission
