"""A driver that another installed package brings: it opens, measures, and its mistakes are said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from drivers.discovery.found import Attached
from drivers.discovery.search import all_back_ends, search
from drivers.errors import DeviceNotFoundError
from drivers.registry import CAMERAS, SLMS
from labdiff.bench.open import open_bench
from labdiff.cli.installation_check import examine
from labdiff.config.bench import BenchConfig, load_bench
from labdiff.errors import UserError

CAMERA = """
from dataclasses import dataclass

from drivers.camera.folder import FolderCamera, FolderOptions
from drivers.discovery.found import Attached
from drivers.settings import CameraSettings


@dataclass(frozen=True, slots=True)
class MyOptions:
    image_folder: str
    gain: float = 1.0


class MyCamera(FolderCamera):
    Options = MyOptions

    @classmethod
    def from_settings(cls, settings: CameraSettings[MyOptions]) -> "MyCamera":
        camera = cls(settings.bit_depth, FolderOptions(settings.options.image_folder))
        camera.gain = settings.options.gain
        return camera

    @property
    def name(self) -> str:
        return f"camera of mylab, gain {self.gain}"


class Unfinished:
    Options = MyOptions
    name = "a camera that is not finished"

    @classmethod
    def from_settings(cls, settings: CameraSettings[MyOptions]) -> "Unfinished":
        return cls()


def attached():
    return [Attached("camera", "mylab", "camera of mylab", {"serial": "7"})]
"""


def install(folder: Path, package: str, entry_points: str) -> None:
    """Lay down what installing a package of one module would: its metadata in a folder of sys.path."""
    about = folder / f"{package}-0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1\n")
    (about / "entry_points.txt").write_text(entry_points)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sys.path, with the package mylab."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "mylab.py").write_text(CAMERA)
    install(
        folder,
        "mylab",
        "[labdiff.drivers]\ncamera.mylab = mylab:MyCamera\n"
        "[labdiff.discovery]\nmylab = mylab:attached\n",
    )
    monkeypatch.syspath_prepend(folder)
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), before])))
    return folder


def bench_file(driver: str, **options: Any) -> BenchConfig:
    parts = load_bench("mock").model_dump()
    parts["camera"] |= {"driver": driver, "shape": (96, 128), "bit_depth": 16, "options": options}
    parts["mock"] |= {"samples_per_pixel": 1, "threads": 1}
    return BenchConfig.model_validate(parts)


def test_a_bench_opens_with_it_and_measures_a_frame(site: Path, tmp_path: Path) -> None:
    config = bench_file("mylab", image_folder=str(tmp_path / "played"), gain=2.0)
    with open_bench(config, 3) as bench:
        assert bench.camera.name == "camera of mylab, gain 2.0"
        assert bench.camera.get_frame().pixels.std() > 0.0


def test_its_options_are_checked(site: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"camera\.options: gian: unknown key; did you mean 'gain'"):
        open_bench(bench_file("mylab", image_folder=str(tmp_path / "played"), gian=2.0), 3)


def test_members_that_its_camera_lacks_are_named(site: Path, tmp_path: Path) -> None:
    install(site, "half", "[labdiff.drivers]\ncamera.half = mylab:Unfinished\n")
    with pytest.raises(
        UserError, match="camera of 'half' lacks bit_depth, close, expose, .* timing"
    ):
        open_bench(bench_file("half", image_folder=str(tmp_path / "played")), 3)


def test_an_unknown_name_is_answered_with_its_own_among_others(site: Path) -> None:
    with pytest.raises(DeviceNotFoundError, match=r"webcam, none, mylab\. Did you mean 'mylab'"):
        CAMERAS.find("mylib")
    with pytest.raises(DeviceNotFoundError, match="unknown slm driver 'mylab'"):
        SLMS.find("mylab")


def test_a_name_that_two_packages_declare_is_refused(site: Path) -> None:
    install(site, "other", "[labdiff.drivers]\ncamera.mylab = other:Camera\n")
    with pytest.raises(
        DeviceNotFoundError, match=r"by (mylab|other) 0\.1, (mylab|other) 0\.1; unin"
    ):
        CAMERAS.find("mylab")


def test_a_package_cannot_take_the_name_of_a_built_in_driver(site: Path) -> None:
    install(site, "other", "[labdiff.drivers]\ncamera.folder = mylab:MyCamera\n")
    assert CAMERAS.find("folder").from_settings.__module__ == "drivers.camera.folder"
    (bad,) = [finding.message for finding in examine() if "camera.folder" in finding.message]
    assert "is not used: labdiff has a driver of that name" in bad


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("camera.broken = nowhere:Camera", "does not load: ModuleNotFoundError"),
        ("camera.broken = mylab:attached", "is no driver: it needs the members Options and"),
        ("kamera.broken = mylab:MyCamera", "expected a name such as camera.mylab"),
    ],
)
def test_the_doctor_says_what_is_wrong_with_an_installed_driver(
    site: Path, entry: str, words: str
) -> None:
    install(site, "broken", f"[labdiff.drivers]\n{entry}\n")
    findings = [finding for finding in examine() if finding.message.startswith("driver ")]
    assert [finding.good for finding in findings] == ["mylab" in f.message[:20] for f in findings]
    (bad,) = [finding.message for finding in findings if not finding.good]
    assert words in bad and "broken 0.1" in bad


def test_what_its_package_finds_is_among_the_devices(site: Path) -> None:
    back_ends = all_back_ends()
    assert back_ends["mylab"].title == "mylab (mylab 0.1)"
    (answer,) = search(30.0, {"mylab": back_ends["mylab"]})
    assert answer.found == (Attached("camera", "mylab", "camera of mylab", {"serial": "7"}),)
