"""The mock bench's frames through Basler's production driver, by the images that its emulator plays."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks.children import python
from benchmarks.claims import claim
from benchmarks.mock_checks.benches import block_phases
from benchmarks.parts import Outcome, Scale, Setting
from drivers.camera.basler import BaslerCamera, BaslerOptions
from drivers.types import CountArray, Roi
from labdiff.bench.mock_bench import mock_geometry
from labdiff.config.bench import BenchConfig, bench_text, parse_bench
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.light_folder import LightFolder

SHAPE = (480, 640)
PICTURES = 48
"""Frames of the mock bench, computed before: what is timed is the path through emulator and driver."""
EMULATED = {"PYLON_CAMEMU": "1"}
TRAINING = (
    "--layer-sets 1 --offline-steps 60 --calibrated-steps 60 --online-steps 15 --batch 8 "
    "--generated 0"
)


def measure(setting: Setting) -> Outcome:
    """Take frames one by one, then train with either camera."""
    frames = setting.amount("frames", smoke=8, quick=300, full=10_000)
    pictures = setting.amount("different frames", smoke=3, quick=PICTURES, full=PICTURES)
    wrong, per_s = through_the_driver(frames, pictures)
    claims = [
        claim(f"640 x 480, wrong frames in {frames}", wrong, "<= 0"),
        claim("640 x 480, frames a second", per_s, ">= 40"),
    ]
    if setting.scale is Scale.FULL:
        mock, basler = (trained(camera) for camera in ("mock", "basler"))
        claims += [
            claim("labdiff train, bench MSE with the mock camera", mock, ">= 0"),
            claim("labdiff train, bench MSE with the Basler driver", basler, ">= 0"),
            claim("labdiff train, difference as a share", abs(basler / mock - 1.0), "<= 0.03"),
        ]
    else:
        setting.leave_out("a training with the mock camera and one with the driver: minutes each")
    return Outcome(claims)


def bench_toml(camera: str, shape: tuple[int, int], folder: Path) -> str:
    """Return the shipped bench with that camera; 16 bits, as the emulator's images have."""
    text = bench_text("mock")[1]
    options = "" if camera == "mock" else f"[camera.options]\nimage_folder = '{folder}'\n\n"
    for old, new in (
        ('[camera]\ndriver = "mock"', f'[camera]\ndriver = "{camera}"'),
        ("shape = [256, 320]", f"shape = {list(shape)}"),
        ("bit_depth = 12 ", "bit_depth = 16 "),
        ("[relay]", f"{options}[relay]"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def frames_of(config: BenchConfig, count: int) -> list[CountArray]:
    """Take whole frames of the mock camera, of SLM patterns that differ."""
    lab = MockLaboratory.create(mock_geometry(config), config.mock, 0)
    lab.laser.emission = True
    lab.world.clock.sleep_s(lab.laser.timing.total_ms / 1e3)
    lab.camera.exposure_ms = 2.0
    taken = []
    with lab.world.workers:
        for seed in range(count):
            lab.slm.set_phase(block_phases(1, config.slm.shape, 16, seed)[0])
            lab.world.clock.sleep_s(lab.slm.timing.total_ms / 1e3)
            taken.append(lab.camera.get_frame().pixels)
    return taken


def through_the_driver(frames: int, pictures: int) -> tuple[int, float]:
    """Return frames that are not to the bit what was written before their trigger, and frames a second."""
    with patch.dict(os.environ, EMULATED), tempfile.TemporaryDirectory() as scratch:
        played = Path(scratch) / "played"
        config = parse_bench(bench_toml("basler", SHAPE, played), "closed loop")
        shown = frames_of(config, pictures)
        folder, whole = LightFolder(played, SHAPE), Roi(0, 0, *SHAPE)
        camera = BaslerCamera("", 16, BaslerOptions(image_folder=str(played)))
        camera.roi, camera.exposure_ms = whole, 2.0
        rng, which, wrong = np.random.default_rng(0), 0, 0
        started_s = time.perf_counter()
        for _ in range(frames):
            which = (which + int(rng.integers(1, pictures))) % pictures
            folder.show(shown[which], whole)
            wrong += not np.array_equal(camera.get_frame().pixels, shown[which])
        seconds = time.perf_counter() - started_s
        camera.close()
    return wrong, frames / seconds


def trained(camera: str) -> float:
    """Return the MSE on the bench at the end of `labdiff train`."""
    with tempfile.TemporaryDirectory() as scratch:
        bench = Path(scratch) / "bench.toml"
        bench.write_text(bench_toml(camera, (256, 320), Path(scratch) / "played"), encoding="utf-8")
        out = str(Path(scratch) / "run")
        done = python(
            *f"-m labdiff train --bench {bench} --out {out} --json {TRAINING}".split(),
            variables=EMULATED,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        figures = json.loads(done.stdout.strip().splitlines()[-1])
        return float(figures["mse_online_bench"])
