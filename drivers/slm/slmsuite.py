"""Any SLM that slmsuite has a driver for: Holoeye, Santec, Hamamatsu ... slmsuite only shows."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from drivers.errors import DeviceDisconnectedError, DeviceNotFoundError, DeviceValueError
from drivers.maker_library import maker_module, not_loaded
from drivers.settings import SlmSettings
from drivers.slm.panel import Grey, Panel
from drivers.slm.panel_options import WITHOUT_UPLOAD
from drivers.types import Timing

CLASSES = {
    "hamamatsu": "hamamatsu:Hamamatsu",
    "holoeye": "holoeye:Holoeye",
    "meadowlark": "meadowlark:Meadowlark",
    "remote": "remote:RemoteSLM",
    "santec": "santec:Santec",
    "screen": "screenmirrored:ScreenMirrored",
    "simulated": "simulated:SimulatedSLM",
}
"""Module and class in slmsuite.hardware.slms by the name in slm.address."""
MAKERS_SOFTWARE = "the SLM maker's software, with its libraries where slmsuite looks for them"
UPLOADS = {"meadowlark": "lut_path"}
"""Argument of slmsuite's class that names a file of voltages to be uploaded, where there is one."""


@dataclass(frozen=True)
class SlmsuiteOptions:
    """arguments: what slmsuite's class takes, by its names. latency_ms, crystal_ms: of this panel.

    voltage_lut: file of voltages by grey level that the maker's library uploads into the panel.
    """

    arguments: Mapping[str, Any] = field(default_factory=dict)
    latency_ms: float = 33.0
    crystal_ms: float = 30.0
    voltage_lut: str = ""


class _Display:
    def __init__(self, slm: Any) -> None:
        self.slm = slm

    def show(self, grey: Grey) -> None:
        try:
            # Levels as they are: no correction of slmsuite's, no sleep; both are the bench's.
            self.slm.set_phase(grey, phase_correct=False, settle=False)
        except Exception as error:  # slmsuite raises whatever the maker's library does
            raise DeviceDisconnectedError(f"slmsuite: the SLM does not answer: {error}") from error

    def close(self) -> None:
        with suppress(NotImplementedError):
            self.slm.close()


class SlmsuiteSlm(Panel):
    """The same grey levels mean the same phase here as with our own drivers: they are chosen here."""

    Options: ClassVar[type[SlmsuiteOptions]] = SlmsuiteOptions

    @classmethod
    def from_settings(cls, settings: SlmSettings[SlmsuiteOptions]) -> SlmsuiteSlm:
        """Open the SLM of a maker: "holoeye", "santec" ...

        Raises DeviceNotFoundError, DeviceValueError.
        """
        shape, address, given = settings.shape, settings.address, settings.options
        if address not in CLASSES:
            raise DeviceValueError(
                f"slm.address = {address!r}: slmsuite's drivers are {', '.join(CLASSES)}"
            )
        if given.voltage_lut and address not in UPLOADS:
            raise DeviceValueError(
                f"slm.options.voltage_lut = {given.voltage_lut!r}: slmsuite's {address} uploads none; "
                f"{WITHOUT_UPLOAD}"
            )
        module, _, name = CLASSES[address].partition(":")
        arguments = dict(given.arguments)
        if given.voltage_lut:
            if not Path(given.voltage_lut).is_file():
                raise DeviceValueError(
                    f"slm.options.voltage_lut = {given.voltage_lut!r}: there is no such file"
                )
            arguments[UPLOADS[address]] = given.voltage_lut
        if address == "simulated":
            arguments = {"resolution": (shape[1], shape[0]), **arguments}
        install = "pip install 'labdiff[slmsuite]'"
        maker = maker_module(f"slmsuite.hardware.slms.{module}", install, MAKERS_SOFTWARE)
        try:
            slm: Any = getattr(maker, name)(**arguments)
        except (ImportError, OSError, AttributeError, NameError) as error:
            reason = not_loaded(f"slmsuite {address}", error, install, MAKERS_SOFTWARE)
            raise DeviceNotFoundError(reason) from error
        except Exception as error:
            raise DeviceNotFoundError(
                f"slmsuite {address}: not found, in use by another program (the maker's), or "
                f"slm.options.arguments are not right: {error}"
            ) from error
        display = _Display(slm)
        if tuple(slm.shape) != shape:
            display.close()
            raise DeviceValueError(
                f"slmsuite {address}: has {slm.shape[0]} x {slm.shape[1]} pixels; slm.shape says "
                f"{shape[0]} x {shape[1]}"
            )
        timing = Timing(given.latency_ms, given.crystal_ms)
        title = f"{slm.name} through slmsuite"
        return cls(display, title, shape, settings.pixel_pitch_um, timing, int(slm.bitdepth))
