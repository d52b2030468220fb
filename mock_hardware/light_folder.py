"""The laboratory's light as images in a folder, from which a camera's emulator plays them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from drivers.camera.wrapper import CameraWrapper
from drivers.errors import DeviceValueError
from drivers.protocols import Camera, ReadOut
from drivers.types import CountArray, Frame, Roi
from drivers.wrapper import DeviceSetting, V
from mock_hardware.laboratory import MockLaboratory

NAMES = ("light-0.tiff", "light-1.tiff")
"""Names of the images: two, because an emulator may read a single image only once; both are equal."""
SHORT, LONG = 3, 4
"""TIFF codes of 16-bit and 32-bit values."""
ENTRIES = 9
"""Number of entries of the TIFF directory."""
STRIP = 8 + 2 + 12 * ENTRIES + 4
"""Offset of the pixels in bytes: after header, number of entries, entries, end of directories."""


class LightFolder:
    """A folder that holds one picture. Raises DeviceValueError if it holds something else."""

    def __init__(self, folder: Path, shape: tuple[int, int]) -> None:
        self._folder, self._shape = folder, shape
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted(path.name for path in folder.iterdir() if path.name not in NAMES)
        if others:
            raise DeviceValueError(
                f"image_folder {folder}: holds {others[0]}, which would be played too; "
                "name an empty or a new folder"
            )
        for name in NAMES:
            (folder / name).write_bytes(tiff(np.zeros(shape, np.uint16)))

    def show(self, pixels: CountArray, roi: Roi) -> None:
        """Write a picture that is dark but for these counts in this window.

        Written in place: an emulator reads when it is triggered; to replace a file waits for the disk.
        """
        picture = np.zeros(self._shape, "<u2")
        picture[roi.top : roi.top + roi.height, roi.left : roi.left + roi.width] = pixels
        for name in NAMES:
            with (self._folder / name).open("r+b", buffering=0) as file:
                file.seek(STRIP)
                file.write(picture.data)


class LitCamera(CameraWrapper):
    """A real camera's driver in the laboratory: every frame is written into its emulator's folder first.

    Pixels are as the driver returns them and name no pattern; time stamps are the laboratory's.
    """

    def __init__(self, camera: Camera, laboratory: MockLaboratory, folder: LightFolder) -> None:
        super().__init__(camera)
        self._folder, self._light = folder, laboratory.camera
        self.exposure_ms = camera.exposure_ms
        self.roi = Roi(0, 0, *self.shape)

    def _set(self, setting: DeviceSetting[Camera, V], value: V) -> None:
        """Set a property of the laboratory's camera and of the real one."""
        setting.apply(self._light, value)
        super()._set(setting, value)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the laboratory's sensor; an emulator's own may be larger."""
        return self._light.shape

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """(shortest, longest) exposure that both the real camera and the laboratory's allow."""
        ranges = super().exposure_range_ms, self._light.exposure_range_ms
        return max(low for low, _ in ranges), min(high for _, high in ranges)

    def expose(self) -> ReadOut:
        """Compute the light of a frame and let the real camera read it."""
        light = self._light.get_frame()
        self._folder.show(light.pixels, light.roi)
        read = super().expose()

        def seen() -> Frame:
            frame = read()
            return Frame(
                frame.pixels,
                frame.exposure_ms,
                light.timestamp_s,
                frame.sequence,
                None,
                frame.saturated_fraction,
                frame.roi,
            )

        return seen

    def get_frame(self) -> Frame:
        """Expose once, from now, and return the frame."""
        return self.expose()()

    def get_frames(self, count: int) -> list[Frame]:
        """Return the frames of `count` exposures in a row."""
        return [self.get_frame() for _ in range(count)]


def tiff(pixels: CountArray) -> bytes:
    """Return a grey picture (height, width) of 16 bits in one strip, uncompressed, after TIFF 6.0."""
    height, width = pixels.shape
    entries = [
        (256, LONG, width),
        (257, LONG, height),
        (258, SHORT, 16),
        (259, SHORT, 1),  # not compressed
        (262, SHORT, 1),  # black is zero
        (273, LONG, STRIP),
        (277, SHORT, 1),  # one sample a pixel
        (278, LONG, height),
        (279, LONG, 2 * pixels.size),
    ]
    assert len(entries) == ENTRIES
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    for tag, kind, value in entries:
        head += struct.pack("<HHII", tag, kind, 1, value)
    return head + struct.pack("<I", 0) + pixels.astype("<u2").tobytes()
