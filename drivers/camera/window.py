"""The window that a camera reads out for one that is asked for: cameras know steps, experiments do not."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.types import CountArray, Roi


@dataclass(frozen=True, slots=True)
class Steps:
    """What one axis of a camera's window allows, in pixels.

    length: of the sensor. shortest, step: of the window. offset_step: of its first pixel; 0 if the window
    cannot be moved, and then it is not changed at all.
    """

    length: int
    shortest: int = 1
    step: int = 1
    offset_step: int = 1

    def around(self, first: int, length: int) -> tuple[int, int]:
        """Return (first, length) of the smallest allowed window that holds the one asked for."""
        if self.offset_step == 0:
            return 0, self.length
        start = first - first % self.offset_step
        wanted = max(first + length - start, self.shortest)
        taken = self.shortest + -(-(wanted - self.shortest) // self.step) * self.step
        if start + taken > self.length:
            # As far towards the edge as fits; a sensor that is no whole number of steps is read whole.
            start = max(self.length - taken, 0)
            start -= start % self.offset_step
            if start + taken < first + length or start + taken > self.length:
                return 0, self.length
        return start, taken


@dataclass(frozen=True, slots=True)
class ReadWindow:
    """asked: what the user gets. read: what the camera sends."""

    asked: Roi
    read: Roi

    @classmethod
    def around(cls, asked: Roi, rows: Steps, columns: Steps) -> ReadWindow:
        """Return the smallest window that the camera can read out around one.

        Args:
            asked: the window asked for.
            rows: steps of top and height.
            columns: steps of left and width.
        """
        top, height = rows.around(asked.top, asked.height)
        left, width = columns.around(asked.left, asked.width)
        return cls(asked, Roi(top, left, height, width))

    def cut(self, pixels: CountArray) -> CountArray:
        """Return the pixels that were asked for, of those that were read."""
        top, left = self.asked.top - self.read.top, self.asked.left - self.read.left
        return pixels[top : top + self.asked.height, left : left + self.asked.width]
