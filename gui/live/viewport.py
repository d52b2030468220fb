"""The part of the sensor in view, and its scale."""

from __future__ import annotations

from dataclasses import dataclass, replace

LEAST_SCALE, MOST_SCALE = 1.0 / 64.0, 64.0


@dataclass(frozen=True, slots=True)
class Viewport:
    """The map from sensor pixels to a widget's points: (x, y) of a point = scale * (column, row) + offset.

    Points are Qt's logical pixels; a device pixel is 1 / device_pixel_ratio of one.

    Attributes:
        scale: Points per sensor pixel.
        x: Point of the sensor's first corner, to the right.
        y: Point of the sensor's first corner, downwards.
    """

    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    @classmethod
    def fit(
        cls, top: float, left: float, height: float, width: float, points: tuple[float, float]
    ) -> Viewport:
        """Return the map that shows a part of the sensor as large as possible, centred.

        Args:
            top: First row of the part.
            left: First column of the part.
            height: Rows of the part.
            width: Columns of the part.
            points: (width, height) of the widget.
        """
        if min(height, width, *points) <= 0:
            return cls()
        scale = min(points[0] / width, points[1] / height)
        x = points[0] / 2.0 - scale * (left + width / 2.0)
        return cls(scale, x, points[1] / 2.0 - scale * (top + height / 2.0))

    def zoomed(self, factor: float, x: float, y: float) -> Viewport:
        """Return the map scaled by a factor about the point (x, y).

        Args:
            factor: Above 1 to zoom in.
            x: Point that stays where it is, to the right.
            y: Point that stays where it is, downwards.
        """
        scale = min(max(self.scale * factor, LEAST_SCALE), MOST_SCALE)
        grown = scale / self.scale
        return Viewport(scale, x - grown * (x - self.x), y - grown * (y - self.y))

    def moved(self, dx: float, dy: float) -> Viewport:
        """Return the map shifted by (dx, dy) points."""
        return replace(self, x=self.x + dx, y=self.y + dy)

    def snapped(self, device_pixel_ratio: float) -> Viewport:
        """Return the map on the device's pixel grid: 1:1 paints each sensor pixel on one device pixel."""
        ratio = device_pixel_ratio
        return replace(self, x=round(self.x * ratio) / ratio, y=round(self.y * ratio) / ratio)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return the (row, column) on the sensor of a point."""
        return (y - self.y) / self.scale, (x - self.x) / self.scale

    def point(self, row: float, column: float) -> tuple[float, float]:
        """Return the point (x, y) of a place on the sensor."""
        return column * self.scale + self.x, row * self.scale + self.y
