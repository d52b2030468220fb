"""Small steps of grey level on blocks of the last patch, and the frames that follow each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.layout import PatchLayout
from calibration.observed_slm import ObservedSLM, TimeSource

Array = npt.NDArray[np.float64]
BLOCKS = 8
"""Blocks along each side of the patch, about half of which change."""
STEP_SHARE = 1.0 / 12.0
"""Step of the grey level, share of all levels: half a radian of a stroke of 2 pi."""
MOST_PIXELS = 100_000
QUANTILE = 0.999
LEAST_CHANGE = 10.0
"""By how many deviations of noise a step has to change the frame."""
SPREAD_FRAMES = 10


@dataclass(frozen=True, slots=True)
class WatchedStep:
    """Frames of one step. after_ms: (K,) middles of the exposures after the command, the last at rest.

    frames: (1 + K, pixels), counts over their rms; the first shows the state before the step. again: a
    second frame of the last one's state, so that noise does not add up.
    """

    after_ms: Array
    frames: Array
    again: Array

    @property
    def change(self) -> float:
        """Return the square of the whole step's change, which noise does not bias."""
        start, end = self.frames[0], self.frames[-1]
        of_start = float(np.sum((end - self.again) ** 2)) / 2.0
        return float((start - end) @ (start - self.again)) - of_start

    @property
    def seen(self) -> bool:
        """Return whether the step changes the frame by more than its noise."""
        noise = float(np.mean((self.frames[-1] - self.again) ** 2)) / 2.0
        return bool(self.change > LEAST_CHANGE * noise * np.sqrt(self.frames.shape[1]))

    def left(self, number: int) -> float:
        """Return the share of the step that is left in the frame of a number, from 1 on."""
        start, end = self.frames[0], self.frames[-1]
        return float((self.frames[number] - end) @ (start - self.again)) / self.change

    def tau_ms(self) -> float:
        """Return the time constant by the frame of which about a tenth is left."""
        left = np.array([self.left(number) for number in range(1, len(self.after_ms))])
        chosen = int(np.abs(np.log(np.clip(left, 1e-3, 0.97) / 0.2)).argmin())
        return float(self.after_ms[chosen] / -np.log(np.clip(left[chosen], 1e-3, 0.97)))


class WatchedSteps:
    """The blocks, and where they stand. frames: taken so far. picture: the last of them, or None."""

    def __init__(
        self, bench: ObservedSLM, layout: PatchLayout, clock: TimeSource, seed: int
    ) -> None:
        self._bench, self._slm, self._camera = bench, bench.slm, bench.camera
        self._clock, self._rng = clock, np.random.default_rng(seed)
        levels = 2**bench.slm.bit_depth
        height, width = layout.patch_shape
        rows, columns = (np.arange(side) * BLOCKS // side for side in (height, width))
        step = STEP_SHARE * levels
        base = self._rng.uniform(0.2, 0.6, (BLOCKS, BLOCKS)) * levels
        moving = self._rng.random((BLOCKS, BLOCKS)) < 0.5
        top, left = layout.top, layout.lefts[-1]
        self._panels = []
        for grey in (base, base + step * moving):
            panel = np.zeros(layout.panel_shape)
            panel[top : top + height, left : left + width] = np.rint(grey)[np.ix_(rows, columns)]
            self._panels.append(panel)
        self._stands = 0
        self.frames = 0
        self.picture: npt.NDArray[np.float32] | None = None

    def begin(self) -> None:
        """Show the first pattern."""
        self._slm.set_grey(self._panels[self._stands])
        self._bench.settle()

    def brightest(self) -> float:
        """Take a frame and return the counts of its brightest pixels."""
        return float(np.quantile(self._counts()[1], QUANTILE))

    def rest(self, milliseconds: float) -> None:
        """Wait until the pattern stands."""
        self._clock.sleep_s(milliseconds * 1e-3)

    def spread_times(self, span_ms: float) -> tuple[float, ...]:
        """Return times that are spread at random over the first half of a span, and its end."""
        places = (np.arange(SPREAD_FRAMES) + self._rng.random(SPREAD_FRAMES)) / SPREAD_FRAMES
        return (*(0.6 * span_ms * places), span_ms)

    def step(self, times_ms: tuple[float, ...], until: float | None = None) -> WatchedStep:
        """Switch to the other pattern and take a frame at each time after it.

        Args:
            times_ms: rising; the frame of the last is taken twice.
            until: share of the step left at which the rest of the times is left out.
        """
        before = self._frame()[1]
        self._stands = 1 - self._stands
        command_s = self._clock.now_s()
        self._slm.set_grey(self._panels[self._stands])
        after_ms: list[float] = []
        frames = [before]
        for time_ms in times_ms:
            self._clock.sleep_s(max(command_s + time_ms * 1e-3 - self._clock.now_s(), 0.0))
            begins_s, frame = self._frame()
            after_ms.append((begins_s - command_s) * 1e3 + self._camera.exposure_ms / 2.0)
            frames.append(frame)
            if until is not None and len(frames) > 2:
                taken = WatchedStep(np.array(after_ms), np.stack(frames), frames[-1])
                if taken.left(len(frames) - 2) < until:
                    break
        again = self._frame()[1]
        return WatchedStep(np.array(after_ms), np.stack(frames), again)

    def _frame(self) -> tuple[float, Array]:
        begins_s, counts = self._counts()
        # Power that flickers scales a frame; in the dark a mean would be next to nothing.
        return begins_s, counts / max(float(np.sqrt(np.mean(counts**2))), 1e-9)

    def _counts(self) -> tuple[float, Array]:
        frame = self._camera.get_frame()
        self.frames += 1
        self.picture = frame.pixels.astype(np.float32)
        counts = self._bench.counts(frame)
        stride = max(1, int(np.ceil(np.sqrt(counts.size / MOST_PIXELS))))
        return frame.timestamp_s, counts[::stride, ::stride].ravel()
