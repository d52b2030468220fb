"""Phase steps on two bands of rows of the last patch, and frames while they move."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import numpy.typing as npt

from calibration.layout import PatchLayout
from calibration.observed_slm import ObservedSLM, TimeSource
from calibration.phasor import PhasorPlane, find_plane
from calibration.step import CalibrationStep
from calibration.transitions import Step
from drivers.types import Frame

Array = npt.NDArray[np.float64]
LEVELS = 20
FRAMES_A_STEP, SLOW_FRAMES_A_STEP = 12, 16
"""Frames that follow a step; more where the panel is known to be slow, and frames cost no time."""
BAND = 12
"""A band of rows is this part of the patch's height: its rows begin at about the same time."""
SMALL_STEP_RAD = 2.0 * np.pi / 3.0
PATIENCE = 3.0
"""Declared settling times that are waited before a pattern is taken to stand."""
REST_SPANS, KNOWN_REST_SPANS = 2.0, 1.0
"""Spans that are waited between two steps; less where the span is known to suffice."""
UNSETTLED = 0.35
"""A phasor that far from its end has not arrived."""


class SteppedBands:
    """The two bands of rows, their phasor planes, and steps on them."""

    def __init__(
        self,
        bench: ObservedSLM,
        layout: PatchLayout,
        clock: TimeSource,
        phase_by_grey_rad: Array | None,
        seed: int,
        waited_ms: float | None = None,
    ) -> None:
        """Place the bands.

        Args:
            bench: SLM and camera.
            layout: of the patches.
            clock: of the bench.
            phase_by_grey_rad: (2**bits,) measured phase response; None: it is not known.
            seed: of the scattering pattern and of times.
            waited_ms: after which the panel is known to have settled; None: as its driver declares, and
                that is not believed.
        """
        self._known = known = waited_ms is not None
        self._rest_ms = PATIENCE * bench.slm.timing.total_ms if waited_ms is None else waited_ms
        self._rest_spans = KNOWN_REST_SPANS if known else REST_SPANS
        self._frames_a_step = SLOW_FRAMES_A_STEP if known else FRAMES_A_STEP
        self._bench, self._slm, self._camera = bench, bench.slm, bench.camera
        self._now_s, self._sleep_s = clock.now_s, clock.sleep_s
        self._rng = np.random.default_rng(seed)
        self._response = phase_by_grey_rad
        self._top_grey = 2**bench.slm.bit_depth - 1
        height, width = layout.patch_shape
        tall = max(height // BAND, 1)
        tops = [layout.top + place * height // BAND for place in (1, BAND - 2)]
        self._panel = np.zeros(layout.panel_shape)
        if len(layout.lefts) > 1:
            scatter = self._rng.integers(0, self._top_grey + 1, layout.patch_shape)
            left = layout.lefts[-2]
            self._panel[layout.top : layout.top + height, left : left + width] = scatter
        columns = slice(layout.lefts[-1], layout.lefts[-1] + width)
        self._bands = [(slice(top, top + tall), columns) for top in tops]
        panel_height = layout.panel_shape[0]
        self._row_share = [
            ((top - 0.5) / panel_height, (top + tall - 0.5) / panel_height) for top in tops
        ]
        self._planes: list[PhasorPlane] = []
        self.spread = 0.0
        self.step_rad: Array = np.zeros(4)
        self._done, self._total = 0, 0

    def find_planes(self, cycles: int) -> Generator[CalibrationStep, None, bool]:
        """Measure the light at each grey level; return False if it does not follow the level."""
        self._total = len(self._bands) * (LEVELS + 4 * cycles)
        greys = np.rint(np.linspace(0, self._top_grey, LEVELS))
        wait_s = self._rest_ms * 1e-3
        self._planes = []
        for number in range(len(self._bands)):
            frames = np.empty((2, LEVELS, int(np.prod(self._camera.roi.shape))))
            # In random order a drift is noise, in rising order it would be phase.
            for index in self._rng.permutation(LEVELS):
                self._show(number, greys[index])
                self._sleep_s(wait_s)
                for one in range(2):
                    frame = self._camera.get_frame()
                    frames[one, index] = self._counts(frame)
                yield self._step(f"grey {greys[index]:.0f} on band {number}", frame)
            self._panel[self._bands[number]] = 0.0  # the other band is measured beside it at rest
            known = None if self._response is None else self._response[greys.astype(int)]
            plane = find_plane(frames[0], frames[1], known)
            if plane is None:
                return False
            self._planes.append(plane)
        self.spread = max(plane.spread for plane in self._planes)
        return True

    def steps(self, cycles: int, span_ms: float) -> Generator[CalibrationStep, None, list[Step]]:
        """Measure steps up and down, large and small, on both bands; none if any takes over span_ms.

        On a slow panel small steps begin at another phase in each cycle: what the phase response and the
        rims bend is not the same there. On a fast one all begin at 0, where frames tell best when.
        """
        steps: list[Step] = []
        for cycle in range(cycles):
            for number, plane in enumerate(self._planes):
                most = float(np.clip(plane.level_rad.max(), SMALL_STEP_RAD, 2.0 * np.pi))
                place = cycle / max(cycles - 1, 1) if self._known else 0.0
                low_rad = (most - SMALL_STEP_RAD) * place
                wanted = np.array([0.0, most, low_rad, low_rad + SMALL_STEP_RAD])
                zero, large, low, high = self._greys_of(plane, wanted)
                for kind, (start, end) in enumerate(
                    ((zero, large), (large, zero), (low, high), (high, low))
                ):
                    self._show(number, start)
                    self._sleep_s(span_ms * 1e-3 * (self._rest_spans + self._rng.random()))
                    at_rest = self._camera.get_frame()
                    command_s = self._now_s()
                    self._show(number, end)
                    frames = [at_rest, *self._watch(command_s, span_ms)]
                    after_ms = np.array([(f.timestamp_s - command_s) * 1e3 for f in frames])
                    seen = plane.phasors(np.stack([self._counts(f) for f in frames]))
                    start_rad, end_rad = self._rad(plane, start), self._rad(plane, end)
                    self.step_rad[kind] += abs(end_rad - start_rad) / (cycles * len(self._planes))
                    steps.append(
                        Step(
                            kind,
                            command_s * 1e3,
                            self._row_share[number],
                            plane.curve,
                            float(start_rad),
                            float(end_rad),
                            after_ms,
                            seen,
                        )
                    )
                    message = f"step from {start_rad:.1f} to {end_rad:.1f} rad on band {number}"
                    yield self._step(message, frames[-1])
                    if abs(seen[-1] - plane.curve(np.array(end_rad))) > UNSETTLED:
                        self.step_rad[:] = 0.0
                        return []
        return steps

    def _watch(self, command_s: float, span_ms: float) -> list[Frame]:
        """Take frames at random times, spread evenly over the span; the last at its end."""
        count = self._frames_a_step
        places = (np.arange(count) + self._rng.random(count)) / count
        places[-1] = 1.0
        frames = []
        for place in places:
            self._sleep_s(max(command_s + place * span_ms * 1e-3 - self._now_s(), 0.0))
            frames.append(self._camera.get_frame())
        return frames

    def _show(self, band: int, grey: float) -> None:
        self._panel[self._bands[band]] = grey
        self._slm.set_grey(self._panel)

    def _greys_of(self, plane: PhasorPlane, phases_rad: Array) -> Array:
        """Return the grey levels that give these phases."""
        greys = np.rint(np.linspace(0, self._top_grey, LEVELS))
        rising = np.maximum.accumulate(plane.level_rad)
        levels: Array = np.rint(np.interp(phases_rad, rising, greys)).astype(np.float64)
        return levels

    def _rad(self, plane: PhasorPlane, grey: float) -> float:
        if self._response is not None:
            return float(self._response[int(grey)])
        greys = np.rint(np.linspace(0, self._top_grey, LEVELS))
        return float(np.interp(grey, greys, plane.level_rad))

    def _counts(self, frame: Frame) -> Array:
        return self._bench.counts(frame).ravel()

    def _step(self, message: str, frame: Frame) -> CalibrationStep:
        index = min(self._done, self._total - 1)
        self._done += 1
        picture = frame.pixels.astype(np.float32)
        return CalibrationStep("settling", index, self._total, message, picture)
