"""Cameras by serial number, name, port and place; two without serial number have a way out."""

from __future__ import annotations

import pytest

from drivers.camera.chosen import CameraIdentity, choose_camera
from drivers.errors import DeviceNotFoundError, DeviceValueError

TWINS = (CameraIdentity("", "left", "usb-1.2"), CameraIdentity("", "right", "usb-1.3"))
NUMBERED = (CameraIdentity("4001"), CameraIdentity("4002", "far"))


@pytest.mark.parametrize(
    ("given", "there", "index"),
    [
        ("", NUMBERED, 0),
        ("4002", NUMBERED, 1),
        ("name=far", NUMBERED, 1),
        ("#2", TWINS, 1),
        ("name=left", TWINS, 0),
        ("port=usb-1.3", TWINS, 1),
        ("", TWINS[:1], 0),
    ],
)
def test_a_camera_is_meant_by_number_name_port_or_place(
    given: str, there: tuple[CameraIdentity, ...], index: int
) -> None:
    assert choose_camera("Basler", given, there) == index


def test_twins_are_refused_with_the_ways_to_tell_them_apart() -> None:
    with pytest.raises(DeviceValueError) as refused:
        choose_camera("Basler", "", TWINS)
    for words in (
        "several cameras are meant",
        "#1 without serial number, name 'left', port 'usb-1.2'",
        "#2 without serial number, name 'right', port 'usb-1.3'",
        'camera.serial = "name=..."',
        '"#1", "#2"',
    ):
        assert words in str(refused.value)
    same = (CameraIdentity("0"), CameraIdentity("0"))
    with pytest.raises(
        DeviceValueError, match="camera.serial = '0': 2 cameras are meant: #1 0; #2 0"
    ):
        choose_camera("GenICam", "0", same)


@pytest.mark.parametrize("given", ["4003", "name=near", "port=x", "#3"])
def test_one_that_is_not_there_is_said_with_those_that_are(given: str) -> None:
    with pytest.raises(DeviceNotFoundError, match=f"{given}: not found; .*#1 4001; #2 4002, name"):
        choose_camera("Basler", given, NUMBERED)
    with pytest.raises(DeviceNotFoundError, match="cameras there are: none"):
        choose_camera("Basler", given, ())
