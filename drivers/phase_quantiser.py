"""Radians to grey levels: wrap, and quantise by a look-up table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceValueError
from drivers.types import FloatArray

TURN_RAD = 2.0 * np.pi
_STEPS = 4096
_PIECE = 32_768


class PhaseQuantiser:
    """Nearest grey level for any phase, modulo 2 pi.

    phase_by_grey_rad: the phase of each grey level, (2**bits,); linear over 2 pi if not measured.
    Only levels within one turn of the lowest phase are used: where a panel reaches further, two levels
    a turn apart would take turns from pixel to pixel, and each change between them is a full flank of
    2 pi in the crystal, which scatters light.
    The inverse is tabulated in 4096 steps (1.5 mrad), a sixteenth of an 8-bit level; realised_by_step
    (4096,) is the phase that is displayed for each of them.
    Raises DeviceValueError for a table of the wrong length or with values that are not finite.
    """

    def __init__(self, bits: int, phase_by_grey_rad: FloatArray | None = None) -> None:
        levels = 2**bits
        if phase_by_grey_rad is None:
            phase_by_grey_rad = np.arange(levels) * (TURN_RAD / levels)
        table = np.asarray(phase_by_grey_rad, dtype=np.float64)
        if table.shape != (levels,) or not np.isfinite(table).all():
            raise DeviceValueError(
                f"phase look-up table: shape {table.shape}; needs {levels} finite phases in radians"
            )
        once = table - table.min() < TURN_RAD
        # From 0 on, as the crystal has it: a measured table may dip a hair below, and a phase of -0.001
        # would be taken for one of 2 pi.
        self._phase_rad = (table - table.min()).astype(np.float32)
        wanted = (np.arange(_STEPS) + 0.5) * (TURN_RAD / _STEPS)
        apart = np.abs(wanted[:, None] - np.mod(table, TURN_RAD)[None, :])
        around = np.where(once, np.minimum(apart, TURN_RAD - apart), np.inf)
        self._grey = around.argmin(axis=1).astype(np.uint8 if bits <= 8 else np.uint16)
        self.realised_by_step: npt.NDArray[np.float32] = self._phase_rad[self._grey]

    def __call__(self, phase_rad: FloatArray) -> npt.NDArray[Any]:
        """Return the grey levels of phases, of the same shape."""
        phase = np.asarray(phase_rad, dtype=np.float32, order="C")
        grey: npt.NDArray[Any] = np.empty(phase.shape, self._grey.dtype)
        into, flat = grey.reshape(-1), phase.reshape(-1)
        # In pieces that stay in the processor's cache: a whole panel would go to memory and back six times.
        turns, whole = np.empty(_PIECE, np.float32), np.empty(_PIECE, np.float32)
        index = np.empty(_PIECE, np.int32)
        for start in range(0, flat.size, _PIECE):
            piece = flat[start : start + _PIECE]
            turn, floor, step = turns[: piece.size], whole[: piece.size], index[: piece.size]
            np.multiply(piece, np.float32(1.0 / TURN_RAD), out=turn)
            np.subtract(turn, np.floor(turn, out=floor), out=turn)
            np.multiply(turn, np.float32(_STEPS), out=turn)
            np.copyto(step, turn, casting="unsafe")
            # The last index is met by a phase a hair below a whole turn.
            self._grey.take(step, out=into[start : start + _PIECE], mode="clip")
        return grey

    def realised(self, phase_rad: FloatArray) -> npt.NDArray[np.float32]:
        """Return the phases that the levels chosen for these phases give, by the table."""
        phases: npt.NDArray[np.float32] = self._phase_rad[self(phase_rad)]
        return phases


def check_pattern(name: str, pattern: FloatArray, shape: tuple[int, int]) -> None:
    """Raise DeviceValueError unless a pattern has the panel's shape and only finite values.

    Args:
        name: of the device, for the message.
        pattern: (height, width).
        shape: of the panel.
    """
    if pattern.shape != shape:
        raise DeviceValueError(f"{name}: pattern of shape {pattern.shape}; the panel is {shape}")
    if not np.isfinite(pattern).all():
        raise DeviceValueError(f"{name}: pattern holds values that are not finite")
