"""Phases whose diffraction is well known, to see that an SLM displays what it is sent.

Shapes are (height, width); x grows with the column, y with the row, both from the panel's middle. Positive
slopes of phase send the light to positive x and y (exp(i k r), as in `twin.propagation`).
"""

from __future__ import annotations

from math import factorial

import numpy as np
import numpy.typing as npt

Phase = npt.NDArray[np.float32]
TURN_RAD = 2.0 * np.pi

NOLL = (
    ("piston", 0, 0),
    ("tilt x", 1, 1),
    ("tilt y", 1, -1),
    ("defocus", 2, 0),
    ("oblique astigmatism", 2, -2),
    ("vertical astigmatism", 2, 2),
    ("vertical coma", 3, -1),
    ("horizontal coma", 3, 1),
    ("vertical trefoil", 3, -3),
    ("oblique trefoil", 3, 3),
    ("spherical", 4, 0),
)
"""Name, radial order n and azimuthal order m of the Zernike polynomials in Noll's order, from 1 on."""


def uniform_phase(shape: tuple[int, int], phase_rad: float) -> Phase:
    """Return one phase everywhere."""
    return np.full(shape, phase_rad, np.float32)


def two_level(
    shape: tuple[int, int], low_rad: float, high_rad: float, angle_deg: float = 0.0
) -> Phase:
    """Return two halves with a phase each: a step, as knife-edge and stroke measurements use it.

    Args:
        shape: (height, width), px.
        low_rad: Phase of the first half.
        high_rad: Phase of the half towards `angle_deg`.
        angle_deg: Direction from the first half to the second, from x towards y.
    """
    return np.where(_along(shape, angle_deg) > 0.0, high_rad, low_rad).astype(np.float32)


def binary_grating(
    shape: tuple[int, int], period_px: float, contrast_rad: float, angle_deg: float = 0.0
) -> Phase:
    """Return bars of 0 and of contrast_rad, half a period wide each; pi empties the zero order.

    Args:
        shape: (height, width), px.
        period_px: Pixels per period.
        contrast_rad: Phase of every second bar.
        angle_deg: Direction across the bars, from x towards y.

    Raises:
        ValueError: For a period below two pixels, which has no bars.
    """
    if period_px < 2.0:
        raise ValueError(f"a period of {period_px:g} px; allowed is 2 or more")
    # From the corner on, so that whole periods have whole pixels; rounding moves no bar.
    start = _along(shape, angle_deg)
    place = (start - start.min() + 1e-6) / period_px
    return np.asarray(np.floor(2.0 * place) % 2 * contrast_rad, np.float32)


def vortex(shape: tuple[int, int], charge: int) -> Phase:
    """Return a phase that turns `charge` times around the middle; negative: the other way."""
    x, y = _places(shape)
    return (charge * np.arctan2(y, x)).astype(np.float32)


