"""A phase-only liquid-crystal SLM: quantises, bends the phase, and takes its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceValueError
from drivers.phase_quantiser import PhaseQuantiser, check_pattern
from drivers.types import FloatArray, PatternId, Timing
from mock_hardware.connection import Plug
from mock_hardware.crystal import LiquidCrystal
from mock_hardware.state import State, named, part

if TYPE_CHECKING:
    from mock_hardware.laboratory import MockLaboratory

Phase = npt.NDArray[np.float32]


class MockSLM:
    """8 or 10 bit. A pattern appears with the next refresh, row by row, and then the crystal turns."""

    def __init__(self, laboratory: MockLaboratory) -> None:
        self._lab = laboratory
        self._quantise = PhaseQuantiser(self.bit_depth)
        self._lut_rad: FloatArray | None = None
        self._settled: dict[int, tuple[FloatArray, Phase]] = {}
        self._pattern: PatternId = 0
        self.plug = Plug(laboratory, self.name, "slm_unplugged", "slm_timeout", self._go_flat)
        geometry = laboratory.geometry
        rows = geometry.patch_top + np.arange(geometry.patch_shape[0])
        flat = laboratory.light_path.flat()
        self.crystal = LiquidCrystal(laboratory.dials.slm, flat, rows / geometry.panel_shape[0])

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "mock SLM"

    @property
    def timing(self) -> Timing:
        """A refresh at worst, then the scan and the crystal's slowest step."""
        return self.crystal.timing

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the panel."""
        return self._lab.geometry.panel_shape

    @property
    def pixel_pitch_um(self) -> float:
        """Distance between pixel centres."""
        return self._lab.geometry.pixel_pitch_um

    @property
    def bit_depth(self) -> int:
        """Bits of one grey level."""
        return self._lab.geometry.slm_bit_depth

    @property
    def shown(self) -> PatternId | None:
        """The pattern of the last refresh that has reached the lowest row."""
        self.plug.read()
        return self.crystal.pattern(self._lab.clock.now_s())

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response, (2**bits,) radians; None: linear over 2 pi again."""
        self._quantise = PhaseQuantiser(self.bit_depth, phase_by_grey_rad)
        self._lut_rad = phase_by_grey_rad
        self._settled.clear()

    def state(self) -> State:
        """Patterns, the crystal under way, and the table of phases."""
        state: State = {"pattern": self._pattern, **named("crystal", self.crystal.state())}
        if self._lut_rad is not None:
            state["lut_rad"] = self._lut_rad
        return state

    def restore(self, state: State) -> None:
        """As it was."""
        lut = state.get("lut_rad")
        self.set_lut(None if lut is None else np.asarray(lut))
        self._pattern = int(state["pattern"])
        self.crystal.restore(part("crystal", state))

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Show a phase pattern, (height, width)."""
        check_pattern(self.name, phase_rad, self.shape)
        patches = enumerate(self._lab.geometry.patches)
        return self._show([self._settled_at(i, phase_rad[place]) for i, place in patches])

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Show raw grey levels, (height, width)."""
        check_pattern(self.name, grey, self.shape)
        largest = 2**self.bit_depth - 1
        if grey.min() < 0 or grey.max() > largest:
            raise DeviceValueError(f"{self.name}: grey levels outside 0 ... {largest}")
        panel, patches = self._lab.light_path.panel, enumerate(self._lab.geometry.patches)
        return self._show([panel.phase(i, grey[place].astype(np.uint16)) for i, place in patches])

    def close(self) -> None:
        """Flat, and no further patterns."""
        if not self.plug.closed:
            self._go_flat()
            self.plug.closed = True

    def reopen(self) -> None:
        """Connect anew: flat, and no phase response. Raises DeviceNotFoundError while unplugged."""
        self.plug.open()
        self.set_lut(None)
        self._go_flat()

    def _settled_at(self, patch: int, phase_rad: FloatArray) -> Phase:
        """The phase (h, w) that a patch settles to; a patch that stays as it was is not done again."""
        known = self._settled.get(patch)
        if known is None or not np.array_equal(known[0], phase_rad):
            grey = self._quantise(phase_rad)
            known = phase_rad.copy(), self._lab.light_path.panel.phase(patch, grey)
            self._settled[patch] = known
        return known[1]

    def _show(self, phases: list[Phase]) -> PatternId:
        """Only what lies under the light is followed: the rest of the panel sends none anywhere."""
        self.plug.call()
        self._lab.before_change()
        self._pattern += 1
        if "slm_frozen" not in self._lab.faults_now():
            refresh_s = self.crystal.show(self._pattern, np.stack(phases), self._lab.clock.now_s())
            self._lab.trigger(refresh_s)
        return self._pattern

    def _go_flat(self) -> None:
        """What the panel shows by itself, as when its power goes."""
        self._lab.before_change()
        self._pattern += 1
        flat = np.stack(list(self._lab.light_path.flat()))
        self.crystal.show(self._pattern, flat, self._lab.clock.now_s())
