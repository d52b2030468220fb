"""Packed pixels against pylon's own converter; windows against what a camera allows."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.camera.bit_packing import KNOWN, bits_of, unpack
from drivers.camera.window import ReadWindow, Steps
from drivers.errors import DeviceValueError
from drivers.types import Roi
from tests.contracts.packed_pixels import packed

PACKED = {"Mono10p": 10, "Mono12p": 12, "Mono10Packed": 10, "Mono12Packed": 12}


@pytest.mark.parametrize("pixel_format", PACKED)
@pytest.mark.parametrize("shape", [(4, 8), (3, 5), (1, 1)])
def test_packed_pixels_are_what_pylon_makes_of_them(
    pixel_format: str, shape: tuple[int, int]
) -> None:
    pylon = pytest.importorskip("pypylon.pylon")
    bits = PACKED[pixel_format]
    pixels = shape[0] * shape[1]
    size = -(-pixels // 2) * 3 if "Packed" in pixel_format else -(-pixels * bits // 8)
    buffer = np.random.default_rng(5).integers(0, 256, size, np.uint8)
    kind = getattr(pylon, "PixelType_" + pixel_format.replace("Packed", "packed"))
    converter = pylon.ImageFormatConverter()
    converter.OutputPixelFormat = pylon.PixelType_Mono16
    converter.OutputBitAlignment.Value = "LsbAligned"
    image = pylon.PylonImage()
    image.AttachMemoryView(memoryview(buffer.tobytes()), kind, shape[1], shape[0], 0)
    found = unpack(buffer, pixel_format, shape)
    np.testing.assert_array_equal(found, converter.Convert(image).Array)
    assert found.max() < 2**bits


@pytest.mark.parametrize("pixel_format", KNOWN)
def test_every_format_round_trips(pixel_format: str) -> None:
    bits = bits_of(pixel_format)
    pixels = np.random.default_rng(7).integers(0, 2**bits, (6, 8)).astype(np.uint16)
    buffer = packed(pixels.reshape(-1), pixel_format)
    np.testing.assert_array_equal(unpack(buffer, pixel_format, (6, 8)), pixels)


@pytest.mark.parametrize("pixel_format", [name for name in KNOWN if "IDS" not in name])
def test_what_harvesters_hands_out_is_unpacked_once(pixel_format: str) -> None:
    pfnc = pytest.importorskip("harvesters.util.pfnc")
    genicam = pytest.importorskip("drivers.camera.genicam")
    bits = bits_of(pixel_format)
    pixels = np.random.default_rng(8).integers(0, 2**bits, (6, 8)).astype(np.uint16)
    handed = pfnc.Dictionary.get_proxy(symbolic=pixel_format).expand(
        packed(pixels.reshape(-1), pixel_format)
    )
    grabbed = genicam.as_grabbed(handed, (6, 8), 0)
    as_sent = "Mono16" if grabbed.unpacked else pixel_format
    np.testing.assert_array_equal(unpack(grabbed.buffer, as_sent, grabbed.shape), pixels)


def test_16_bit_words_are_little_endian() -> None:
    pixels = np.arange(6, dtype=np.uint16).reshape(2, 3) * 300
    buffer = pixels.astype("<u2").reshape(-1).view(np.uint8)
    np.testing.assert_array_equal(unpack(buffer, "Mono12", (2, 3)), pixels)
    np.testing.assert_array_equal(
        unpack(np.arange(6, dtype=np.uint8), "Mono8", (2, 3)), np.arange(6).reshape(2, 3)
    )


def test_a_buffer_too_short_and_a_colour_are_refused() -> None:
    with pytest.raises(
        DeviceValueError, match="17 bytes for 3 x 4 pixels of Mono12p; needed are 18"
    ):
        unpack(np.zeros(17, np.uint8), "Mono12p", (3, 4))
    with pytest.raises(DeviceValueError, match="RGB8.*Mono12p"):
        bits_of("RGB8")
    assert {bits_of(name) for name in KNOWN} == {8, 10, 12, 14, 16}


def test_a_read_window_is_allowed_and_holds_the_one_asked_for() -> None:
    rng = np.random.default_rng(1)
    for _ in range(500):
        offset_step, step = (int(2 ** rng.integers(0, 5)) for _ in range(2))
        length, shortest = int(rng.integers(64, 2000)), int(rng.integers(1, 5)) * step
        first = int(rng.integers(0, length - 1))
        wanted = int(rng.integers(1, length - first + 1))
        start, taken = Steps(length, shortest, step, offset_step).around(first, wanted)
        assert start <= first and first + wanted <= start + taken <= length
        if (start, taken) != (0, length):
            assert start % offset_step == 0 and taken >= shortest
            assert (taken - shortest) % step == 0


def test_the_cut_is_the_window_that_was_asked_for() -> None:
    sensor = np.arange(40 * 50, dtype=np.uint16).reshape(40, 50)
    window = ReadWindow.around(Roi(5, 7, 10, 11), Steps(40, 4, 4, 4), Steps(50, offset_step=0))
    read = window.read
    assert (read.left, read.width) == (0, 50) and read.top % 4 == 0 and read.height % 4 == 0
    pixels = sensor[read.top : read.top + read.height, read.left : read.left + read.width]
    np.testing.assert_array_equal(window.cut(pixels), sensor[5:15, 7:18])
