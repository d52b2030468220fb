"""The driver of examples/own_driver: a package of its own, installed as a user installs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import labdiff
from drivers.camera.folder import FolderOptions
from drivers.driver import CameraDriver
from drivers.registry import CAMERAS
from labdiff.cli.installation_check import examine

PACKAGE = Path(__file__).parents[2] / "examples/own_driver"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the package into a folder of sys.path, and go to another one with its bench file."""
    source, site, work = (tmp_path / name for name in ("source", "site", "work"))
    shutil.copytree(PACKAGE, source)  # the build leaves nothing behind in the original
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*pip, *offline, str(site), str(source)], check=True)
    monkeypatch.syspath_prepend(site)
    work.mkdir()
    shutil.copy(PACKAGE / "bench.toml", work)
    monkeypatch.chdir(work)


@pytest.mark.slow
def test_the_bench_file_opens_with_the_installed_driver(installed: None) -> None:
    driver: CameraDriver[FolderOptions] = CAMERAS.find("mylab")
    assert driver.from_settings.__module__ == "mylab_camera"
    with labdiff.open_bench("bench.toml") as bench:
        assert bench.camera.name == "camera of mylab"
        bench.show(bench.layout.flat())
        bright = bench.camera.get_frame()
        assert bright.pixels.shape == bench.camera.shape == (160, 160)
        bench.make_safe()
        bench.clock.sleep_s(bench.laser.timing.total_ms / 1e3)  # simulated: the shutter shuts
        dark = bench.camera.get_frame()
        # Not the brightest: pixels may be hot.
        assert np.percentile(bright.pixels, 99) > 2 * np.percentile(dark.pixels, 99)
    (finding,) = [each for each in examine() if "camera.mylab" in each.message]
    assert finding.good and "mylab-camera 0.1" in finding.message
