"""Settling against the mock crystal's settings."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.layout import PatchLayout
from calibration.observed_slm import ObservedSLM
from calibration.settling import SettlingFound, measure_settling
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings, MockSlmSettings
from tests.support.mock_bench import settle

LEFTS = (8, 64, 120)
LAYOUT = PatchLayout((64, 220), (48, 48), 8, LEFTS, 9.2, 850.0, 11.4)
GEOMETRY = MockGeometry(
    850.0, 9.2, (64, 220), (48, 48), 8, LEFTS, 5.7, 0.3, "slm_patch", (96, 96), 3.45, 12, 0.6
)


def laboratory(
    settings: MockSettings | None = None, seed: int = 0, lit: bool = True
) -> MockLaboratory:
    lab = MockLaboratory.create(GEOMETRY, settings, seed)
    lab.laser.emission = lit
    lab.world.clock.sleep_s(lab.laser.timing.total_ms / 1e3)
    lab.camera.exposure_ms = 2.0
    return lab


def found(lab: MockLaboratory, known: bool = True, cycles: int = 4) -> SettlingFound:
    response = lab.world.truth.phase_by_grey_rad * lab.world.truth.stroke_map[-1].mean()
    routine = measure_settling(
        ObservedSLM(lab.slm, lab.camera, lab.world.truth.pedestal_counts, settle(lab)),
        LAYOUT,
        lab.world.clock,
        response if known else None,
        cycles=cycles,
    )
    while True:
        try:
            step = next(routine)
            assert step.routine == "settling"
            assert 0 <= step.index < step.total
        except StopIteration as stop:
            result: SettlingFound = stop.value
            return result


def true_settle_ms(settings: MockSlmSettings) -> float:
    """Worst wait, scan to the patches' last row, and 1 % of a vanishing step left."""
    last_row = (LAYOUT.top + LAYOUT.patch_shape[0] - 1) / LAYOUT.panel_shape[0]
    tau = (
        max(settings.rise_ms, settings.fall_ms) / np.log(9.0) * (1.0 + settings.small_step_slowdown)
    )
    return float(1e3 / settings.refresh_hz + last_row * settings.scan_ms + np.log(100.0) * tau)


@pytest.mark.parametrize(
    ("seed", "changed"),
    [(0, {}), (1, {"rise_ms": 8.0, "fall_ms": 3.0, "refresh_hz": 422.0, "scan_ms": 1.5})],
)
def test_rise_fall_and_settling_are_the_settings(seed: int, changed: dict[str, float]) -> None:
    slm = MockSlmSettings().model_copy(update=changed)
    lab = laboratory(MockSettings().model_copy(update={"slm": slm}), seed)
    settling = found(lab)
    assert settling.verdict.level == "pass", settling.verdict.reason
    assert settling.rise_ms == pytest.approx(slm.rise_ms, rel=0.05)
    assert settling.fall_ms == pytest.approx(slm.fall_ms, rel=0.05)
    assert settling.settle_ms == pytest.approx(true_settle_ms(slm), rel=0.05)
    assert settling.refresh_period_ms == pytest.approx(1e3 / slm.refresh_hz, rel=1e-3)
    assert settling.latency_ms == pytest.approx(1e3 / slm.refresh_hz, abs=1.0)
    assert settling.scan_ms == pytest.approx(slm.scan_ms, rel=0.05)
    assert abs(settling.rise_ms - slm.rise_ms) < 4.0 * settling.rise_sigma_ms
    assert abs(settling.fall_ms - slm.fall_ms) < 4.0 * settling.fall_sigma_ms
    assert abs(settling.settle_ms - true_settle_ms(slm)) < 4.0 * settling.settle_sigma_ms
    assert settling.held_out < 0.1
    assert lab.camera.exposure_ms == 2.0
    # Longer waits leave less, by the slowest time constant.
    tau_ms = settling.slowest_tau_ms
    more_ms = settling.wait_ms(1e-4) - settling.wait_ms(1e-3)
    assert more_ms == pytest.approx(tau_ms * np.log(10.0))


def test_a_panel_that_waits_for_no_refresh_has_no_latency() -> None:
    slm = MockSlmSettings(refresh_hz=1e5, scan_ms=3.0)
    settling = found(laboratory(MockSettings(slm=slm)), cycles=2)
    assert settling.refresh_period_ms == 0.0
    assert settling.latency_ms == pytest.approx(0.0, abs=0.3)
    assert settling.settle_ms == pytest.approx(true_settle_ms(slm), rel=0.05)


def test_without_a_phase_response_the_frames_tell_phases_well_enough() -> None:
    settling = found(laboratory(), known=False, cycles=2)
    assert settling.rise_ms == pytest.approx(4.0, rel=0.1)
    assert settling.fall_ms == pytest.approx(7.0, rel=0.1)


def test_a_driver_that_declares_too_little_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    from drivers.types import Timing
    from mock_hardware.slm import MockSLM

    lab = laboratory()
    monkeypatch.setattr(MockSLM, "timing", property(lambda self: Timing(5.0, 15.0)))
    settling = found(lab, cycles=2)
    assert settling.verdict.level == "warn"
    assert "waited for 20.0 ms" in settling.verdict.reason
    assert f"wait for {settling.settle_ms:.0f} ms" in settling.verdict.remedy
    assert settling.settle_ms == pytest.approx(true_settle_ms(lab.world.settings.slm), rel=0.05)


@pytest.mark.parametrize("mistake", ["dark", "frozen"])
def test_light_that_does_not_change_fails_and_says_what_to_do(mistake: str) -> None:
    settings = MockSettings()
    if mistake == "frozen":
        script = settings.faults.model_copy(update={"script": ("slm_frozen@1-",)})
        settings = settings.model_copy(update={"faults": script})
    lab = laboratory(settings, lit=mistake != "dark")
    settling = found(lab)
    assert settling.verdict.level == "fail"
    assert "hardly changes" in settling.verdict.reason
    assert "laser" in settling.verdict.remedy
    assert np.isnan(settling.settle_ms)
    assert lab.camera.exposure_ms == 2.0
