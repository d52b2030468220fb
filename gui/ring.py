"""Pictures through shared memory: a small ring, written by the job, copied out by the window."""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.float32]
HEADER_BYTES = 64


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where pictures lie: the slot, the number that the slot must still carry, shapes by name."""

    slot: int
    number: int
    shapes: tuple[tuple[str, tuple[int, ...]], ...]


class Ring:
    """`slots` slots of float32 pictures; the writer never waits, a late reader gets nothing."""

    def __init__(self, memory: SharedMemory, slots: int, slot_bytes: int) -> None:
        self.memory, self.slots, self.slot_bytes = memory, slots, slot_bytes
        self._written = 0

    @classmethod
    def create(cls, slots: int = 8, slot_bytes: int = 8 << 20) -> Ring:
        """A new ring; its creator calls `release(unlink=True)`."""
        size = slots * (HEADER_BYTES + slot_bytes)
        return cls(SharedMemory(create=True, size=size), slots, slot_bytes)

    @classmethod
    def attach(cls, name: str, slots: int, slot_bytes: int) -> Ring:
        """The ring that another process created."""
        return cls(SharedMemory(name=name), slots, slot_bytes)

    def _number(self, slot: int) -> npt.NDArray[np.int64]:
        offset = slot * (HEADER_BYTES + self.slot_bytes)
        return np.ndarray((1,), np.int64, self.memory.buf, offset)

    def _pixels(self, slot: int, count: int) -> Picture:
        offset = slot * (HEADER_BYTES + self.slot_bytes) + HEADER_BYTES
        return np.ndarray((count,), np.float32, self.memory.buf, offset)

    def write(self, pictures: dict[str, Picture]) -> Ticket | None:
        """Copy pictures into the next slot; None if they are larger than a slot."""
        total = sum(picture.size for picture in pictures.values())
        if total * 4 > self.slot_bytes:
            return None
        self._written += 1
        slot = self._written % self.slots
        number = self._number(slot)
        number[0] = -self._written  # being written
        pixels, at = self._pixels(slot, total), 0
        for picture in pictures.values():
            pixels[at : at + picture.size] = picture.ravel()
            at += picture.size
        number[0] = self._written
        return Ticket(slot, self._written, tuple((k, p.shape) for k, p in pictures.items()))

    def read(self, ticket: Ticket) -> dict[str, Picture] | None:
        """Copies of the pictures, or None if the slot was written over meanwhile."""
        number = self._number(ticket.slot)
        if number[0] != ticket.number:
            return None
        total = sum(int(np.prod(shape)) for _, shape in ticket.shapes)
        pixels, at = self._pixels(ticket.slot, total).copy(), 0
        if number[0] != ticket.number:
            return None
        pictures: dict[str, Picture] = {}
        for name, shape in ticket.shapes:
            size = int(np.prod(shape))
            pictures[name] = pixels[at : at + size].reshape(shape)
            at += size
        return pictures

    def release(self, unlink: bool = False) -> None:
        """Let go of the memory; its creator also unlinks it."""
        self.memory.close()
        if unlink:
            self.memory.unlink()
