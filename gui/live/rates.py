"""A counter of frames, and their rate."""

from __future__ import annotations

from collections import deque

WINDOW_S = 2.0


class Rate:
    """A count and its rate over the last two seconds; the clock's time is given, in seconds."""

    def __init__(self) -> None:
        self.count = 0
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, now_s: float, count: int = 1) -> None:
        """Count frames that have come now."""
        self.count += count
        self._seen.append((now_s, self.count))
        self._forget(now_s)

    def per_s(self, now_s: float) -> float:
        """Return the rate over the last two seconds; 0 before there are two frames, or after none came."""
        self._forget(now_s)
        if len(self._seen) < 2:
            return 0.0
        (first_s, first), (_, last) = self._seen[0], self._seen[-1]
        # Up to now and not to the last frame: the rate must fall when frames do not come any more.
        last_s = max(self._seen[-1][0], now_s - (self._seen[-1][0] - first_s) / (last - first))
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0

    def _forget(self, now_s: float) -> None:
        while self._seen and now_s - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()
