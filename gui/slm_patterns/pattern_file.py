"""SLM patterns as files: .npy (radians, or whole-number levels) and grey pictures (levels of a turn)."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError, reading

Phase = npt.NDArray[np.float32]
TURN_RAD = 2.0 * np.pi
LEVELS = 256
"""Grey levels of a turn in 8-bit pictures and in whole-number arrays."""
LEVELS_16_BIT = 65536
"""Grey levels of a turn in 16-bit pictures."""
PICTURES = (".png", ".bmp", ".tif", ".tiff")
WRITTEN = (".npy", ".png")
READ_FILTER = f"Patterns (*.npy {' '.join(f'*{ending}' for ending in PICTURES)})"
WRITE_FILTER = f"Patterns ({' '.join(f'*{ending}' for ending in WRITTEN)})"
"""Files that a dialog offers to be read, and to be written."""
EXACT_RAD = 1e3
"""Largest phase that single precision resolves to 0.1 mrad; beyond it phases are wrapped first."""
MOST_RAD = 1e12
"""Largest phase whose place within 2 pi is still known in double precision, to 0.1 mrad."""
MANY_TURNS = 8.0
"""Turns that a pattern spans beyond which its unit may be another; a lens spans some turns too."""
MOST_PIXELS = 1 << 26


def load_pattern(path: Path, shape: tuple[int, int] | None) -> Phase:
    """Return a file's phase.

    Args:
        path: .npy of radians, or of whole numbers 0 ... 255 (levels of a turn); .png, .bmp, .tif of
            8 or 16 bits grey, or of three equal channels.
        shape: (height, width) of the SLM; None: the file may have any.

    Returns:
        (height, width) radians; phases beyond 1000 rad are wrapped.

    Raises:
        UserError: unless the file holds one pattern of that shape.

    Example:
        >>> phase = load_pattern(Path("blaze.npy"), (1080, 1920))
    """
    kind = path.suffix.lower()
    if kind not in (".npy", *PICTURES):
        raise UserError(
            f"{path}: allowed are .npy (radians) and {', '.join(PICTURES)} (grey levels)"
        )
    with reading(path, "a pattern"):
        return _from_npy(path, shape) if kind == ".npy" else _from_picture(path, shape)


def range_note(phase_rad: Phase) -> str:
    """Return a sentence where a pattern spans so many turns that its unit may be another; else nothing."""
    turns = float(np.ptp(phase_rad)) / TURN_RAD
    if turns <= MANY_TURNS:
        return ""
    return f"spans {turns:.1f} turns; if its numbers are degrees or grey levels, convert them to radians"


def save_pattern(path: Path, phase_rad: npt.NDArray[np.floating]) -> None:
    """Write a phase as it is (.npy), or as the nearest of 256 levels (.png).

    Raises:
        UserError: if phases are not finite, the kind is another, or the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in WRITTEN:
        raise UserError(f"{path}: allowed are .npy (radians) and .png (8-bit grey)")
    if not np.isfinite(phase_rad).all():
        raise UserError(f"{path}: the pattern holds values that are not finite; it is not saved")
    content = io.BytesIO()
    if kind == ".npy":
        np.save(content, np.asarray(phase_rad, np.float32), allow_pickle=False)
    else:
        turns = np.asarray(phase_rad, np.float64) / TURN_RAD
        levels = np.mod(np.rint(turns * LEVELS), LEVELS).astype(np.uint8)
        Image.fromarray(levels).save(content, "PNG")
    try:
        write_atomically(path, content.getbuffer())
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def _require_shape(path: Path, found: tuple[int, ...], shape: tuple[int, int] | None) -> None:
    if shape is None and (len(found) != 2 or not 0 < found[0] * found[1] <= MOST_PIXELS):
        raise UserError(
            f"{path}: {' x '.join(map(str, found))}; needs one pattern of 1 ... {MOST_PIXELS} pixels"
        )
    if shape is not None and found != shape:
        raise UserError(
            f"{path}: a pattern of {' x '.join(map(str, found))} (height x width); "
            f"the SLM has {shape[0]} x {shape[1]}"
        )


def _from_npy(path: Path, shape: tuple[int, int] | None) -> Phase:
    # Mapped: the shape of a file of any size is known before its pixels are read.
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise UserError(f"{path}: needs one array of numbers, phases in radians")
    _require_shape(path, array.shape, shape)
    if array.dtype.kind in "iu":
        low, high = int(array.min()), int(array.max())
        if low < 0 or high >= LEVELS:
            raise UserError(
                f"{path}: whole numbers from {low} to {high}; as grey levels allowed are 0 ... "
                f"{LEVELS - 1}; store radians as floats"
            )
        return np.asarray(array * (TURN_RAD / LEVELS), np.float32)
    phase = np.array(array, np.float64)
    if not np.isfinite(phase).all():
        raise UserError(f"{path}: holds values that are not finite; a pattern is radians")
    largest = float(np.abs(phase).max(initial=0.0))
    if largest > MOST_RAD:
        raise UserError(
            f"{path}: holds {largest:.3g}; a phase beyond {MOST_RAD:g} rad has no place within 2 pi"
        )
    if largest > EXACT_RAD:
        phase = np.mod(phase, TURN_RAD)
    return phase.astype(np.float32)


def _from_picture(path: Path, shape: tuple[int, int] | None) -> Phase:
    with Image.open(path) as image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise UserError(f"{path}: {width} x {height} pixels; too large for an SLM pattern")
        _require_shape(path, (height, width), shape)
        levels, turn = _levels(path, image)
    return np.asarray(levels * (TURN_RAD / turn), np.float32)


def _levels(path: Path, image: Image.Image) -> tuple[npt.NDArray[np.float64], int]:
    """Return the picture's grey levels, and how many of them make a turn."""
    if image.mode == "L":
        return np.asarray(image, np.float64), LEVELS
    if image.mode.startswith("I"):
        levels = np.asarray(image).astype(np.float64)
        if levels.min() < 0 or levels.max() >= LEVELS_16_BIT:
            raise UserError(
                f"{path}: levels from {levels.min():g} to {levels.max():g}; allowed 16 bits"
            )
        return levels, LEVELS_16_BIT
    if image.mode in ("RGB", "RGBA", "P"):
        channels = np.asarray(image.convert("RGBA"), np.float64)
        grey = channels[..., 0]
        equal = (channels[..., 1] == grey).all() and (channels[..., 2] == grey).all()
        if equal and (channels[..., 3] == 255).all():
            return grey, LEVELS
        raise UserError(
            f"{path}: a colour or transparent picture; needs grey levels, {LEVELS} a turn, in one "
            "channel or in three equal ones"
        )
    raise UserError(
        f"{path}: a picture of mode {image.mode}; needs 8 or 16 bits of grey, {LEVELS} or "
        f"{LEVELS_16_BIT} levels a turn"
    )
