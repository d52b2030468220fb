"""The light path of the folded cavity: fields in, intensity on the output plane out.

Conventions: coordinates from the patch centre, forward propagation exp(+j k z) without the carrier,
tilt exp(-j k (x sin ax + y sin ay)).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import erfc

from mock_hardware.geometry import MockGeometry
from mock_hardware.optics.beam import beam_field
from mock_hardware.optics.propagation import AngularSpectrum, Field
from mock_hardware.optics.zernike import surface
from mock_hardware.truth import ABERRATION_FIRST, Truth

Array = npt.NDArray[np.float64]
MARGIN_PX = 4
"""Number of pixels by which the output plane is wider than the patch, on each side."""
RIM_PX = 0.7
"""Softness of the field stop, whose edge lies in the middle of this margin."""
WAVELENGTH_STEP_NM = 0.01
"""Drift of the wavelength after which the transfer functions are computed again."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Everything on the path but the modulators, at one moment.

    source: field before the input plane; turn: by how much the mirror has drifted, a ramp (S h, S w)
    that counts at every layer, None if it has not; gap: from plane to plane; exit: from the last layer
    through the relay's pupil.
    """

    source: Field
    turn: Field | None
    gap: AngularSpectrum
    exit: AngularSpectrum


class CavityOptics:
    """The mock's true light path. 1.0 is the mean of |source|^2 over a patch by the data sheet.

    samples: samples of the light a pixel and axis. pupil_na: numerical aperture of the relay, 0 open.
    steepest: sine of the steepest light followed between the planes.
    Keeps no state: any number of threads may use one.
    """

    def __init__(
        self,
        geometry: MockGeometry,
        truth: Truth,
        samples: int = 1,
        pupil_na: float = 0.0,
        steepest: float = 1.0,
    ) -> None:
        self._geometry, self._truth = geometry, truth
        self._pupil_na, self._steepest = pupil_na, steepest
        height, width = geometry.patch_shape
        self.shape = (height * samples, width * samples)
        self.samples = samples
        self._pitch_m = geometry.pixel_pitch_um * (1.0 + truth.pitch_off) * 1e-6 / samples
        rows, columns = (np.arange(n, dtype=np.float64) - (n - 1) / 2.0 for n in self.shape)
        self._y_m: Array = rows[:, None] * self._pitch_m
        self._x_m: Array = columns[None, :] * self._pitch_m
        self._beam = beam_field(geometry, truth, self._y_m, self._x_m)
        self._margin = MARGIN_PX * samples
        self._stop = _field_stop(height, samples)[:, None] * _field_stop(width, samples)
        self._stray = self._stray_field() if truth.stray[0] else None
        self._transfers = lru_cache(maxsize=8)(self._transfers_at)
        self.undrifted = self.alignment(np.zeros(2), np.zeros(2), 0.0)

    def alignment(self, beam_rad: Array, mirror_rad: Array, wavelength_nm: float) -> Alignment:
        """Return the alignment after drift.

        Args:
            beam_rad: drift of the beam's angle (x, y).
            mirror_rad: drift of the mirror's angle (x, y).
            wavelength_nm: drift of the wavelength.
        """
        gap, last = self._transfers(round(wavelength_nm / WAVELENGTH_STEP_NM))
        up, across = self._ramp(self._truth.tilts_rad[0] + beam_rad)
        turn = None
        if np.any(mirror_rad):
            # sin(a + d) = sin a + sin d up to a^2 d / 2, a hundred millionth of a radian of phase.
            rising, going = self._ramp(mirror_rad)
            turn = rising * going
        return Alignment(self._beam * up * across, turn, gap, last)

    def reflection(self, layer: int) -> Field:
        """Return the reflection (S h, S w) by tilt and mirror at a layer, without drift."""
        up, across = self._ramp(self._truth.tilts_rad[1 + layer])
        mirror = np.float32(np.sqrt(self._truth.mirror_reflectivity))
        return mirror * up * across

    def _ramp(self, angles_rad: Array) -> tuple[Field, Field]:
        """Return the factors (S h, 1) and (1, S w) of a tilt (x, y)."""
        k = 2e9 * np.pi / (self._geometry.wavelength_nm + self._truth.wavelength_off_nm)
        ax, ay = angles_rad
        return (
            np.exp(-1j * k * self._y_m * np.sin(ay)).astype(np.complex64),
            np.exp(-1j * k * self._x_m * np.sin(ax)).astype(np.complex64),
        )

    def _transfers_at(self, wavelength_step: int) -> tuple[AngularSpectrum, AngularSpectrum]:
        """Return the propagation from plane to plane, and from the last one through the relay's pupil."""
        wavelength_nm = self._geometry.wavelength_nm + wavelength_step * WAVELENGTH_STEP_NM
        wavelength_m = wavelength_nm * 1e-9
        gap_m = 2e-3 * self._truth.z_gap_mm
        steepest = self._steepest
        between = AngularSpectrum(self.shape, self._pitch_m, wavelength_m, gap_m, steepest=steepest)
        last = AngularSpectrum(
            self.shape,
            self._pitch_m,
            wavelength_m,
            gap_m + self._truth.defocus_mm * 1e-3,
            margin=self._margin,
            steepest=steepest,
            pupil=self._pupil if self._pupil_na > 0.0 else None,
        )
        return between, last

    def _pupil(self, sy: Array, sx: Array) -> npt.NDArray[np.complex128]:
        sy, sx = sy / self._pupil_na, sx / self._pupil_na
        radius = np.hypot(sy, sx)
        # The rim is soft over 4 %: a sharp one would ring over the whole grid.
        opening = np.clip((1.0 - radius) / 0.04 + 0.5, 0.0, 1.0)
        phase = surface(self._truth.aberration_rad, ABERRATION_FIRST, sy, sx)
        pupil: npt.NDArray[np.complex128] = opening * np.exp(1j * phase * (radius < 1.1))
        return pupil

    def _stray_field(self) -> Field:
        """Return the field on the output plane of light that met no pattern: a wave at an angle."""
        amplitude, ax, ay, phase = self._truth.stray
        k = 2e9 * np.pi / (self._geometry.wavelength_nm + self._truth.wavelength_off_nm)
        y, x = (
            (np.arange(count) - (count - 1) / 2.0) * self._pitch_m for count in self._stop.shape
        )
        ramp = k * (np.sin(ax) * x[None, :] + np.sin(ay) * y[:, None])
        wave: Field = (amplitude * np.exp(1j * (ramp + phase))).astype(np.complex64)
        return wave

    def intensity(
        self, first: Field, layers: list[Field], alignment: Alignment | None = None
    ) -> npt.NDArray[np.float32]:
        """Return |U|^2 on the output plane, (S (h + 2 MARGIN_PX), S (w + 2 MARGIN_PX)).

        Args:
            first: Complex transmission of the input plane (S h, S w).
            layers: N complex reflections, each multiplied by `reflection` of its layer.
            alignment: The path between the modulators; None: without drift.
        """
        path = alignment or self.undrifted
        field, plane = path.source, first
        for layer in layers:
            field, plane = path.gap(field, plane), layer
            if path.turn is not None:
                field *= path.turn
        out = path.exit(field, plane)
        if self._stray is not None:
            out = out + self._stray
        parts = out.view(np.float32).reshape(*self._stop.shape, 2)
        np.square(parts, out=parts)
        result: npt.NDArray[np.float32] = parts[..., 0] + parts[..., 1]
        result *= self._stop
        return result


def _field_stop(size: int, samples: int) -> npt.NDArray[np.float32]:
    """Return the transmission along one axis of the plane: 1 on the patch, 0 at the margin's end."""
    count = (size + 2 * MARGIN_PX) * samples
    place_px = (np.arange(count) - (count - 1) / 2.0) / samples
    beyond = np.abs(place_px) - (size + MARGIN_PX) / 2.0
    return np.asarray(0.5 * erfc(beyond / RIM_PX), dtype=np.float32)
