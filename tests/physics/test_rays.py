"""A lens on one plane after the other tells the angles of a bench that is far off its data sheet."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import numpy as np
import torch

from labdiff.bench.mock_bench import mock_geometry
from labdiff.bench.open import open_bench
from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.ray_alignment import Rays, spot, start_from, trace_rays
from labdiff.calibrations.routines import IMAGING
from labdiff.config.bench import bench_text, load_bench
from labdiff.events import Event
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench
from mock_hardware.truth import draw_truth

HALVED = {
    "waist_mm = 1.56 ": "waist_mm = 0.78 ",
    "z_gap_mm = 17.1 ": "z_gap_mm = 8.55 ",
    "patch_shape = [260, 260]": "patch_shape = [130, 130]",
    "patch_top = 446 ": "patch_top = 223 ",
    "patch_lefts = [200, 620, 1040, 1460]": "patch_lefts = [100, 310, 520, 730]",
    "shape = [1152, 1920]": "shape = [576, 960]",
    "shape = [540, 720]": "shape = [270, 360]",
    "magnification = 0.1875 ": "magnification = 0.375 ",
}
"""Lines of the paper's bench, and what stands there at half its size: a quarter of the light to compute."""


def opened(bench: str, seed: int) -> CalibratedBench:
    config = load_bench(bench)
    return CalibratedBench(config, open_bench(config, seed))


def test_rays_find_tilts_of_several_milliradians(tmp_path: Path) -> None:
    text = bench_text("mock")[1]
    for key in ("tilt_mrad", "mirror_tilt_mrad"):
        text = re.sub(rf"(?m)^{key} = \S+", f"{key} = 2.5", text)
    bench = tmp_path / "cold.toml"
    bench.write_text(text, encoding="utf-8")
    calibrated = opened(str(bench), 2)
    exposure_ms = 0.0

    def job() -> Generator[Event, None, Rays]:
        nonlocal exposure_ms
        with calibrated.bench:
            yield from measure_routines(calibrated, IMAGING)
            exposure_ms = calibrated.bench.camera.exposure_ms
            rays = yield from trace_rays(calibrated)
            assert calibrated.bench.camera.exposure_ms == exposure_ms
            return rays

    rays = run(job())
    truth = draw_truth(mock_geometry(calibrated.config), calibrated.config.mock, 2)
    theta_rad = np.cumsum(truth.tilts_rad, axis=0)[:-1]
    assert np.abs(theta_rad).max() > 8e-3, "light goes far off the axis on this bench"
    np.testing.assert_allclose(rays.theta_rad, theta_rad, atol=4e-4)
    start_from(calibrated, rays)
    found_rad = calibrated.twin.planes_tilt_rad().numpy()[:-1]
    np.testing.assert_allclose(np.cumsum(found_rad, axis=0), rays.theta_rad, atol=1e-6)


def test_an_even_image_shows_no_spot_and_a_spot_is_found_to_a_tenth_of_a_pixel() -> None:
    assert spot(np.ones((40, 60))) is None
    y, x = np.mgrid[:40, :60]
    image = 0.01 + np.exp(-((y - 12.3) ** 2 + (x - 41.6) ** 2) / 8.0)
    place = spot(image)
    assert place is not None
    np.testing.assert_allclose(place, (41.6, 12.3), atol=0.1)


def test_a_bench_whose_rays_are_not_found_keeps_its_data_sheet() -> None:
    calibrated = CalibratedBench(load_bench("mock"))
    before = {name: value.clone() for name, value in calibrated.twin.state_dict().items()}
    start_from(calibrated, Rays(np.full((4, 2), np.nan)))
    for name, value in calibrated.twin.state_dict().items():
        assert torch.equal(value, before[name])


def test_rays_on_a_bench_whose_input_is_a_dmd(tmp_path: Path) -> None:
    text = bench_text("mock-paper")[1]
    for line, halved in HALVED.items():
        assert text.count(line) == 1
        text = text.replace(line, halved)
    bench = tmp_path / "halved.toml"
    bench.write_text(text, encoding="utf-8")
    calibrated = opened(str(bench), 1)

    def job() -> Generator[Event, None, Rays]:
        with calibrated.bench:
            yield from measure_routines(calibrated, IMAGING)
            return (yield from trace_rays(calibrated))

    rays = run(job())
    assert rays.found
    truth = draw_truth(mock_geometry(calibrated.config), calibrated.config.mock, 1)
    theta_rad = np.cumsum(truth.tilts_rad, axis=0)[:-1]
    np.testing.assert_allclose(rays.theta_rad, theta_rad, atol=4e-4)
