"""Which class a name in the bench file stands for. Imported only when it is opened."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Any

from drivers.errors import DeviceNotFoundError

DRIVERS: dict[str, dict[str, str]] = {
    "slm": {
        "slmpy": "drivers.slm.slmpy:SlmPy",
        "screen": "drivers.slm.screen:Screen",
        "meadowlark": "drivers.slm.meadowlark:Meadowlark",
        "slmsuite": "drivers.slm.slmsuite:SlmsuiteSlm",
    },
    "camera": {
        "basler": "drivers.camera.basler:BaslerCamera",
        "folder": "drivers.camera.folder:FolderCamera",
        "genicam": "drivers.camera.genicam:GenicamCamera",
        "micromanager": "drivers.camera.micromanager:MicroManagerCamera",
        "webcam": "drivers.camera.webcam:Webcam",
    },
    "laser": {
        "scpi": "drivers.laser.scpi:ObisLaser",
        "scpi_laser": "drivers.laser.scpi:ScpiLaser",
        "solstis": "drivers.laser.solstis:Solstis",
    },
    "input": {"dmd_alp": "drivers.modulator.dmd_alp:DmdAlp"},
    "meter": {"pm100": "drivers.meter.pm100:Pm100"},
}


def driver_class(kind: str, name: str) -> type[Any]:
    """The driver class of a kind ("slm", "camera" ...) by its name in the bench file.

    Raises DeviceNotFoundError with the names that there are.
    """
    known = DRIVERS[kind]
    if name not in known:
        near = difflib.get_close_matches(name, [*known, "mock"], 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DeviceNotFoundError(
            f"unknown {kind} driver {name!r}; allowed are {', '.join(['mock', *known])}.{hint}"
        )
    module, _, attribute = known[name].partition(":")
    found: type[Any] = getattr(import_module(module), attribute)
    return found
