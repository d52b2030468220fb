"""A camera: photo-electrons, shot and read noise, pedestal, saturation, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drivers.errors import DeviceDisconnectedError, DeviceStateError, DeviceValueError
from drivers.types import Frame, Roi, Timing

if TYPE_CHECKING:
    from mock_hardware.laboratory import MockLaboratory


class MockCamera:
    """Global shutter. Its noise comes from the laboratory's seed, frame by frame."""

    def __init__(self, laboratory: MockLaboratory, unplugged_after: int | None) -> None:
        self._lab = laboratory
        self._exposure_ms = 1.0
        self._roi = Roi(0, 0, *self.shape)
        self._sequence = 0
        self._unplugged_after = unplugged_after
        self._unplugged = False
        self._closed = False
        self._rng = np.random.Generator(np.random.SFC64([laboratory.seed, 2]))

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "mock camera"

    @property
    def timing(self) -> Timing:
        """Exposure, then read-out at 522 frames/s."""
        return Timing(latency_ms=0.02, duration_ms=self._exposure_ms + 1.9)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the sensor."""
        return self._lab.geometry.camera_shape

    @property
    def bit_depth(self) -> int:
        """Bits of one count."""
        return self._lab.geometry.camera_bit_depth

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """Shortest and longest exposure."""
        return (0.005, 1000.0)

    @property
    def exposure_ms(self) -> float:
        """Exposure of the next frames."""
        return self._exposure_ms

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None:
        low, high = self.exposure_range_ms
        if not low <= value <= high:
            raise DeviceValueError(
                f"{self.name}: exposure {value} ms; allowed is {low} ... {high} ms"
            )
        self._exposure_ms = float(value)

    @property
    def roi(self) -> Roi:
        """Window that is read out."""
        return self._roi

    @roi.setter
    def roi(self, value: Roi) -> None:
        if not value.fits(self.shape):
            raise DeviceValueError(f"{self.name}: {value} does not fit the sensor {self.shape}")
        self._roi = value

    def unplug(self) -> None:
        """Pull the cable."""
        self._unplugged = True

    def plug_in(self) -> None:
        """Put the cable back."""
        self._unplugged = False
        self._unplugged_after = None

    def get_frame(self) -> Frame:
        """Expose once, from now."""
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")
        if self._unplugged_after is not None and self._sequence >= self._unplugged_after:
            self._unplugged = True
        if self._unplugged:
            raise DeviceDisconnectedError(
                f"{self.name}: disconnected after {self._sequence} frames; check cable and power"
            )
        clock, lab = self._lab.clock, self._lab
        start_s = clock.now_s()
        light, pattern = lab.light_on(self._roi, start_s)
        clock.sleep_s(self.timing.total_ms / 1e3)
        largest = 2**self.bit_depth - 1
        electrons = light * np.float32(lab.electrons_per_ms * self._exposure_ms)
        if lab.truth.shot_noise:
            # Poisson to within a per cent of its spread above 20 electrons; exact below.
            bright = electrons > 20.0
            noise = self._rng.standard_normal(electrons.shape, dtype=np.float32)
            dim = self._rng.poisson(np.where(bright, 0.0, electrons)).astype(np.float32)
            electrons = np.where(bright, electrons + noise * np.sqrt(electrons), dim)
        electrons = np.minimum(electrons, 1.02 * lab.full_well_electrons)
        read = np.float32(lab.truth.read_noise_electrons)
        electrons = electrons + read * self._rng.standard_normal(electrons.shape, dtype=np.float32)
        counts = electrons / lab.truth.electrons_per_count + lab.truth.pedestal_counts
        pixels = np.clip(np.rint(counts), 0, largest).astype(np.uint16)
        self._sequence += 1
        return Frame(
            pixels=pixels,
            exposure_ms=self._exposure_ms,
            timestamp_s=start_s,
            sequence=self._sequence,
            pattern_id=pattern,
            saturated_fraction=float((pixels >= largest).mean()),
            roi=self._roi,
        )

    def get_frames(self, count: int) -> list[Frame]:
        """`count` exposures in a row."""
        return [self.get_frame() for _ in range(count)]

    def close(self) -> None:
        """No further frames."""
        self._closed = True
