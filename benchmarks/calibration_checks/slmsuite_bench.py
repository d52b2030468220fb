"""slmsuite's simulated SLM and camera as devices of ours, a bench in whose Fourier plane the camera is.

Noise is slmsuite's own: a pedestal of 2 % and read noise of 1 % of full scale. Points of the plane are
cycles over the panel (`calibration.spots.BlazeSpots`).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceStateError
from drivers.protocols import TriggeredReadOut
from drivers.types import CameraTiming, Frame, PatternId, Roi, Timing

Array = npt.NDArray[np.float64]
PEDESTAL, READ_NOISE = 0.02, 0.01

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it misses cupy
    from slmsuite.hardware.cameras.simulated import GaussianDetectorNoise, SimulatedCamera
    from slmsuite.hardware.cameraslms import FourierSLM
    from slmsuite.hardware.slms.simulated import SimulatedSLM
logging.disable(logging.WARNING)


class PeerSlm:
    """`drivers.protocols.SLM` over a SimulatedSLM. Phase grows with the grey level, as ours does."""

    timing = Timing(0.0, 0.0)
    name = "slmsuite SimulatedSLM"

    def __init__(self, slm: Any) -> None:
        self._slm, self._pattern = slm, 0
        self._lut: npt.NDArray[np.floating] | None = None
        self.shape: tuple[int, int] = slm.shape
        self.pixel_pitch_um = float(slm.pitch_um[0])
        self.bit_depth: int = slm.bitdepth

    @property
    def reported_pattern(self) -> PatternId | None:
        """Return what was sent last: this panel never freezes."""
        return self._pattern

    def set_phase(self, phase_rad: npt.NDArray[np.floating]) -> PatternId:
        """Show a phase, by the look-up table if there is one, else as slmsuite quantises."""
        if self._lut is None:
            self._slm.set_phase(phase_rad, phase_correct=False)
            self._pattern += 1
            return self._pattern
        order = np.argsort(self._lut)
        middle = (self._lut[order][1:] + self._lut[order][:-1]) / 2.0
        return self.set_grey(order[np.searchsorted(middle, np.mod(phase_rad, 2.0 * np.pi))])

    def set_lut(self, phase_by_grey_rad: npt.NDArray[np.floating] | None) -> None:
        """Use a look-up table of phases, (levels,) radians."""
        self._lut = phase_by_grey_rad

    def set_grey(self, grey: npt.NDArray[np.floating]) -> PatternId:
        """Show grey levels without the look-up table."""
        self._slm.set_phase(grey.astype(self._slm.display.dtype), phase_correct=False)
        self._pattern += 1
        return self._pattern

    def close(self) -> None:
        """Do nothing: there is no device."""


class PeerCamera:
    """`drivers.protocols.Camera` over a SimulatedCamera; counts the frames taken."""

    timing = CameraTiming(0.0, 0.0, 0.0, 0.0)
    name = "slmsuite SimulatedCamera"
    has_trigger_input = False
    exposure_range_ms = (1e-6, 1e6)

    def __init__(self, camera: Any) -> None:
        self._camera = camera
        self.requests = 0
        self.shape: tuple[int, int] = camera.shape
        self.bit_depth: int = camera.bitdepth
        self.roi = Roi(0, 0, *self.shape)

    @property
    def exposure_ms(self) -> float:
        """The camera's gain, of which 1 is 1 ms.

        The simulated camera multiplies its light with the exposure, and its pedestal too.
        """
        return float(self._camera.gain)

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None:
        self._camera.gain = value

    def expose(self) -> Callable[[], Frame]:
        """Expose and read out at once: nothing of the simulated light is left for later."""
        frame = self.get_frame()
        return lambda: frame

    def get_frame(self) -> Frame:
        """Return one frame of the whole sensor."""
        self.requests += 1
        pixels = np.asarray(self._camera.get_image()).astype(np.uint16)
        full = 2**self.bit_depth - 1
        saturated = float((pixels >= full).mean())
        return Frame(pixels, self.exposure_ms, 0.0, self.requests, None, saturated, self.roi)

    def get_frames(self, count: int) -> list[Frame]:
        """Return frames one after another."""
        return [self.get_frame() for _ in range(count)]

    def triggered(self, count: int) -> AbstractContextManager[TriggeredReadOut]:
        """Refuse: a simulated camera has no trigger input."""
        raise DeviceStateError(f"{self.name}: no trigger input")

    def close(self) -> None:
        """Do nothing: there is no device."""


@dataclass(frozen=True)
class PeerBench:
    """The simulated devices, bare and as ours, and what is true of them.

    matrix (2, 2), offset (2,): raw camera (row, column) of a blaze of (row, column) cycles.
    phase_rad, amplitude: of the light on the SLM, (h, w).
    """

    peer: Any
    slm: PeerSlm
    camera: PeerCamera
    matrix: Array
    offset: Array
    phase_rad: Array
    amplitude: Array

    @property
    def pedestal_counts(self) -> float:
        """Return what the camera counts in the dark."""
        return PEDESTAL * 2**self.camera.bit_depth if self.peer.cam.noise else 0.0

    def expose(self, pattern_spots: int, fill: float = 0.5) -> None:
        """Set the exposure so that as many pixels as there are spots reach this share of full scale."""
        light = np.partition(self.peer.cam.render().ravel(), -pattern_spots)[-pattern_spots]
        self.camera.exposure_ms = fill * 2**self.camera.bit_depth / float(light)


def peer_bench(
    slm_shape: tuple[int, int],
    camera_shape: tuple[int, int],
    seed: int,
    *,
    noisy: bool,
    aberration_rad: float = 0.0,
    even_light: bool = True,
    gamma: Array | None = None,
    px_per_cycle: float = 4.0,
    bit_depth: int = 12,
) -> PeerBench:
    """Return a bench drawn from a seed: rotation, place and scale of the camera, aberration, and beam.

    aberration_rad: rms of a smooth wavefront without tilt. gamma: phase by grey level, in 2 pi.
    """
    rng = np.random.default_rng(seed)
    np.random.seed(seed)
    height, width = slm_shape
    rows, columns = np.mgrid[:height, :width].astype(float)
    y, x = (rows - (height - 1) / 2) / (height / 2), (columns - (width - 1) / 2) / (width / 2)
    amplitude = np.ones(slm_shape)
    if not even_light:
        cy, cx, wy, wx = *rng.uniform(-0.15, 0.15, 2), *rng.uniform(0.9, 1.2, 2)
        amplitude = np.exp(-(((y - cy) / wy) ** 2) - ((x - cx) / wx) ** 2)
    phase = _smooth_wavefront(rng, y, x, amplitude) * aberration_rad
    slm = SimulatedSLM(
        (width, height),
        pitch_um=(8, 8),
        wav_um=0.85,
        gamma_sim=gamma,
        source={"amplitude_sim": amplitude, "phase_sim": phase},
    )
    camera = SimulatedCamera(slm, camera_shape[::-1], pitch_um=(3.45, 3.45), bitdepth=bit_depth)
    # ij px per unit of kxy, of which a cycle over the panel's longer side is 1 / (pixels * pitch)
    scale = px_per_cycle * max(slm_shape) * slm.pitch[0] * rng.uniform(0.97, 1.03)
    affine, offset = camera.build_affine(
        f_eff=scale,
        units="ij",
        theta=rng.uniform(-0.1, 0.1),
        offset=np.array(camera_shape[::-1]) / 2 + rng.uniform(-8.0, 8.0, 2),
    )
    camera.set_affine(affine, offset)
    if noisy:
        camera.noise = GaussianDetectorNoise(PEDESTAL, READ_NOISE)
    per_cycle = np.asarray(affine) / (np.array([width, height]) * slm.pitch)
    return PeerBench(
        FourierSLM(camera, slm),
        PeerSlm(slm),
        PeerCamera(camera),
        per_cycle[::-1, ::-1],
        np.asarray(offset).ravel()[::-1],
        phase,
        amplitude,
    )


def _smooth_wavefront(rng: np.random.Generator, y: Array, x: Array, amplitude: Array) -> Array:
    """Return polynomials of order 2 ... 4 without piston and tilt, rms 1 under the beam's intensity."""
    terms = [y**i * x ** (n - i) for n in range(2, 5) for i in range(n + 1)]
    wave = np.tensordot(rng.standard_normal(len(terms)), np.stack(terms), 1)
    low = np.stack([np.ones_like(y), y, x]).reshape(3, -1)
    weight = amplitude.ravel() ** 2
    wave -= (np.linalg.solve((low * weight) @ low.T, (low * weight) @ wave.ravel()) @ low).reshape(
        y.shape
    )
    result: Array = wave / np.sqrt((weight * wave.ravel() ** 2).sum() / weight.sum())
    return result