def random_phase(shape: tuple[int, int], cell_px: int, contrast_rad: float, seed: int) -> Phase:
    """Return squares of phases drawn evenly from 0 ... contrast_rad: a diffuser.

    Args:
        shape: (height, width), px.
        cell_px: Side of a square.
        contrast_rad: Greatest phase.
        seed: Of the draw.

    Raises:
        ValueError: For a cell below one pixel.
    """
    if cell_px < 1:
        raise ValueError(f"cells of {cell_px} px; allowed is 1 or more")
    height, width = (-(-length // cell_px) for length in shape)
    drawn = np.random.default_rng(seed).uniform(0.0, contrast_rad, (height, width))
    whole = drawn.repeat(cell_px, axis=0).repeat(cell_px, axis=1)
    return np.asarray(whole[: shape[0], : shape[1]], np.float32)


def aperture(
    shape: tuple[int, int], diameter_px: float, x_px: float = 0.0, y_px: float = 0.0
) -> Phase:
    """Return a flat circle in a checkerboard of pi, pixel by pixel, which sends the light around it away.

    Args:
        shape: (height, width), px.
        diameter_px: Of the circle.
        x_px: Of its middle, from that of the pattern, to the right.
        y_px: The same, downwards.
    """
    x, y = _places(shape)
    outside = np.hypot(x - x_px, y - y_px) > diameter_px / 2.0
    return np.where(outside, checkerboard(shape, 1), 0.0).astype(np.float32)


def _along(shape: tuple[int, int], angle_deg: float) -> npt.NDArray[np.float64]:
    """Return the distance of each pixel from the middle along a direction, px."""
    x, y = _places(shape)
    angle = np.deg2rad(angle_deg)
    return np.asarray(x * np.cos(angle) + y * np.sin(angle))


def blaze(shape: tuple[int, int], period_px: float, angle_deg: float = 0.0) -> Phase:
    """Return a tilt of 2 pi a period: all light goes into one order, at wavelength / (period * pitch).

    Args:
        shape: (height, width), px.
        period_px: Pixels per 2 pi; negative for the opposite slope.
        angle_deg: Direction, from x towards y.

    Raises:
        ValueError: For a period below two pixels, which is no blaze.
    """
    if abs(period_px) < 2.0:
        raise ValueError(f"a period of {period_px:g} px; allowed is 2 or more, or -2 or less")
    return np.asarray(TURN_RAD / period_px * _along(shape, angle_deg), np.float32)


def checkerboard(shape: tuple[int, int], cell_px: int, contrast_rad: float = float(np.pi)) -> Phase:
    """Return squares of 0 and of contrast_rad; with pi no light is left in the zero order.

    Args:
        shape: (height, width), px.
        cell_px: Side of a square.
        contrast_rad: Phase of every second square.

    Raises:
        ValueError: For a cell below one pixel.
    """
    if cell_px < 1:
        raise ValueError(f"cells of {cell_px} px; allowed is 1 or more")
    rows, columns = np.indices(shape)
    odd = (rows // cell_px + columns // cell_px) % 2
    return np.asarray(odd * contrast_rad, np.float32)


def lens(
    shape: tuple[int, int], focal_mm: float, wavelength_nm: float, pixel_pitch_um: float
) -> Phase:
    """Return a thin lens: phase -pi r^2 / (wavelength * f).

    At r = wavelength * f / (2 * pitch) it has pi a pixel; further out it is no lens any more, see
    `shortest_focal_mm`.

    Args:
        shape: (height, width), px.
        focal_mm: Focal length; negative for a diverging lens.
        wavelength_nm: Wavelength of the light.
        pixel_pitch_um: Pitch of the pixels.

    Raises:
        ValueError: For a focal length of 0.
    """
    if focal_mm == 0.0:
        raise ValueError("a focal length of 0 mm; allowed is any other")
    x, y = _places(shape)
    square_um2 = (x**2 + y**2) * pixel_pitch_um**2
    scale = -np.pi / (wavelength_nm * 1e-3 * focal_mm * 1e3)
    return (scale * square_um2).astype(np.float32)


def shortest_focal_mm(shape: tuple[int, int], wavelength_nm: float, pixel_pitch_um: float) -> float:
    """Return the shortest focal length whose phase the pixels resolve, up to the panel's longer edge.

    Args:
        shape: (height, width), px.
        wavelength_nm: Wavelength of the light.
        pixel_pitch_um: Pitch of the pixels.
    """
    edge_px = max(shape) / 2.0
    return 2.0 * edge_px * pixel_pitch_um**2 / (wavelength_nm * 1e-3) * 1e-3


def zernike(shape: tuple[int, int], waves: dict[int, float]) -> Phase:
    """Return a sum of Zernike polynomials on the largest circle in the panel, continued outside it.

    Source: Noll, JOSA 66, 207 (1976).

    Args:
        shape: (height, width), px.
        waves: rms amplitudes in waves (2 pi) by Noll's number, 1 ... 11.

    Raises:
        ValueError: For another number.
    """
    x, y = _places(shape)
    radius = min(shape) / 2.0
    rho, theta = np.hypot(x, y) / radius, np.arctan2(y, x)
    total = np.zeros(shape)
    for number, amplitude in waves.items():
        if not 1 <= number <= len(NOLL):
            raise ValueError(f"Zernike polynomial {number}; allowed are 1 ... {len(NOLL)}")
        _, n, m = NOLL[number - 1]
        total += TURN_RAD * amplitude * _zernike(n, m, rho, theta)
    return total.astype(np.float32)


def _zernike(
    n: int, m: int, rho: npt.NDArray[np.float64], theta: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return a polynomial in Noll's normalisation: mean square 1 on the unit circle."""
    order = abs(m)
    radial = np.zeros_like(rho)
    for k in range((n - order) // 2 + 1):
        weight = factorial(n - k) / (
            factorial(k) * factorial((n + order) // 2 - k) * factorial((n - order) // 2 - k)
        )
        radial += (-1) ** k * weight * rho ** (n - 2 * k)
    if m == 0:
        return np.asarray(np.sqrt(n + 1) * radial)
    turn = np.cos(order * theta) if m > 0 else np.sin(order * theta)
    return np.asarray(np.sqrt(2 * (n + 1)) * radial * turn)


def _places(shape: tuple[int, int]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return (x, y) of each pixel's centre from the panel's middle, in pixels."""
    rows, columns = np.indices(shape, dtype=np.float64)
    return columns - (shape[1] - 1) / 2.0, rows - (shape[0] - 1) / 2.0
