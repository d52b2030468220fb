"""Coarse settling against the mock crystal's settings, of a panel that is declared to be faster."""

from __future__ import annotations

import math

import numpy as np
import pytest

from calibration import coarse_settling
from calibration.coarse_settling import CoarseSettling, measure_coarse_settling
from calibration.layout import PatchLayout
from calibration.observed_slm import ObservedSLM
from calibration.relaxation import fit_relaxation
from calibration.watched_steps import WatchedStep
from drivers.slm.corrected import CorrectedSlm
from drivers.slm.panel_options import PanelOptions
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings, MockSlmSettings

LEFTS = (8, 64, 120)
LAYOUT = PatchLayout((64, 220), (48, 48), 8, LEFTS, 9.2, 850.0, 11.4)
GEOMETRY = MockGeometry(
    850.0, 9.2, (64, 220), (48, 48), 8, LEFTS, 5.7, 0.3, "slm_patch", (96, 96), 3.45, 12, 0.6
)
DECLARED = PanelOptions(crystal_ms=37.0)


def laboratory(
    slm: dict[str, float], lit: bool = True, script: tuple[str, ...] = ()
) -> MockLaboratory:
    settings = MockSettings(slm=MockSlmSettings(**slm))
    faults = settings.faults.model_copy(update={"script": script})
    lab = MockLaboratory.create(GEOMETRY, settings.model_copy(update={"faults": faults}), 3)
    lab.laser.emission = lit
    lab.world.clock.sleep_s(lab.laser.timing.total_ms / 1e3)
    lab.camera.exposure_ms = 2.0
    return lab


def found(lab: MockLaboratory) -> CoarseSettling:
    slm = CorrectedSlm(lab.slm, DECLARED, 850.0)

    def settle() -> None:
        lab.world.clock.sleep_s(slm.timing.total_ms * 1e-3)

    observed = ObservedSLM(slm, lab.camera, lab.world.truth.pedestal_counts, settle)
    routine = measure_coarse_settling(observed, LAYOUT, lab.world.clock)
    while True:
        try:
            step = next(routine)
            assert step.routine == "coarse settling"
            assert 0 <= step.index < step.total
        except StopIteration as stop:
            result: CoarseSettling = stop.value
            return result


def true_settle_ms(slm: MockSlmSettings) -> float:
    """Return the worst wait, the scan to the patches' last row, and 1 % of a vanishing step left."""
    last_row = (LAYOUT.top + LAYOUT.patch_shape[0] - 1) / LAYOUT.panel_shape[0]
    tau_ms = max(slm.rise_ms, slm.fall_ms) / math.log(9.0) * (1.0 + slm.small_step_slowdown)
    return 1e3 / slm.refresh_hz + last_row * slm.scan_ms + math.log(100.0) * tau_ms


@pytest.mark.parametrize("ten_ninety_ms", [1.0, 7.0])
def test_a_panel_as_fast_as_declared_costs_few_frames_and_keeps_its_time(
    ten_ninety_ms: float,
) -> None:
    lab = laboratory({"rise_ms": ten_ninety_ms, "fall_ms": ten_ninety_ms})
    settling = found(lab)
    assert settling.verdict.level == "pass"
    assert not settling.slower
    assert settling.wait_ms == settling.declared_ms == pytest.approx(37.0 + 1e3 / 60.0)
    assert lab.camera.requests <= 14
    assert lab.camera.exposure_ms == 2.0


@pytest.mark.parametrize(("rise_ms", "fall_ms"), [(60.0, 80.0), (500.0, 500.0), (900.0, 300.0)])
def test_a_panel_slower_than_declared_is_measured_without_a_phase_response(
    rise_ms: float, fall_ms: float
) -> None:
    lab = laboratory({"rise_ms": rise_ms, "fall_ms": fall_ms})
    settling = found(lab)
    assert settling.verdict.level == "warn"
    assert settling.slower
    true_ms = true_settle_ms(lab.world.settings.slm)
    assert settling.settle_ms == pytest.approx(true_ms, rel=0.1)
    assert settling.wait_ms > true_ms
    assert "declared are 54 ms" in settling.verdict.reason
    assert (
        f"slm.options.crystal_ms = {settling.wait_ms - 1e3 / 60.0:.0f}" in settling.verdict.remedy
    )


@pytest.mark.parametrize("mistake", ["dark", "frozen"])
def test_light_that_does_not_follow_patterns_fails_and_names_causes(mistake: str) -> None:
    script = ("slm_frozen@1-",) if mistake == "frozen" else ()
    lab = laboratory({}, lit=mistake != "dark", script=script)
    settling = found(lab)
    assert settling.verdict.level == "fail"
    assert "does not change with the pattern" in settling.verdict.reason
    assert "Is the SLM frozen" in settling.verdict.remedy
    assert "Is the laser on" in settling.verdict.remedy
    assert math.isnan(settling.settle_ms)
    assert lab.camera.exposure_ms == 2.0


def test_light_that_never_comes_to_rest_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coarse_settling, "LONGEST_MS", 1000.0)
    settling = found(laboratory({"rise_ms": 1000.0, "fall_ms": 1000.0}))
    assert settling.verdict.level == "fail"
    assert "has not settled 1 s after a new pattern" in settling.verdict.reason


def test_a_relaxation_is_found_in_frames_that_are_no_straight_line_of_the_phase() -> None:
    rng = np.random.default_rng(7)
    end, first, second = rng.normal(size=(3, 500))
    after_ms = np.linspace(5.0, 400.0, 11)
    left = np.exp(-np.maximum(after_ms - 12.0, 0.0) / 40.0)[:, None]
    frames = np.concatenate(
        [(end + first + 0.4 * second)[None], end + first * left + 0.4 * second * left**2]
    )
    frames += 1e-3 * rng.normal(size=frames.shape)
    step = WatchedStep(after_ms, frames, end + 1e-3 * rng.normal(size=500))
    fit = fit_relaxation(step, 70.0, 50.0)
    assert fit.tau_ms == pytest.approx(40.0, rel=0.01)
    assert fit.begins_ms == pytest.approx(12.0, abs=1.0)
