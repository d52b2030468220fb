"""A real camera driver among mock devices: it sees their light through the images that it plays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from drivers.errors import DeviceValueError
from drivers.types import Roi
from labdiff.bench.open import open_bench
from labdiff.config.bench import BenchConfig, load_bench
from labdiff.errors import UserError
from mock_hardware.light_folder import LightFolder

SHAPE = (96, 128)


def bench_file(driver: str, folder: Path | None, **camera: Any) -> BenchConfig:
    parts = load_bench("mock").model_dump()
    options = {} if folder is None else {"image_folder": str(folder)}
    parts["camera"] |= {"driver": driver, "shape": SHAPE, "bit_depth": 16, "options": options}
    parts["camera"] |= camera
    parts["mock"] |= {"samples_per_pixel": 1, "threads": 1}
    return BenchConfig.model_validate(parts)


def frames_of(config: BenchConfig) -> list[np.ndarray[Any, Any]]:
    """Whole ones, then a window, of SLM patterns that differ."""
    taken = []
    with open_bench(config, 3) as bench:
        low, high = bench.camera.exposure_range_ms
        for end_ms in (low, high):
            bench.camera.exposure_ms = end_ms
        for number, window in enumerate([bench.whole_sensor, Roi(11, 21, 50, 60)] * 2):
            bench.camera.roi = window
            bench.camera.exposure_ms = 1.0 + number
            bench.slm.set_phase(np.indices(bench.slm.shape)[number % 2] * 0.1 * number)
            bench.settle()
            asked_s = bench.clock.now_s()
            frame = bench.camera.get_frame()
            assert frame.timestamp_s >= asked_s and frame.roi == window
            assert frame.exposure_ms == pytest.approx(1.0 + number)
            taken.append(frame.pixels)
    return taken


@pytest.mark.parametrize("driver", ["folder", "basler"])
def test_its_frames_are_to_the_bit_the_mock_cameras(
    driver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if driver == "basler":
        pytest.importorskip("pypylon", reason="pypylon is not installed")
    monkeypatch.setenv("PYLON_CAMEMU", "1")
    expected = frames_of(bench_file("mock", None))
    found = frames_of(bench_file(driver, tmp_path / "played"))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert expected[0].std() > 0.0 and not np.array_equal(expected[0], expected[2])


def test_a_wrong_option_of_the_camera_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="image_folde: unknown key; did you mean 'image_folder'"):
        open_bench(
            bench_file("basler", tmp_path, options={"image_folder": "x", "image_folde": "y"}), 0
        )


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.png").touch()
    with pytest.raises(DeviceValueError, match=r"holds holiday\.png"):
        open_bench(bench_file("folder", tmp_path), 0)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.png"]


def test_both_pictures_are_read_by_others_as_they_were_written(tmp_path: Path) -> None:
    folder = LightFolder(tmp_path / "played", (5, 7))
    light = np.arange(6, dtype=np.uint16).reshape(2, 3) * 10_000
    folder.show(light, Roi(1, 2, 2, 3))
    wanted = np.zeros((5, 7), np.uint16)
    wanted[1:3, 2:5] = light
    for path in (tmp_path / "played").iterdir():
        with Image.open(path) as image:
            np.testing.assert_array_equal(np.asarray(image), wanted)
