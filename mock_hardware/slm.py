"""A phase-only liquid-crystal SLM: quantises, bends the phase, and takes its time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceValueError
from drivers.phase_quantiser import PhaseQuantiser, check_pattern
from drivers.types import FloatArray, PatternId, Timing
from mock_hardware.connection import Connection
from mock_hardware.state import State, named, part
from mock_hardware.world import World

Phase = npt.NDArray[np.float32]


class MockSLM:
    """8 or 10 bit. A pattern appears with the next refresh, row by row, and then the crystal turns."""

    def __init__(self, world: World) -> None:
        self._world, self._crystal = world, world.crystal
        self._quantise = PhaseQuantiser(self.bit_depth)
        self._lut_rad: FloatArray | None = None
        self._settled: dict[int, tuple[FloatArray, Phase]] = {}
        self._pattern: PatternId = 0
        self.connection = Connection(
            world, self.name, "slm_unplugged", "slm_timeout", self._go_flat
        )

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "mock SLM"

    @property
    def timing(self) -> Timing:
        """A refresh at worst, then the scan and the crystal's slowest step."""
        return self._crystal.timing

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the panel."""
        return self._world.geometry.panel_shape

    @property
    def pixel_pitch_um(self) -> float:
        """Distance between pixel centres."""
        return self._world.geometry.pixel_pitch_um

    @property
    def bit_depth(self) -> int:
        """Bits of one grey level."""
        return self._world.geometry.slm_bit_depth

    @property
    def reported_pattern(self) -> PatternId | None:
        """The pattern of the last refresh that has reached the lowest row."""
        self.connection.read()
        return self._crystal.pattern(self._world.clock.now_s())

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response, (2**bits,) radians; None: linear over 2 pi again."""
        self._quantise = PhaseQuantiser(self.bit_depth, phase_by_grey_rad)
        self._lut_rad = phase_by_grey_rad
        self._settled.clear()

    def state(self) -> State:
        """Return the number of patterns, the crystal's steps in progress, and the phase response."""
        state: State = {"pattern": self._pattern, **named("crystal", self._crystal.state())}
        if self._lut_rad is not None:
            state["lut_rad"] = self._lut_rad
        return state

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        lut = state.get("lut_rad")
        self.set_lut(None if lut is None else np.asarray(lut))
        self._pattern = int(state["pattern"])
        self._crystal.restore(part("crystal", state))

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Display a phase pattern, (height, width), radians."""
        check_pattern(self.name, phase_rad, self.shape)
        patches = enumerate(self._world.geometry.patches)
        return self._show([self._settled_at(i, phase_rad[place]) for i, place in patches])

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Display raw grey levels, (height, width)."""
        check_pattern(self.name, grey, self.shape)
        largest = 2**self.bit_depth - 1
        if grey.min() < 0 or grey.max() > largest:
            raise DeviceValueError(f"{self.name}: grey levels outside 0 ... {largest}")
        panel, patches = self._world.light_path.panel, enumerate(self._world.geometry.patches)
        return self._show([panel.phase(i, grey[place].astype(np.uint16)) for i, place in patches])

    def close(self) -> None:
        """Display grey level 0 and take no further patterns."""
        if not self.connection.closed:
            self._go_flat()
            self.connection.closed = True

    def reopen(self) -> None:
        """Connect anew: flat, and no phase response. Raises DeviceNotFoundError while unplugged."""
        self.connection.open()
        self.set_lut(None)
        self._go_flat()

    def _settled_at(self, patch: int, phase_rad: FloatArray) -> Phase:
        """Return the phase (h, w) that a patch settles to; an unchanged patch is not computed again."""
        known = self._settled.get(patch)
        if known is None or not np.array_equal(known[0], phase_rad):
            grey = self._quantise(phase_rad)
            known = phase_rad.copy(), self._world.light_path.panel.phase(patch, grey)
            self._settled[patch] = known
        return known[1]

    def _show(self, phases: list[Phase]) -> PatternId:
        """Display the phases of the patches: the rest of the panel sends no light anywhere."""
        self.connection.call()
        self._world.before_change()
        self._pattern += 1
        if "slm_frozen" not in self._world.faults_now():
            refresh_s = self._crystal.show(
                self._pattern, np.stack(phases), self._world.clock.now_s()
            )
            self._world.trigger(refresh_s)
        return self._pattern

    def _go_flat(self) -> None:
        """Display grey level 0, as the panel does by itself when its power goes."""
        self._world.before_change()
        self._pattern += 1
        flat = np.stack(list(self._world.light_path.flat()))
        self._crystal.show(self._pattern, flat, self._world.clock.now_s())
