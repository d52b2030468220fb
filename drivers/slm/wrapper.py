"""An SLM around an SLM."""

from __future__ import annotations

from drivers.errors import DeviceStateError
from drivers.protocols import SLM
from drivers.slm.correction import CorrectableSlm
from drivers.types import FloatArray, PatternId
from drivers.wrapper import DeviceSetting, DisplayCommand, PatternWrapper


def _set_correction(slm: SLM, value: bool) -> None:
    if not isinstance(slm, CorrectableSlm) or slm.correction is None:
        raise DeviceStateError(
            f"{slm.name}: has no flatness map of its maker; name it in slm.options.correction"
        )
    slm.correction = bool(value)


SET_PHASE: DisplayCommand[SLM] = DisplayCommand(
    "set_phase", lambda slm, phase_rad: slm.set_phase(phase_rad)
)
SET_GREY: DisplayCommand[SLM] = DisplayCommand("set_grey", lambda slm, grey: slm.set_grey(grey))

CORRECTION: DeviceSetting[SLM, bool] = DeviceSetting("correction", _set_correction)


class SlmWrapper(PatternWrapper[SLM]):
    """Forwards to an SLM."""

    commands = (SET_PHASE, SET_GREY)
    settings = (CORRECTION,)

    @property
    def correction(self) -> bool | None:
        """Whether the maker's flatness map is added; None if there is none."""
        return self._call(lambda slm: slm.correction if isinstance(slm, CorrectableSlm) else None)

    @correction.setter
    def correction(self, value: bool) -> None:
        self._set(CORRECTION, value)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the panel in pixels."""
        return self._call(lambda slm: slm.shape)

    @property
    def pixel_pitch_um(self) -> float:
        """Distance between pixel centres in micrometres."""
        return self._call(lambda slm: slm.pixel_pitch_um)

    @property
    def bit_depth(self) -> int:
        """Bits of one grey level."""
        return self._call(lambda slm: slm.bit_depth)

    @property
    def reported_pattern(self) -> PatternId | None:
        """The pattern that the panel itself reports; None if it reports none."""
        return self._call(lambda slm: slm.reported_pattern)

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Display a phase pattern, (height, width), radians."""
        return self._display(SET_PHASE, phase_rad)

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Display raw grey levels, (height, width)."""
        return self._display(SET_GREY, grey)

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response, (2**bit_depth,) radians; None: linear over 2 pi."""
        self._call(lambda slm: slm.set_lut(phase_by_grey_rad))
