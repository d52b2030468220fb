"""A camera around a camera."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from drivers.camera.gain import GainCamera, require_gain
from drivers.protocols import Camera, ReadOut, TriggeredReadOut
from drivers.types import CameraTiming, Frame, Roi
from drivers.wrapper import DeviceSetting, DeviceWrapper


def _set_exposure(camera: Camera, value: float) -> None:
    camera.exposure_ms = value


def _set_roi(camera: Camera, value: Roi) -> None:
    camera.roi = value


def _set_gain(camera: Camera, value: float) -> None:
    limits_db = camera.gain_range_db if isinstance(camera, GainCamera) else None
    require_gain(camera.name, value, limits_db)
    if isinstance(camera, GainCamera):
        camera.gain_db = value


EXPOSURE_MS: DeviceSetting[Camera, float] = DeviceSetting("exposure_ms", _set_exposure)
ROI: DeviceSetting[Camera, Roi] = DeviceSetting("roi", _set_roi)

GAIN_DB: DeviceSetting[Camera, float] = DeviceSetting("gain_db", _set_gain)


class CameraWrapper(DeviceWrapper[Camera]):
    """Forwards to a camera, and passes each frame through `converted`."""

    settings = (EXPOSURE_MS, ROI, GAIN_DB)

    def converted(self, frame: Frame) -> Frame:
        """Return what is handed out for a frame of the camera."""
        return frame

    @property
    def timing(self) -> CameraTiming:
        """Declared latency and duration of a frame, and what of it is read-out."""
        return self._call(lambda camera: camera.timing)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the whole sensor in raw pixels."""
        return self._call(lambda camera: camera.shape)

    @property
    def bit_depth(self) -> int:
        """Bits of one count."""
        return self._call(lambda camera: camera.bit_depth)

    @property
    def exposure_ms(self) -> float:
        """The exposure that the camera applies."""
        return self._call(lambda camera: camera.exposure_ms)

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None:
        self._set(EXPOSURE_MS, value)

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """(shortest, longest) exposure."""
        return self._call(lambda camera: camera.exposure_range_ms)

    @property
    def roi(self) -> Roi:
        """The window on the sensor that is read out."""
        return self._call(lambda camera: camera.roi)

    @roi.setter
    def roi(self, value: Roi) -> None:
        self._set(ROI, value)

    @property
    def gain_range_db(self) -> tuple[float, float] | None:
        """(least, greatest) gain; None if there is none to set."""
        return self._call(
            lambda camera: camera.gain_range_db if isinstance(camera, GainCamera) else None
        )

    @property
    def gain_db(self) -> float | None:
        """The gain that the camera applies; None if there is none to set."""
        return self._call(lambda camera: camera.gain_db if isinstance(camera, GainCamera) else None)

    @gain_db.setter
    def gain_db(self, value: float) -> None:
        self._set(GAIN_DB, value)

    def expose(self) -> ReadOut:
        """Expose once, from now; what this returns waits for the frame."""
        read = self._call(lambda camera: camera.expose())
        return lambda: self.converted(read())

    def get_frame(self) -> Frame:
        """Expose once, from now, and return the frame."""
        return self.converted(self._call(lambda camera: camera.get_frame()))

    def get_frames(self, count: int) -> list[Frame]:
        """Return the frames of `count` exposures in a row."""
        return [self.converted(f) for f in self._call(lambda camera: camera.get_frames(count))]

    @property
    def has_trigger_input(self) -> bool:
        """True if `triggered` may be used."""
        return self._call(lambda camera: camera.has_trigger_input)

    def triggered(self, count: int) -> AbstractContextManager[TriggeredReadOut]:
        """Let the trigger input expose while this is entered; there is a buffer for `count` frames."""
        return self._converting(self._call(lambda camera: camera.triggered(count)))

    @contextmanager
    def _converting(
        self, triggered: AbstractContextManager[TriggeredReadOut]
    ) -> Iterator[TriggeredReadOut]:
        with triggered as read:

            def read_converted() -> tuple[int, Frame]:
                number, frame = read()
                return number, self.converted(frame)

            yield read_converted
