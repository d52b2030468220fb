"""Pictures from the bench's process to the window, through shared memory."""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing import shared_memory
from typing import Any

import numpy as np
import numpy.typing as npt

SLOTS = 8
SLOT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PictureNote:
    """Where pictures lie in the ring: slot, a running number, and (name, shape) of each."""

    slot: int
    number: int
    parts: tuple[tuple[str, tuple[int, ...]], ...]


class PictureRing:
    """A ring of slots in shared memory; float32 pictures one behind the other in a slot.

    The window creates it and gives its name to the bench's process. A slot begins with its running
    number, so that a reader notices that pictures were overwritten, and drops them.

    Args:
        name: Name of a ring that another process created; None to create one.
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            self._memory = shared_memory.SharedMemory(create=True, size=SLOTS * SLOT_BYTES)
        else:
            self._memory = shared_memory.SharedMemory(name)
        self._owner = name is None
        self._next = 0

    @property
    def name(self) -> str:
        """Name by which the other process finds the ring."""
        return self._memory.name

    def put(self, pictures: dict[str, npt.NDArray[np.float32]]) -> PictureNote | None:
        """Write pictures and return where they lie; None if they are too large for a slot."""
        if 8 + sum(4 * p.size for p in pictures.values()) > SLOT_BYTES:
            return None
        slot, self._next = self._next % SLOTS, self._next + 1
        first = slot * SLOT_BYTES
        number = self._view((1,), np.int64, first)
        number[0] = -1
        offset, parts = first + 8, []
        for name, picture in pictures.items():
            self._view(picture.shape, np.float32, offset)[...] = picture
            parts.append((name, tuple(int(n) for n in picture.shape)))
            offset += 4 * picture.size
        number[0] = self._next
        return PictureNote(slot, self._next, tuple(parts))

    def get(self, note: PictureNote) -> dict[str, npt.NDArray[np.float32]] | None:
        """Return copies of the pictures; None if they were overwritten meanwhile."""
        first = note.slot * SLOT_BYTES
        number = self._view((1,), np.int64, first)
        found, offset = {}, first + 8
        for name, shape in note.parts:
            found[name] = self._view(shape, np.float32, offset).copy()
            offset += found[name].nbytes
        return found if int(number[0]) == note.number else None

    def _view(self, shape: tuple[int, ...], dtype: Any, offset: int) -> npt.NDArray[Any]:
        return np.ndarray(shape, dtype, self._memory.buf, offset)

    def close(self) -> None:
        """Release the memory, and remove it if this process created it."""
        self._memory.close()
        if self._owner:
            self._memory.unlink()
