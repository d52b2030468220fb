"""Cameras: asked for by name and number, never opened."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from drivers.discovery.found import Attached

MOST_WEBCAMS = 8
"""Number of webcams that are looked for."""
NO_CAMERAS = ("Utilities",)
"""Micro-Manager's adapters whose cameras are made of others."""


def pylon() -> list[Attached]:
    """Find Basler's cameras, and those of its emulator (PYLON_CAMEMU)."""
    from pypylon import pylon as library

    found = []
    for info in library.TlFactory.GetInstance().EnumerateDevices():
        serial = info.GetSerialNumber()
        title = f"Basler {info.GetModelName()} {serial}"
        found.append(Attached("camera", "basler", title, {"serial": serial}))
    return found


def gentl() -> list[Attached]:
    """Find the cameras of every GenTL producer that GENICAM_GENTL64_PATH names."""
    from harvesters.core import Harvester

    folders = os.environ.get("GENICAM_GENTL64_PATH", "").split(os.pathsep)
    harvester: Any = Harvester()
    try:
        for folder in filter(None, folders):
            for file in sorted(Path(folder).glob("*.cti")):
                harvester.add_file(str(file))
        harvester.update()
        return [
            Attached(
                "camera",
                "genicam",
                f"{info.vendor} {info.model} {info.serial_number}",
                {"serial": info.serial_number},
            )
            for info in harvester.device_info_list
        ]
    finally:
        harvester.reset()


def micromanager() -> list[Attached]:
    """Find cameras that Micro-Manager's adapters offer; whether one is attached, only opening it shows."""
    import pymmcore

    core: Any = pymmcore.CMMCore()
    folders = [str(folder) for folder in micromanager_folders()]
    core.setDeviceAdapterSearchPaths(folders)
    by_itself = "MICROMANAGER_PATH" in os.environ or not folders
    named = {} if by_itself else {"options.folder": folders[0]}
    found = []
    for adapter in set(core.getDeviceAdapterNames()) - set(NO_CAMERAS):
        try:
            names = core.getAvailableDevices(adapter)
            kinds = core.getAvailableDeviceTypes(adapter)
        except RuntimeError:
            continue  # an adapter without its maker's library is no news
        for name, kind in zip(names, kinds, strict=True):
            if kind == pymmcore.CameraDevice:
                title = f"Micro-Manager {adapter} {name}"
                options = {"options.adapter": adapter, "options.device": name, **named}
                found.append(Attached("camera", "micromanager", title, options, seen=False))
    return found


def micromanager_folders() -> list[Path]:
    """Return the folders of its adapters: MICROMANAGER_PATH, or those that came as a package."""
    named = os.environ.get("MICROMANAGER_PATH")
    if named:
        return [Path(named)]
    from importlib.util import find_spec

    spec = find_spec("mm_test_adapters")
    places = spec.submodule_search_locations if spec else None
    return [Path(places[0]) / "libs"] if places else []


def webcams() -> list[Attached]:
    """Find webcams by OpenCV's numbers: on Linux of the devices that exist, elsewhere by trying each."""
    numbers = list(range(MOST_WEBCAMS))
    if sys.platform == "linux":
        numbers = [n for n in numbers if Path(f"/dev/video{n}").exists()]
    if not numbers:
        return []
    import cv2

    found = []
    for number in numbers:
        capture = cv2.VideoCapture(number)
        there = capture.isOpened()
        capture.release()
        if there:
            settings = {"serial": str(number)}
            found.append(Attached("camera", "webcam", f"webcam {number}", settings))
        elif sys.platform != "linux":
            break  # numbers have no gaps there
    return found
