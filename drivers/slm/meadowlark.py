"""Meadowlark SLMs (HDMI, PCIe, OverDrive Plus) through the maker's Blink SDK."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from drivers.errors import DeviceNotFoundError, DeviceValueError
from drivers.settings import SlmSettings
from drivers.slm.blink import LIBRARY, MAKER_FOLDER, Blink, sdk_folders
from drivers.slm.panel import Grey, Panel
from drivers.types import Timing

BOARD = "board:"
"""Beginning of an address."""
BUS_MS, HDMI_MS = 5.0, 33.0
"""Longest times from the command until the whole picture is on the panel, by PCIe and by HDMI."""


@dataclass(frozen=True)
class MeadowlarkOptions:
    """sdk: folder at or above the SDK's library, else the maker's default. lut: voltage file of this panel.

    wait_for_trigger: a picture is shown at a pulse on the trigger input. output_pulse: one leaves the
    output as a picture is shown. crystal_ms: until the liquid crystal has settled.
    """

    sdk: str = ""
    lut: str = ""
    wait_for_trigger: bool = False
    output_pulse: bool = False
    trigger_timeout_ms: int = 5000
    crystal_ms: float = 30.0

    def __post_init__(self) -> None:
        if self.trigger_timeout_ms < 1 or self.crystal_ms < 0:
            raise DeviceValueError("trigger_timeout_ms, crystal_ms: must not be below 1, 0")


class _Display:
    def __init__(self, blink: Blink, timeout_ms: int) -> None:
        self._blink, self._timeout_ms = blink, timeout_ms

    def show(self, grey: Grey) -> None:
        self._blink.show(grey, self._timeout_ms)

    def close(self) -> None:
        self._blink.close()


class Meadowlark(Panel):
    """`set_phase` returns when the SDK reports that the panel has the picture."""

    Options: ClassVar[type[MeadowlarkOptions]] = MeadowlarkOptions

    @classmethod
    def from_settings(cls, settings: SlmSettings[MeadowlarkOptions]) -> Meadowlark:
        """Connect to a board, such as "board:1".

        Raises DeviceNotFoundError; DeviceValueError for a panel of another shape.
        """
        shape, address, given = settings.shape, settings.address, settings.options
        number = address.removeprefix(BOARD)
        if not number.isdecimal():
            raise DeviceValueError(f'slm.address = {address!r}: expected "board:1"')
        folders = sdk_folders(given.sdk)
        if not folders:
            raise DeviceNotFoundError(
                f"Blink SDK: no {LIBRARY} under {given.sdk or MAKER_FOLDER}; install Meadowlark's Blink, "
                "or name its folder in slm.options.sdk"
            )
        blink = Blink(folders[0], int(number))
        try:
            if blink.shape != shape:
                raise DeviceValueError(
                    f"Meadowlark SLM {number}: has {blink.shape[0]} x {blink.shape[1]} pixels; slm.shape "
                    f"says {shape[0]} x {shape[1]}"
                )
            if given.lut:
                blink.load_lut(Path(given.lut))
            blink.set_triggers(given.wait_for_trigger, given.output_pulse)
        except BaseException:
            blink.close()
            raise
        timing = Timing(HDMI_MS if blink.kind == "hdmi" else BUS_MS, given.crystal_ms)
        name = f"Meadowlark SLM {blink.serial or number} ({blink.kind})"
        display = _Display(blink, given.trigger_timeout_ms)
        return cls(display, name, shape, settings.pixel_pitch_um, timing, blink.bits)
