"""Every hidden quantity of a mock laboratory. For tests and benchmarks alone."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

from mock_hardware.geometry import MockGeometry
from mock_hardware.optics.zernike import surface
from mock_hardware.settings import MockSettings

Array = npt.NDArray[np.float64]

BACKPLANE_FIRST, BACKPLANE_TERMS = 3, 3
ABERRATION_FIRST, ABERRATION_TERMS = 5, 8
BEAM_MODES = ((1, 0), (0, 1), (2, 0), (0, 2), (1, 1))
"""Hermite-Gauss orders (x, y) that make the beam worse than a Gaussian."""
PANEL_GRAIN_PX, SENSOR_GRAIN_PX = 4.0, 5.0
"""Diameters of grains of dust, pixels of the panel and of the sensor."""


@dataclass(frozen=True)
class Truth:
    """Drawn once, frozen; what drifts is in `mock_hardware.drift`. Pairs are (x, y).

    tilts_rad: (P, 2), picked up at the input plane and at each layer.
    beam_modes: amplitude (complex) of each of BEAM_MODES beside the Gaussian.
    ghost: amplitude, and the two angles (rad) and phase of the window's ghost.
    phase_by_grey_rad: (2**bits,) true phase of each grey level, panel mean.
    stroke_map: (patches, h, w) by which each pixel's phase is multiplied.
    backplane_rad: (patches, h, w).
    camera_matrix (2, 2), camera_offset_px (2,): raw sensor (row, column) of an output-plane pixel
    index (row, column), before distortion (share at the patch's corner).
    aberration_rad: weights of the pupil's Zernike terms 5 ... 12 (ANSI).
    offset_pattern_electrons, gain_pattern, hot, dead: (H, W) of the sensor.
    phase_error_rad: (patches, h, w), of each pixel by itself. fringing_growth: see `PanelOptics.light`.
    stray: amplitude of the light past all patterns over the beam's, its two angles (rad) and phase.
    wavelength_off_nm: true wavelength less the data sheet's; the table of phases is at the true one.
    pitch_off: true pixel pitch over the data sheet's, less 1.
    panel_dust: (patches, h, w) amplitude that grains on the panel let through.
    sensor_dust: (H, W) intensity that grains before the sensor let through.
    """

    z_gap_mm: float
    tilts_rad: Array
    waists_mm: Array
    beam_centre_um: Array
    beam_modes: npt.NDArray[np.complex128]
    ghost: Array
    mirror_edge: float
    mirror_reflectivity: float
    slm_reflectivity: float
    phase_by_grey_rad: Array
    stroke_map: npt.NDArray[np.float32]
    backplane_rad: npt.NDArray[np.float32]
    crosstalk_px: float
    dead_space: float
    dead_space_reflectance: float
    flicker: float
    dmd_efficiency: float
    camera_matrix: Array
    camera_offset_px: Array
    distortion: float
    defocus_mm: float
    aberration_rad: Array
    pedestal_counts: float
    electrons_per_count: float
    read_noise_electrons: float
    dark_electrons_per_s: float
    shot_noise: bool
    offset_pattern_electrons: npt.NDArray[np.float32]
    gain_pattern: npt.NDArray[np.float32]
    hot: npt.NDArray[np.bool_]
    dead: npt.NDArray[np.bool_]
    panel_dust: npt.NDArray[np.float32]
    sensor_dust: npt.NDArray[np.float32]
    phase_error_rad: npt.NDArray[np.float32]
    fringing_growth: float
    stray: Array
    wavelength_off_nm: float = 0.0
    pitch_off: float = 0.0

    @property
    def defective(self) -> npt.NDArray[np.bool_]:
        """(H, W): True for pixels that do not measure the light."""
        return self.hot | self.dead


class _Draws:
    """One random stream a name: changing one setting leaves what the others draw unchanged."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def stream(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, 1, crc32(name.encode())])

    def deviates(self, name: str, *shape: int) -> Array:
        """Draw normal deviates, clipped at two sigma: a bench is not set up at random."""
        return np.clip(self.stream(name).standard_normal(shape), -2.0, 2.0)


def converter_bits(geometry: MockGeometry, settings: MockSettings) -> int:
    """Return the bits in which the camera converts, at most those that the bench file declares."""
    return min(settings.camera.converter_bits or 16, geometry.camera_bit_depth)


def draw_truth(geometry: MockGeometry, settings: MockSettings, seed: int) -> Truth:
    """Draw the hidden quantities of the bench with this seed.

    Args:
        geometry: The nominal bench.
        settings: How large each hidden quantity is.
        seed: Of the draw.
    """
    settings, draws = settings.effective(), _Draws(seed)
    deviates = draws.deviates
    layers = geometry.layers
    tilts = np.empty((layers + 1, 2))
    tilts[0] = settings.beam.tilt_mrad * deviates("beam tilt", 2)
    tilts[1:] = settings.cavity.mirror_tilt_mrad * deviates("mirror tilt", 2)
    tilts[1:] += settings.cavity.bounce_tilt_mrad * deviates("bounce tilt", layers, 2)
    elliptic = settings.beam.ellipticity * deviates("ellipticity", 1)[0] * np.array([1.0, -1.0])
    waist_mm = geometry.waist_mm * (1.0 + settings.beam.waist_error * deviates("waist", 1)[0])
    modes = deviates("modes", len(BEAM_MODES), 2) @ np.array([1.0, 1j]) / np.sqrt(2.0)
    ghost_rng = draws.stream("ghost")
    ghost_angles = ghost_rng.uniform(0.5e-3, 2.0e-3, 2) * ghost_rng.choice([-1.0, 1.0], 2)
    ghost = [settings.beam.window_ghost, *ghost_angles, ghost_rng.uniform(0.0, 2.0 * np.pi)]
    edge = settings.cavity.mirror_edge * draws.stream("edge").uniform(0.5, 1.0)
    pitch_off = settings.slm.pitch_error * float(deviates("pitch", 1)[0])
    matrix, offset = _relay(geometry, settings, draws, 1.0 + pitch_off)
    counts = 2 ** converter_bits(geometry, settings)
    sensor = geometry.camera_shape
    hot, dead = (
        draws.stream(name).random(sensor) < settings.camera.defects for name in ("hot", "dead")
    )
    offsets = draws.stream("offset pattern").standard_normal(sensor)
    wavelength = settings.beam.wavelength_error * float(deviates("wavelength", 1)[0])
    gains = draws.stream("gain pattern").standard_normal(sensor)
    patches = (len(geometry.patch_lefts), *geometry.patch_shape)
    phase_noise = settings.slm.phase_noise_rad * draws.stream("phase noise").standard_normal(
        patches
    )
    stray_rng = draws.stream("stray light")
    stray = [
        settings.relay.stray,
        *stray_rng.uniform(-2e-3, 2e-3, 2),
        stray_rng.uniform(0.0, 2.0 * np.pi),
    ]
    return Truth(
        z_gap_mm=geometry.z_gap_mm
        * (1.0 + settings.cavity.gap_error * float(deviates("gap", 1)[0])),
        tilts_rad=tilts * 1e-3,
        waists_mm=waist_mm * (1.0 + elliptic),
        beam_centre_um=settings.beam.offset_um * deviates("beam centre", 2),
        beam_modes=settings.beam.structure * modes,
        ghost=np.array(ghost),
        mirror_edge=edge,
        mirror_reflectivity=1.0 - settings.cavity.mirror_loss,
        slm_reflectivity=1.0 - settings.slm.reflection_loss,
        phase_by_grey_rad=_phase_response(geometry, settings, draws),
        stroke_map=_stroke_map(geometry, settings, draws),
        backplane_rad=_backplane(geometry, settings, draws),
        crosstalk_px=settings.slm.crosstalk_px,
        dead_space=settings.slm.dead_space,
        dead_space_reflectance=settings.slm.dead_space_reflectance,
        flicker=settings.slm.flicker,
        dmd_efficiency=1.0 - settings.dmd.diffraction_loss,
        camera_matrix=matrix,
        camera_offset_px=offset,
        distortion=settings.relay.distortion * float(deviates("distortion", 1)[0]),
        defocus_mm=settings.relay.defocus_mm * float(deviates("defocus", 1)[0]),
        aberration_rad=settings.relay.aberration_rad * deviates("aberration", ABERRATION_TERMS),
        pedestal_counts=settings.camera.pedestal * counts,
        electrons_per_count=settings.camera.full_well_electrons / counts,
        read_noise_electrons=settings.camera.read_noise_electrons,
        dark_electrons_per_s=settings.camera.dark_electrons_per_s,
        shot_noise=settings.camera.shot_noise,
        offset_pattern_electrons=(settings.camera.offset_pattern_electrons * offsets).astype(
            np.float32
        ),
        gain_pattern=(1.0 + settings.camera.gain_pattern * gains).astype(np.float32),
        hot=hot,
        dead=dead,
        panel_dust=np.stack(
            [
                grains(geometry.patch_shape, settings.slm.dust, PANEL_GRAIN_PX, draws.stream(name))
                for name in (f"panel dust {left}" for left in geometry.patch_lefts)
            ]
        ),
        sensor_dust=grains(
            sensor, settings.camera.dust, SENSOR_GRAIN_PX, draws.stream("sensor dust")
        ),
        phase_error_rad=phase_noise.astype(np.float32),
        fringing_growth=settings.slm.fringing_growth,
        stray=np.array(stray),
        wavelength_off_nm=geometry.wavelength_nm * wavelength,
        pitch_off=pitch_off,
    )


def grains(
    shape: tuple[int, ...], count: int, across_px: float, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Return what round grains let through (h, w): 1 beside them, 0 behind them.

    Args:
        shape: (height, width), pixels.
        count: of the grains, anywhere in the middle nine tenths of each side.
        across_px: diameter of a grain.
        rng: draws the places.
    """
    passed = np.ones(shape, np.float32)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for _ in range(count):
        row, column = rng.uniform(0.05, 0.95, 2) * np.array(shape)
        passed[np.hypot(rows - row, columns - column) < across_px / 2.0] = 0.0
    return passed


def _phase_response(geometry: MockGeometry, settings: MockSettings, draws: _Draws) -> Array:
    levels = 2**geometry.slm_bit_depth
    grey = np.arange(levels) / (levels - 1.0)
    extra = settings.slm.stroke_spread * draws.stream("stroke").random()
    # With the effect off, the levels divide 2 pi as a driver without a table assumes.
    turns = 1.0 + extra if settings.slm.stroke_spread else (levels - 1.0) / levels
    total = 2.0 * np.pi * settings.slm.stroke * turns
    bend = settings.slm.lut_bend * draws.deviates("lut bend", 2)
    bent = bend[0] * np.sin(np.pi * grey) + bend[1] * np.sin(2.0 * np.pi * grey) / 2.0
    result: Array = total * (grey + bent)
    return result


def _patch_axes(geometry: MockGeometry) -> tuple[Array, Array]:
    """Return (h, 1) and (1, w), -1 ... 1 over the diagonal of a patch."""
    height, width = geometry.patch_shape
    half = np.hypot(height, width) / 2.0
    y = (np.arange(height) - (height - 1) / 2.0) / half
    x = (np.arange(width) - (width - 1) / 2.0) / half
    return y[:, None], x[None, :]


def _stroke_map(
    geometry: MockGeometry, settings: MockSettings, draws: _Draws
) -> npt.NDArray[np.float32]:
    """Draw a map smooth over the panel: two waves with periods of about the panel's size."""
    rng = draws.stream("stroke map")
    height, width = geometry.panel_shape
    y, x = np.mgrid[0:height, 0:width] / float(max(height, width))
    panel = np.zeros(geometry.panel_shape)
    for _ in range(2):
        ky, kx, phase = rng.uniform([-1.0, -1.0, 0.0], [1.0, 1.0, 1.0])
        panel += np.sin(2.0 * np.pi * (ky * y + kx * x + phase))
    patches = np.stack([panel[place] for place in geometry.patches])
    return (1.0 + settings.slm.lut_variation * patches).astype(np.float32)


def _backplane(
    geometry: MockGeometry, settings: MockSettings, draws: _Draws
) -> npt.NDArray[np.float32]:
    """Draw astigmatism and curvature, patch by patch, radians."""
    y, x = _patch_axes(geometry)
    weights = draws.deviates("backplane", len(geometry.patch_lefts), BACKPLANE_TERMS)
    weights *= settings.slm.backplane_rad / np.sqrt(BACKPLANE_TERMS)
    return np.stack([surface(w, BACKPLANE_FIRST, y, x) for w in weights]).astype(np.float32)


def _relay(
    geometry: MockGeometry, settings: MockSettings, draws: _Draws, pitch: float
) -> tuple[Array, Array]:
    angle = np.deg2rad(settings.relay.rotation_deg * draws.deviates("rotation", 1)[0])
    scale = 1.0 + settings.relay.magnification_error * draws.deviates("magnification", 1)[0]
    scale *= geometry.magnification * geometry.pixel_pitch_um * pitch / geometry.camera_pitch_um
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    plane_centre = (np.array(geometry.patch_shape) - 1) / 2
    sensor_centre = (np.array(geometry.camera_shape) - 1) / 2
    shift = settings.relay.offset_px * draws.deviates("camera offset", 2)
    return matrix, sensor_centre - matrix @ plane_centre + shift
