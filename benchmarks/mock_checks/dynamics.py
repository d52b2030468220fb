"""What the light does in time, against the times that the dials configure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from benchmarks.claims import claim
from benchmarks.mock_checks.benches import SMALL, block_phases, lit, nrmse, panel_of
from benchmarks.parts import Outcome, Setting
from calibration.dark import DarkLevel
from calibration.layout import PatchLayout
from calibration.registration import Registration
from calibration.resample import Rectifier
from calibration.result import Verdict
from labdiff.bench.bench import Bench
from labdiff.bench.devices import BenchDevices
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings

Image = npt.NDArray[np.float32]
STEPS_RAD = (0.6 * np.pi, 1.2 * np.pi, 1.9 * np.pi)
FLASH_S = 1e-7
"""An exposure so short that light stands still in it."""


def _quiet(**slm: float) -> MockSettings:
    """Return settings with all effects off and features of the SLM as given."""
    dials = MockSettings().off()
    return dials.model_copy(update={"slm": dials.slm.model_copy(update=slm)})


def _flash(lab: MockLaboratory, at_s: float) -> Image:
    """Return the noiseless image of one moment."""
    lab.world.clock.sleep_s(at_s - lab.world.clock.now_s())
    light, _ = lab.world.expose(
        lab.camera.roi, lab.world.clock.now_s(), FLASH_S, 0.0, lab.camera.requests
    )
    return light()


def response_error(step_rad: float, upwards: bool, moments: int = 240, levels: int = 61) -> float:
    """Return the relative error of the 10-90 % time of a phase step, seen by light alone.

    Half of a chequerboard steps. The frames of settled steps of known size are a scale on which the
    frame of any moment is read: the phase whose frame is nearest to it. moments: of the transition; levels:
    of the scale.
    """
    lab = lit(SMALL, _quiet(scan_ms=0.0))
    mask = (np.indices(SMALL.patch_shape) // 6).sum(0) % 2 == 0
    chequer = np.broadcast_to(mask, (3, *SMALL.patch_shape))
    settle_s = lab.slm.timing.total_ms * 1e-3

    def shown(phase_rad: float) -> None:
        lab.slm.set_phase(panel_of(SMALL, chequer * np.float32(phase_rad)))

    scale_rad = np.linspace(0.0, step_rad, levels)
    scale = []
    for phase in scale_rad:
        shown(phase)
        lab.world.clock.sleep_s(settle_s)
        scale.append(_flash(lab, lab.world.clock.now_s()).ravel())
    known = np.stack(scale)
    start, end = (0.0, step_rad) if upwards else (step_rad, 0.0)
    shown(start)
    lab.world.clock.sleep_s(settle_s)
    begun_s = lab.world.clock.now_s()
    shown(end)
    refresh_s = np.ceil(begun_s * 60.0 - 1e-9) / 60.0
    times_s = refresh_s + np.linspace(0.0, 18e-3, moments)
    seen = []
    for time_s in times_s:
        distance = np.linalg.norm(known - _flash(lab, time_s).ravel(), axis=1) ** 2
        best = int(np.clip(distance.argmin(), 1, len(distance) - 2))
        left, middle, right = distance[best - 1 : best + 2]
        bend = left - 2.0 * middle + right
        off = 0.5 * (left - right) / bend if bend > 0.0 else 0.0
        seen.append((scale_rad[1] - scale_rad[0]) * (best + np.clip(off, -1.0, 1.0)))
    done = np.array(seen) / step_rad if upwards else 1.0 - np.array(seen) / step_rad
    rising = np.maximum.accumulate(done) + 1e-12 * np.arange(len(done))
    ten_s, ninety_s = np.interp([0.1, 0.9], rising, times_s)
    slm = lab.world.settings.slm
    small = 1.0 - step_rad / (2.0 * np.pi)
    configured_ms = slm.rise_ms if upwards else slm.fall_ms
    configured_ms *= 1.0 + slm.small_step_slowdown * small
    return float(abs((ninety_s - ten_s) * 1e3 / configured_ms - 1.0))


def _first_change(
    lab: MockLaboratory, changed: Callable[[float], bool], low: float, high: float
) -> float:
    """Return by bisection the first moment at which `changed` is true; it stays true from then on.

    Only a simulation can be asked for a moment of the past: its devices remember their last change.
    """
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if changed(middle) else (middle, high)
    return high


def refresh_error(count: int) -> float:
    """Return the worst error of the moment at which light begins to change, in refresh periods."""
    lab = lit(SMALL, _quiet(scan_ms=0.0, rise_ms=0.5, fall_ms=0.5))
    rng = np.random.default_rng(3)
    period_s = 1.0 / lab.world.settings.slm.refresh_hz
    worst = 0.0
    for number in range(count):
        lab.world.clock.sleep_s(0.1 + rng.uniform(0.0, period_s))
        asked_s = lab.world.clock.now_s()
        lab.slm.set_phase(panel_of(SMALL, block_phases(3, SMALL.patch_shape, 6, seed=number)))
        before = lab.world.expose(lab.camera.roi, asked_s, FLASH_S, 0.0, lab.camera.requests)[0]()
        found_s = asked_s
        for step in range(1, 401):
            lab.world.clock.sleep_s(asked_s + step * period_s / 200 - lab.world.clock.now_s())
            now_s = lab.world.clock.now_s()
            now = lab.world.expose(lab.camera.roi, now_s, FLASH_S, 0.0, lab.camera.requests)[0]()
            if nrmse(now, before) > 1e-6:
                found_s = lab.world.clock.now_s() - 0.5 * period_s / 200
                break
        expected_s = np.ceil(asked_s / period_s) * period_s
        worst = max(worst, abs(found_s - expected_s) / period_s)
    return float(worst)


def dmd_and_trigger_errors() -> tuple[float, float, float]:
    """Return relative errors of the DMD's load time and mirrors' motion, and of the trigger delay."""
    geometry = dataclasses.replace(SMALL, input_kind="dmd")
    lab = lit(geometry, _quiet())
    assert lab.dmd is not None
    lab.dmd.show(np.ones(geometry.patch_shape, np.float32))
    lab.world.clock.sleep_s(1.0)
    asked_s = lab.world.clock.now_s()
    lab.dmd.show(np.full(geometry.patch_shape, 0.5, np.float32))

    def light(at_s: float) -> float:
        return float(
            lab.world.expose(lab.camera.roi, at_s, 1e-9, 0.0, lab.camera.requests)[0]().sum()
        )

    dark_s = _first_change(lab, lambda t: light(t) == 0.0, asked_s, asked_s + 47e-6)
    lit_s = _first_change(lab, lambda t: light(t) > 0.0, asked_s + 47e-6, asked_s + 100e-6)
    dmd = lab.world.settings.dmd
    load = abs((dark_s - asked_s) * 1e6 / dmd.load_us - 1.0)
    mirrors = abs((lit_s - dark_s) * 1e6 / dmd.mirror_us - 1.0)
    lab.world.clock.sleep_s(1.0)
    called_s = lab.world.clock.now_s()
    delay_us = (lab.camera.get_frame().timestamp_s - called_s) * 1e6
    return load, mirrors, abs(delay_us / lab.world.settings.camera.trigger_us - 1.0)


def careless_and_careful(reads: int, patterns: int) -> tuple[float, float, float]:
    """Return the least NRMSE of a read without waiting, the worst through the bench, and wrong reads.

    Random patterns in random order, with random pauses, against frames that settled for a second.
    """
    lab = lit(SMALL, _quiet())
    layout = PatchLayout(
        SMALL.panel_shape, SMALL.patch_shape, SMALL.patch_top, SMALL.patch_lefts, 9.2, 850.0, 11.4
    )
    devices = BenchDevices(
        lab.slm, lab.camera, lab.laser, lab.world.clock, frames_name_patterns=True
    )
    bench = Bench(layout, devices)
    fine = Verdict("pass", "as the truth has it")
    bench.dark = DarkLevel(0.0, 0.0, 0.0, fine)
    bench.registration = Registration(
        lab.world.truth.camera_matrix, lab.world.truth.camera_offset_px, 0.0, 0.0, fine
    )
    bench.rectifier = Rectifier(bench.registration, lab.camera.roi, SMALL.patch_shape)
    layers = block_phases(2, SMALL.patch_shape, 6, seed=99)
    inputs = block_phases(patterns, SMALL.patch_shape, 6, seed=1)
    panels = [panel_of(SMALL, np.concatenate([field[None], layers])) for field in inputs]
    settled = []
    for panel in panels:
        lab.slm.set_phase(panel)
        lab.world.clock.sleep_s(1.0)
        settled.append(lab.camera.get_frame().pixels)
    truth = bench.rectifier(np.stack(settled).astype(np.float32)) / lab.camera.exposure_ms
    careless = []
    rng = np.random.default_rng(4)
    for number in rng.permutation(len(panels)):
        lab.slm.set_phase(panels[number])
        careless.append(nrmse(lab.camera.get_frame().pixels, settled[number]))
        lab.world.clock.sleep_s(1.0)
    worst, wrong = 0.0, 0
    for _ in range(reads):
        number = int(rng.integers(len(panels)))
        lab.world.clock.sleep_s(rng.uniform(0.0, 0.04))
        answer = bench.measure(inputs[number : number + 1], layers).intensity[0]
        error = nrmse(answer, truth[number])
        worst, wrong = max(worst, error), wrong + (error > 1e-6)
    return min(careless), worst, float(wrong)


def measure(setting: Setting) -> Outcome:
    """Measure when the light changes after each device's command."""
    middle = STEPS_RAD[1:2]
    steps = setting.amount("phase steps, rad", smoke=middle, quick=middle, full=STEPS_RAD)
    sampled = setting.amount(
        "moments and levels of a transition", smoke=(48, 13), quick=(240, 61), full=(240, 61)
    )
    rise = max(response_error(step, True, *sampled) for step in steps)
    fall = max(response_error(step, False, *sampled) for step in steps)
    load, mirrors, trigger = dmd_and_trigger_errors()
    refreshes = setting.amount("changes against the refresh", smoke=1, quick=5, full=20)
    refresh = refresh_error(refreshes)
    reads = setting.amount("reads", smoke=10, quick=500, full=10_000)
    careless, careful, wrong = careless_and_careful(reads, 4 if setting.smoke else 24)
    claims = [
        claim(f"10-90 % rise of {len(steps)} phase steps, relative error", rise, "<= 0.02"),
        claim(f"10-90 % fall of {len(steps)} phase steps, relative error", fall, "<= 0.02"),
        claim("refresh phase, error in periods", refresh, "<= 0.02"),
        claim("DMD load, relative error", load, "<= 0.02"),
        claim("DMD mirror motion, relative error", mirrors, "<= 0.02"),
        claim("camera trigger delay, relative error", trigger, "<= 0.02"),
        claim("read without waiting: least NRMSE against the settled frame", careless, ">= 0.05"),
        claim(f"{reads} reads through the bench: worst NRMSE", careful, "<= 1e-6"),
        claim(f"{reads} reads through the bench: wrong ones", wrong, "<= 0"),
    ]
    return Outcome(claims)
