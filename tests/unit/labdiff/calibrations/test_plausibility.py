"""What a routine found has to be possible, whatever its own check says of it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from calibration.alignment_found import AlignmentFound
from calibration.camera import CameraFound
from calibration.dark import DarkLevel
from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from calibration.result import Verdict
from calibration.result_file import Result
from labdiff.calibrations.plausibility import with_plausibility
from labdiff.config.bench import load_bench

CONFIG = load_bench("mock")
PASS = Verdict("pass", "fine")
SCALE = 0.6 * 9.2 / 3.45


def dark(hot: int = 2, read_noise: float = 2.0) -> DarkLevel:
    places = np.stack(np.unravel_index(np.arange(hot), CONFIG.camera.shape), axis=1)
    return DarkLevel(80.0, 0.1, read_noise, PASS, places)


def registration(matrix: list[list[float]]) -> Registration:
    return Registration(np.array(matrix), np.zeros(2), 0.0, 0.1, PASS)


def camera(gain: float = 2.4, dead: int = 3) -> CameraFound:
    places = np.zeros((dead, 2), np.int64)
    return CameraFound(gain, 0.01, 2.0, 0.01, 4095.0, 1.0, 0.001, PASS, places)


def response(stroke_rad: float, scatter: float = math.nan) -> PhaseResponse:
    phase = np.linspace(0.0, stroke_rad, 256)
    return PhaseResponse(phase, 0.01, PASS, brightness_scatter=scatter)


def alignment(gap_percent: float, told: float = 1.0) -> AlignmentFound:
    one, tilts = np.array([1.0]), np.zeros((5, 2))
    value, share = np.array([gap_percent]), np.array([told])
    return AlignmentFound(
        ("z_gap_percent",), value, 0.01 * one, share, tilts, tilts, np.eye(2), np.zeros(2), 1.0, 0.001, PASS
    )  # fmt: skip


@pytest.mark.parametrize(
    ("result", "level", "words"),
    [
        (dark(), "pass", ""),
        (dark(hot=400), "warn", "hot pixels"),
        (dark(hot=13_940), "fail", "hot pixels"),
        (dark(read_noise=200.0), "warn", "read noise"),
        (registration([[SCALE, 0.02], [-0.02, SCALE]]), "pass", ""),
        (registration([[0.0, SCALE], [SCALE, 0.0]]), "pass", ""),
        (registration([[2 * SCALE, 0.0], [0.0, 2 * SCALE]]), "warn", "size"),
        (registration([[1.3 * SCALE, 0.0], [0.0, SCALE]]), "warn", "stretched"),
        (registration([[math.nan, 0.0], [0.0, SCALE]]), "pass", ""),
        (camera(), "pass", ""),
        (camera(gain=1e-3), "fail", "full well"),
        (camera(dead=400), "warn", "dead pixels"),
        (response(2.1 * np.pi), "pass", ""),
        (response(1.1 * np.pi), "warn", "phase stroke"),
        (response(0.1 * np.pi), "fail", "phase stroke"),
        (alignment(4.0), "pass", ""),
        (alignment(-7.6), "warn", "z_gap_percent"),
        (alignment(20.0), "warn", "z_gap_percent"),
        (response(2.1 * np.pi, scatter=0.003), "pass", ""),
        (response(2.1 * np.pi, scatter=0.01), "warn", "brightness"),
        (alignment(20.0, told=0.1), "pass", ""),
    ],
)
def test_what_cannot_be_is_named(result: Result, level: str, words: str) -> None:
    judged = with_plausibility(result, CONFIG).verdict
    assert judged.level == level
    assert words in judged.reason
    assert judged.reason.startswith("fine")
    assert bool(judged.remedy) == (level != "pass")


def test_a_failure_keeps_its_own_reason() -> None:
    failed = dataclasses.replace(dark(hot=13_940), verdict=Verdict("fail", "stray light"))
    assert with_plausibility(failed, CONFIG) is failed
