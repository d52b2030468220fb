"""Reconnecting SLMs and input modulators: the displayed pattern is displayed again after reopening."""

from __future__ import annotations

import numpy as np

from drivers.modulator.wrapper import SHOW, ModulatorWrapper
from drivers.protocols import SLM, InputModulator
from drivers.slm.wrapper import SlmWrapper
from drivers.types import FloatArray, PatternId
from drivers.wrapper import D, DisplayCommand, PatternWrapper
from labdiff.bench.reconnect import ReconnectingDevice
from labdiff.bench.snapshot import Values


class ReconnectingPatterns(ReconnectingDevice[D], PatternWrapper[D]):
    """What displays patterns: the last one is remembered."""

    _displayed: tuple[DisplayCommand[D], FloatArray] | None = None

    def _display(self, command: DisplayCommand[D], pattern: FloatArray) -> PatternId:
        shown = super()._display(command, pattern)
        self._displayed = command, pattern.copy()
        return shown

    def state(self) -> Values:
        """Return the settings and the displayed pattern."""
        state = super().state()
        if self._displayed is not None:
            command, state["standing"] = self._displayed
            state["standing_by"] = command.name
        return state

    def restore(self, state: Values) -> None:
        """Set what is remembered from a state; the device itself is left alone."""
        super().restore(state)
        self._displayed = None
        for command in self.commands:
            if command.name == str(state.get("standing_by")):
                self._displayed = command, np.asarray(state["standing"])

    def _apply_settings(self) -> None:
        super()._apply_settings()
        if self._displayed is not None:
            command, pattern = self._displayed
            command.run(self._device, pattern)
            self._clock.sleep_s(self._device.timing.total_ms / 1e3)


class ReconnectingSlm(ReconnectingPatterns[SLM], SlmWrapper):
    """An SLM: its phase response is remembered too."""

    _lut_rad: FloatArray | None = None

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response, (2**bit_depth,) radians; None: linear over 2 pi."""
        self._lut_rad = phase_by_grey_rad
        super().set_lut(phase_by_grey_rad)

    def state(self) -> Values:
        """Return the settings, the phase response and the displayed pattern."""
        state = super().state()
        if self._lut_rad is not None:
            state["lut_rad"] = self._lut_rad
        return state

    def restore(self, state: Values) -> None:
        """Set what is remembered from a state; the device itself is left alone."""
        super().restore(state)
        self._lut_rad = np.asarray(state["lut_rad"]) if "lut_rad" in state else None

    def _apply_settings(self) -> None:
        if self._lut_rad is not None:
            self._device.set_lut(self._lut_rad)
        super()._apply_settings()


class ReconnectingModulator(ReconnectingPatterns[InputModulator], ModulatorWrapper):
    """An input modulator: of a sequence, the last field is remembered."""

    def show_sequence(self, fields: FloatArray, period_ms: float) -> list[PatternId]:
        """Display input fields one after the other; the last one stays."""
        shown = super().show_sequence(fields, period_ms)
        self._displayed = SHOW, fields[-1].copy()
        return shown
