"""SLM patterns as files: .npy (radians) and .png (8-bit grey, 256 levels a turn)."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from labdiff.atomic_write import write_whole
from labdiff.errors import UserError

Phase = npt.NDArray[np.float32]
TURN_RAD = 2.0 * np.pi
LEVELS = 256
KINDS = (".npy", ".png")


def load_pattern(path: Path, shape: tuple[int, int]) -> Phase:
    """A phase, (height, width), radians. Raises UserError unless the file holds one of that shape."""
    kind = _kind(path)
    try:
        phase = _from_npy(path) if kind == ".npy" else _from_png(path)
        if phase.shape != shape:
            raise UserError(
                f"{path}: a pattern of {' x '.join(map(str, phase.shape))} (height x width); "
                f"the SLM has {shape[0]} x {shape[1]}"
            )
        result: Phase = np.array(phase, np.float32)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnidentifiedImageError:
        raise UserError(f"{path}: not a PNG image") from None
    except Image.DecompressionBombError:
        raise UserError(f"{path}: too large for an SLM pattern") from None
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: cannot be read as a pattern: {error}") from None
    if kind == ".png":
        return np.asarray(result * (TURN_RAD / LEVELS), np.float32)
    if not np.isfinite(result).all():
        raise UserError(f"{path}: holds values that are not finite; a pattern is radians")
    return result


def save_pattern(path: Path, phase_rad: npt.NDArray[np.floating]) -> None:
    """Write radians as they are (.npy), or as the nearest of 256 levels (.png). Raises UserError."""
    content = io.BytesIO()
    if _kind(path) == ".npy":
        np.save(content, np.asarray(phase_rad, np.float32), allow_pickle=False)
    else:
        levels = np.mod(np.rint(phase_rad / TURN_RAD * LEVELS), LEVELS).astype(np.uint8)
        Image.fromarray(levels).save(content, "PNG")
    try:
        write_whole(path, content.getbuffer())
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def _from_npy(path: Path) -> npt.NDArray[np.generic]:
    # Mapped: the shape of a file of any size is known before its pixels are read.
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise UserError(f"{path}: needs one array of numbers, phases in radians")
    return array


def _from_png(path: Path) -> npt.NDArray[np.generic]:
    with Image.open(path, formats=["PNG"]) as image:
        if image.mode != "L":
            raise UserError(
                f"{path}: a PNG of mode {image.mode}; needs 8-bit grey (mode L), 256 levels a turn"
            )
        return np.asarray(image)


def _kind(path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise UserError(f"{path}: allowed are .npy (radians) and .png (8-bit grey)")
    return kind
