"""An input modulator around an input modulator."""

from __future__ import annotations

from drivers.protocols import InputModulator
from drivers.types import FloatArray, PatternId
from drivers.wrapper import DisplayCommand, PatternWrapper

SHOW: DisplayCommand[InputModulator] = DisplayCommand(
    "show", lambda modulator, field: modulator.show(field)
)


class ModulatorWrapper(PatternWrapper[InputModulator]):
    """Forwards to an input modulator."""

    commands = (SHOW,)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the input field in modulator pixels."""
        return self._call(lambda modulator: modulator.shape)

    def show(self, field: FloatArray) -> PatternId:
        """Display one input field, (height, width)."""
        return self._display(SHOW, field)

    @property
    def has_trigger_output(self) -> bool:
        """True if `show_sequence` may be used."""
        return self._call(lambda modulator: modulator.has_trigger_output)

    def show_sequence(self, fields: FloatArray, period_ms: float) -> list[PatternId]:
        """Display fields (B, h, w) one after the other, one each period."""
        return self._call(lambda modulator: modulator.show_sequence(fields, period_ms))
