"""An SLM whose maker has measured it: a flatness map is added, and the phase of each level is known."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceStateError, DeviceValueError
from drivers.protocols import SLM
from drivers.slm.number_file import Table, read_numbers
from drivers.slm.panel_options import LutValues, PanelOptions
from drivers.slm.wrapper import SlmWrapper
from drivers.types import FloatArray, PatternId, Timing

log = logging.getLogger(__name__)

TURN_RAD = 2.0 * np.pi
SAME_NM = 1.0
"""Difference of wavelengths up to which a map is used as it is."""
MOST_TURNS = 20.0
"""Phase in turns beyond which numbers are taken for levels whose scale is missing."""
LONGEST_PI, LONGEST_RAD = 2.6, 4.0 * np.pi
"""Largest numbers that are phases in units of pi, and in rad."""
LEVEL_FILES = (".lut", ".blt")


class CorrectedSlm(SlmWrapper):
    """Adds the flatness map to each phase pattern; raw levels pass as they are."""

    def __init__(self, slm: SLM, options: PanelOptions, wavelength_nm: float) -> None:
        super().__init__(slm)
        self._crystal_ms = options.crystal_ms
        self._correction: npt.NDArray[np.float32] | None = None
        self._adds = True
        self._last: FloatArray | None = None
        if options.correction:
            self._correction = correction_rad(options, slm.shape, wavelength_nm)
        self._own_lut = maker_phases(options, slm.bit_depth)
        if self._own_lut is not None:
            slm.set_lut(self._own_lut)

    @property
    def timing(self) -> Timing:
        """As declared, with the settling time of the bench file if it has one."""
        declared = super().timing
        return Timing(declared.latency_ms, self._crystal_ms) if self._crystal_ms else declared

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Display a phase pattern, (height, width), radians, on a panel that is flat with the map."""
        if self._correction is None or phase_rad.shape != self._correction.shape:
            return super().set_phase(phase_rad)
        self._last = phase_rad.copy()
        if not self._adds:
            return super().set_phase(phase_rad)
        return super().set_phase(np.asarray(phase_rad, np.float32) + self._correction)

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Display raw grey levels, (height, width), to which no map is added."""
        self._last = None
        return super().set_grey(grey)

    @property
    def correction(self) -> bool | None:
        """Whether the map is added to patterns; None if there is none."""
        return None if self._correction is None else self._adds

    @correction.setter
    def correction(self, value: bool) -> None:
        """Add the map from now on or not; the pattern that is displayed is displayed anew."""
        if self._correction is None:
            raise DeviceStateError(f"{self.name}: has no flatness map of its maker")
        self._adds = bool(value)
        if self._last is not None:
            self.set_phase(self._last)

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response; None: the maker's, where there is one."""
        super().set_lut(self._own_lut if phase_by_grey_rad is None else phase_by_grey_rad)


def correction_rad(
    options: PanelOptions, shape: tuple[int, int], wavelength_nm: float
) -> npt.NDArray[np.float32]:
    """Return the flatness map, (height, width), rad, to be added to a pattern.

    Args:
        options: of the panel.
        shape: (height, width) of the panel.
        wavelength_nm: of the bench.

    Raises:
        DeviceValueError: for a file that cannot be read, of another size, or without a scale.
    """
    levels, bits = read_numbers(Path(options.correction), "correction")
    full = options.correction_two_pi_level
    if not full and bits == 8:
        full = 256.0
    if not full and (bits or np.abs(levels).max() > MOST_TURNS * TURN_RAD):
        raise DeviceValueError(
            f"correction = {options.correction!r}: levels of {bits or 'unknown'} bits; set "
            "correction_two_pi_level, the level that means 2 pi"
        )
    phase: Table = levels * (TURN_RAD / full) if full else levels
    made_nm = options.correction_wavelength_nm
    if made_nm and abs(made_nm - wavelength_nm) > SAME_NM:
        # The same surface is another phase; a wrapped map has to be unwrapped before it is scaled.
        smooth: Table = np.unwrap(np.unwrap(phase, axis=1), axis=0).astype(np.float64)
        phase = smooth * (made_nm / wavelength_nm)
    if options.correction_flip in ("rows", "both"):
        phase = phase[::-1]
    if options.correction_flip in ("columns", "both"):
        phase = phase[:, ::-1]
    top, left = options.correction_top, options.correction_left
    if (top, left) == (0, 0) and phase.shape != shape:
        raise DeviceValueError(
            f"correction = {options.correction!r}: {phase.shape[0]} x {phase.shape[1]} pixels; the panel "
            f"has {shape[0]} x {shape[1]}; set correction_top, correction_left if it lies on a part of it"
        )
    placed = np.zeros(shape)
    rows = slice(max(top, 0), min(top + phase.shape[0], shape[0]))
    columns = slice(max(left, 0), min(left + phase.shape[1], shape[1]))
    placed[rows, columns] = phase[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    return np.mod(placed, TURN_RAD).astype(np.float32)


def maker_phases(options: PanelOptions, bits: int) -> Table | None:
    """Return the phase of each grey level, rad; None where nothing is known of it.

    Raises DeviceValueError for a file that cannot be read, or of another number of levels.
    """
    levels = 2**bits
    if options.two_pi_level:
        return np.arange(levels) * (TURN_RAD / options.two_pi_level)
    if not options.lut:
        return None
    path = Path(options.lut)
    table, _ = read_numbers(path, "lut")
    values = _by_level(table, levels, path)
    meaning = options.lut_values
    if meaning == "auto":
        meaning = _meaning(path, values)
        log.info("lut = %s: its numbers are taken for %s", path, meaning)
    if meaning == "levels":
        return _phase_of_levels(values, levels, path)
    return values * np.pi if meaning == "pi" else values


def _by_level(table: Table, levels: int, path: Path) -> Table:
    """Return one number for each grey level. Raises DeviceValueError for another number of rows."""
    if table.shape[0] == 1 and table.shape[1] > 2:
        table = table.T
    if table.shape[0] != levels or table.shape[1] > 2:
        raise DeviceValueError(
            f"lut = {str(path)!r}: {table.shape[0]} rows of {table.shape[1]}; expected is one for each of "
            f"{levels} levels: a number, or level and number"
        )
    if table.shape[1] == 1:
        return table[:, 0]
    if not np.array_equal(np.sort(table[:, 0]), np.arange(levels)):
        raise DeviceValueError(
            f"lut = {str(path)!r}: its first column is not the levels 0 ... {levels - 1}"
        )
    ordered: Table = table[np.argsort(table[:, 0]), 1]
    return ordered


def _meaning(path: Path, values: Table) -> LutValues:
    if path.suffix.lower() in LEVEL_FILES or np.ptp(values) > LONGEST_RAD:
        return "levels"
    return "pi" if np.ptp(values) <= LONGEST_PI else "rad"


def _phase_of_levels(outputs: Table, levels: int, path: Path) -> Table:
    """Return the phase of each level, of a table of output levels that makes the phase straight."""
    if outputs.min() < 0 or outputs.max() > levels - 1 or np.any(np.diff(outputs) < 0):
        raise DeviceValueError(
            f"lut = {str(path)!r}: output levels {outputs.min():g} ... {outputs.max():g}; expected are "
            f"rising ones within 0 ... {levels - 1}"
        )
    inputs = np.arange(levels) * (TURN_RAD / levels)
    chosen, first = np.unique(outputs, return_index=True)
    phases: Table = np.interp(np.arange(levels), chosen, inputs[first]).astype(np.float64)
    return phases
