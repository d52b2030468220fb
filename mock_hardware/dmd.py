"""A DMD that writes the input image as amplitude."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drivers.errors import DeviceValueError
from drivers.phase_quantiser import check_pattern
from drivers.types import FloatArray, PatternId, Timing
from mock_hardware.connection import Plug
from mock_hardware.state import State

if TYPE_CHECKING:
    from mock_hardware.laboratory import MockLaboratory


ROUNDING_S = 1e-9


@dataclass(frozen=True, slots=True)
class _Shown:
    """A field (h, w), when mirrors begin to move to it, and since when it stands."""

    pattern: PatternId
    field: FloatArray
    moves_s: float
    stands_s: float


class MockDMD:
    """Superpixels of binary mirrors: the amplitude is the share of mirrors that are on.

    A pattern is loaded, then the mirrors move; while they move, the light goes nowhere. A sequence is
    played by the device's own clock; the next pattern is loaded while one stands.
    """

    def __init__(self, laboratory: MockLaboratory) -> None:
        self._lab, self._dials = laboratory, laboratory.dials.dmd
        self._pattern: PatternId = 0
        self.plug = Plug(laboratory, self.name, "dmd_unplugged", "dmd_timeout", self._park)
        dark = np.zeros(self.shape, np.float32)
        self._shown = [_Shown(0, dark, float("-inf"), float("-inf"))]

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "mock DMD"

    @property
    def timing(self) -> Timing:
        """Load time and mirror motion."""
        return Timing(self._dials.load_us * 1e-3, self._dials.mirror_us * 1e-3)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the input field."""
        return self._lab.geometry.patch_shape

    def show(self, field: FloatArray) -> PatternId:
        """Show an amplitude in 0 ... 1."""
        return self._show(field[None], 0.0)[0]

    def show_sequence(self, fields: FloatArray, period_ms: float) -> list[PatternId]:
        """Show amplitudes (B, h, w), one each period."""
        if period_ms < self.timing.total_ms:
            raise DeviceValueError(
                f"{self.name}: a period of {period_ms} ms; at least {self.timing.total_ms} ms are needed"
            )
        return self._show(fields, period_ms * 1e-3)

    def _show(self, fields: FloatArray, period_s: float) -> list[PatternId]:
        self.plug.call()
        for field in fields:
            check_pattern(self.name, field, self.shape)
            if field.min() < 0.0 or field.max() > 1.0:
                raise DeviceValueError(f"{self.name}: amplitude outside 0 ... 1")
        self._lab.before_change()
        now_s = self._lab.clock.now_s()
        mirrors = self._dials.mirrors_per_superpixel
        # What a sequence would have shown later does not come any more. An exposure that goes on may
        # have begun with the pattern before the one that stands.
        self._shown = [shown for shown in self._shown if shown.moves_s <= now_s][-2:]
        first_s = now_s + self.timing.latency_ms * 1e-3
        for number, field in enumerate(fields):
            moves_s = first_s + number * period_s
            stands_s = moves_s + self.timing.duration_ms * 1e-3
            on = (np.round(field * mirrors) / mirrors).astype(np.float32)
            self._pattern += 1
            self._shown.append(_Shown(self._pattern, on, moves_s, stands_s))
            self._lab.trigger(stands_s)
        return list(range(self._pattern - len(fields) + 1, self._pattern + 1))

    def close(self) -> None:
        """Dark, and no further patterns."""
        self._park()
        self.plug.closed = True

    def reopen(self) -> None:
        """Connect anew, dark. Raises DeviceNotFoundError while unplugged."""
        self.plug.open()
        self._park()

    def state(self) -> State:
        """What its mirrors do."""
        shown = self._shown
        return {
            "pattern": self._pattern,
            "patterns": np.array([each.pattern for each in shown]),
            "fields": np.stack([each.field for each in shown]),
            "moves_s": np.array([each.moves_s for each in shown]),
            "stands_s": np.array([each.stands_s for each in shown]),
        }

    def restore(self, state: State) -> None:
        """As it was."""
        self._pattern = int(state["pattern"])
        columns = [np.asarray(state[n]) for n in ("patterns", "fields", "moves_s", "stands_s")]
        self._shown = [
            _Shown(int(pattern), field, float(moves_s), float(stands_s))
            for pattern, field, moves_s, stands_s in zip(*columns, strict=True)
        ]

    def field(self, now_s: float) -> FloatArray:
        """The amplitude (h, w) at a moment."""
        shown = self._shown[self._place(now_s)]
        return shown.field if now_s >= shown.stands_s else np.zeros_like(shown.field)

    def pattern_during(self, start_s: float, end_s: float) -> PatternId | None:
        """The pattern that stood still from start to end; None if mirrors moved."""
        place = self._place(start_s + ROUNDING_S)
        shown, following = self._shown[place], self._shown[place + 1 : place + 2]
        still = start_s >= shown.stands_s - ROUNDING_S
        still = still and all(end_s <= after.moves_s + ROUNDING_S for after in following)
        return shown.pattern if still else None

    def _place(self, now_s: float) -> int:
        """Of the pattern to which the mirrors have moved, or are moving."""
        return max(bisect_right(self._shown, now_s, key=_moves_s) - 1, 0)

    def _park(self) -> None:
        """All mirrors off at once, as when the power goes; a pattern of its own."""
        self._lab.before_change()
        dark = np.zeros(self.shape, np.float32)
        self._pattern += 1
        now_s = self._lab.clock.now_s()
        self._shown = [shown for shown in self._shown if shown.moves_s <= now_s][-2:]
        self._shown.append(_Shown(self._pattern, dark, now_s, now_s))


def _moves_s(shown: _Shown) -> float:
    return shown.moves_s
