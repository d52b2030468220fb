"""Benches that are not complete: a camera alone, an SLM alone, a laser that a person switches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import labdiff
from drivers.errors import DeviceStateError, DeviceValueError, LaserMayBeOnError
from drivers.laser.manual import ManualLaser, ManualOptions
from drivers.operator import HandRequest, operated_by
from drivers.protocols import SLM, Camera, Laser
from drivers.registry import CAMERAS, LASERS, SLMS
from drivers.settings import CameraSettings, LaserSettings, NoOptions, SlmSettings
from labdiff.bench.bench import Bench
from labdiff.bench.bench_safety import lasers_that_may_be_on
from labdiff.bench.open import open_bench
from labdiff.config.bench import parse_bench
from tests.contracts.peers import SlmPyServer

SHAPE = (64, 160)
BENCH = """
name = "first day"
[source]
wavelength_nm = 632.8
waist_mm = 0.2
[cavity]
z_gap_mm = 5.7
patch_shape = [10, 12]
patch_top = 16
patch_lefts = [10, 60, 110]
[slm]
shape = [64, 160]
pixel_pitch_um = 9.2
{slm}
[input]
kind = "slm_patch"
[camera]
shape = [48, 64]
pixel_pitch_um = 3.45
bit_depth = 8
exposure_ms = 2.0
{camera}
[relay]
magnification = 0.6
[laser]
power_mw = 5.0
{laser}
[retries]
tries = 1
reconnects = 0
"""


class Person:
    """Somebody at the bench. requests: what was asked. willing: whether it is done."""

    def __init__(self) -> None:
        self.requests: list[HandRequest] = []
        self.willing = True

    def __call__(self, request: HandRequest) -> bool:
        self.requests.append(request)
        return self.willing


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for number, level in enumerate((20, 60, 100)):
        Image.fromarray(np.full((48, 64), level, np.uint8)).save(folder / f"{number}.png")
    return folder


def bench_of(slm: str, camera: str, laser: str) -> Bench:
    return open_bench(
        parse_bench(BENCH.format(slm=slm, camera=camera, laser=laser), "bench.toml"), 0
    )


def folder_camera(images: Path) -> str:
    return f"driver = \"folder\"\noptions.image_folder = '{images}'"


def test_a_camera_alone_takes_frames(images: Path) -> None:
    with bench_of('driver = "none"', folder_camera(images), 'driver = "mock"') as bench:
        assert bench.camera.get_frame().pixels.shape == (48, 64)
    assert not bench.left_unsafe


def test_without_an_slm_a_pattern_is_refused_in_words(images: Path) -> None:
    with bench_of('driver = "none"', folder_camera(images), 'driver = "mock"') as bench:
        bench.show(np.zeros((3, 10, 12)))
        with pytest.raises(DeviceStateError, match=r'this bench has none \(slm\.driver = "none"\)'):
            bench.show(np.ones((3, 10, 12)))


@pytest.mark.parametrize("camera", ['driver = "none"', 'driver = "mock"'])
def test_an_slm_alone_displays_patterns(camera: str) -> None:
    with SlmPyServer(SHAPE) as server:
        slm = f'driver = "slmpy"\naddress = "127.0.0.1:{server.port}"'
        with bench_of(slm, camera, 'driver = "mock"') as bench:
            bench.show(np.full((3, 10, 12), np.pi))
            assert server.pictures[-1].max() == 128
            with pytest.raises(DeviceStateError, match="no camera"):
                bench.camera.get_frame()
        assert not server.pictures[-1].any()


@pytest.mark.parametrize("driver", ["manual", "none"])
def test_a_laser_without_a_line_is_switched_by_a_person(images: Path, driver: str) -> None:
    person = Person()
    with operated_by(person):
        bench = bench_of('driver = "mock"', folder_camera(images), f'driver = "{driver}"')
        assert [request.act for request in person.requests] == [ManualOptions().block]
        with bench:
            assert bench.laser.emission and "as told by the operator" in bench.laser.name
            assert person.requests[-1].expected == "5 mW reach the SLM"
            with pytest.raises(DeviceValueError, match=r"greatest_mw, if it can be set by hand"):
                bench.laser.power_mw = 6.0
        assert person.requests[-1].act == ManualOptions().block
    assert len(person.requests) == 3 and not lasers_that_may_be_on()


def test_a_person_who_does_not_block_the_beam_leaves_a_laser_that_may_be_on(images: Path) -> None:
    person = Person()
    with operated_by(person):
        bench = bench_of('driver = "mock"', folder_camera(images), 'driver = "manual"')
        bench.switch_on()
        person.willing = False
        bench.make_safe()
        (warning,) = lasers_that_may_be_on()
        assert warning.startswith("the laser may be ON: laser switched by hand")
        person.willing = True
        bench.close()
    assert not lasers_that_may_be_on()


def test_a_script_gives_the_person_to_be_asked(images: Path, tmp_path: Path) -> None:
    path, person = tmp_path / "bench.toml", Person()
    laser = 'driver = "manual"'
    text = BENCH.format(slm='driver = "mock"', camera=folder_camera(images), laser=laser)
    path.write_text(text, encoding="utf-8")
    with operated_by(None), labdiff.open_bench(path, operator=person) as bench:
        assert bench.laser.emission
    assert len(person.requests) == 3


def test_without_a_person_a_laser_without_a_line_is_refused_early(images: Path) -> None:
    with pytest.raises(DeviceStateError, match="there is nobody to be asked; run it in a terminal"):
        bench_of('driver = "mock"', folder_camera(images), 'driver = "manual"')


def test_absent_and_manual_devices_keep_their_protocols() -> None:
    slm = SLMS.find("none").from_settings(SlmSettings(SHAPE, 9.2, "", NoOptions()))
    camera = CAMERAS.find("none").from_settings(CameraSettings("", 12, NoOptions(), (48, 64)))
    assert isinstance(slm, SLM) and isinstance(camera, Camera)
    assert slm.shape == SHAPE and camera.shape == (48, 64)
    slm.set_lut(None)
    with pytest.raises(DeviceValueError, match="slm.shape is"):
        slm.set_grey(np.zeros((2, 2)))
    with pytest.raises(DeviceStateError, match="no trigger input"):
        camera.triggered(1)
    for device in (slm, camera):
        device.close()
        device.close()


def test_a_power_that_can_be_set_by_hand_is_asked_for() -> None:
    person = Person()
    with operated_by(person):
        options = ManualOptions(greatest_mw=10.0)
        laser = LASERS.find("manual").from_settings(LaserSettings("", 632.8, options))
        assert isinstance(laser, Laser) and isinstance(laser, ManualLaser)
        laser.power_mw = 5.0
        laser.power_mw = 8.0
        assert person.requests[-1].act == "set its power to 8 mW"
        laser.emission = True
        person.willing = False
        with pytest.raises(LaserMayBeOnError, match="was refused by the operator"):
            laser.emission = False
        assert laser.emission
        person.willing = True
        laser.close()
        with pytest.raises(DeviceStateError, match="is closed"):
            laser.emission = True
