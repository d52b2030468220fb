"""A small bench whose camera stands in the Fourier plane of the SLM, computed by the definition."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivers.types import FloatArray, Frame, Roi, Timing

Array = npt.NDArray[np.float64]
PEDESTAL_COUNTS = 80.0


class FourierBench:
    """SLM and camera in one: raw camera (row, column) = matrix @ cycles + offset, 12 bits."""

    timing = Timing(0.0, 0.0)
    name = "Fourier bench"
    pixel_pitch_um = 8.0
    exposure_range_ms = (1e-6, 1e6)

    def __init__(
        self, amplitude: Array, phase_rad: Array, read_noise: float = 40.0, seed: int = 0
    ) -> None:
        self.slm_shape, self.camera_shape = amplitude.shape, (120, 120)
        self.light = amplitude * np.exp(1j * phase_rad)
        self.matrix = np.array([[2.4, -0.2], [0.2, 2.4]])
        self.offset = np.array([58.0, 61.0])
        self.exposure_ms, self.frozen, self.lit = 1e-2, False, True
        self.requests, self.bit_depth = 0, 12
        self.roi = Roi(0, 0, *self.camera_shape)
        self._rng, self._read_noise = np.random.default_rng(seed), read_noise
        self._phase = np.zeros(self.slm_shape)
        pixels = np.mgrid[:120, :120].reshape(2, -1).T
        cycles = (pixels - self.offset) @ np.linalg.inv(self.matrix).T
        self._rows, self._columns = (
            np.exp(-2j * np.pi * cycles[:, [axis]] * (np.arange(n) - n / 2) / n)
            for axis, n in enumerate(self.slm_shape)
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Of the SLM; what the routines ask the camera for is its window."""
        return self.slm_shape

    def set_phase(self, phase_rad: FloatArray) -> int:
        if not self.frozen:
            self._phase = np.asarray(phase_rad, np.float64)
        return 0

    def get_frame(self) -> Frame:
        self.requests += 1
        field = ((self._rows @ (self.light * np.exp(1j * self._phase))) * self._columns).sum(axis=1)
        counts = np.abs(field) ** 2 * self.exposure_ms * self.lit + PEDESTAL_COUNTS
        counts += self._read_noise * self._rng.standard_normal(counts.shape)
        pixels = np.clip(np.rint(counts), 0, 4095).astype(np.uint16).reshape(self.camera_shape)
        return Frame(pixels, self.exposure_ms, 0.0, self.requests, None, 0.0, self.roi)
