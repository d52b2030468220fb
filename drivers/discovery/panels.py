"""SLMs and DMDs."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stdout, suppress
from importlib.util import find_spec
from pathlib import Path

from drivers.discovery.found import Attached

ALP_FOLDER, BLINK_FOLDER = "LABDIFF_ALP", "LABDIFF_BLINK"
"""Environment variables that name the folders of the makers' libraries, if not the default ones."""
ALP_VERSIONS = ("5.1", "5.0", "4.4", "4.3", "4.2", "4.1")
"""Versions of ViALUX's ALP that are tried, the newest first."""


def monitors() -> list[Attached]:
    """Find monitors that may carry an SLM."""
    from drivers.slm.window_link import list_monitors

    found = []
    for monitor in list_monitors():
        height, width = monitor.shape
        title = f"monitor {monitor.title}, {width} x {height} pixels"
        why_not = monitor.why_not() or ""
        settings = {"address": monitor.address}
        found.append(Attached("slm", "screen", title, settings, why_not, monitor.shape))
    return found


def blink() -> list[Attached]:
    """Find Meadowlark's SDKs; to look for panels would take them from the program that uses them."""
    from drivers.errors import DeviceError
    from drivers.slm.blink import generation, sdk_folders

    found = []
    for folder in sdk_folders(os.environ.get(BLINK_FOLDER, "")):
        settings = {"address": "board:1", "options.sdk": str(folder)}
        try:
            title = f"Meadowlark Blink SDK ({generation(folder)[0]})"
            found.append(Attached("slm", "meadowlark", title, settings, seen=False))
        except DeviceError as error:
            found.append(
                Attached("slm", "meadowlark", "Meadowlark Blink SDK", settings, str(error))
            )
    return found


def slmsuite() -> list[Attached]:
    """Find Santec's panels, and Holoeye's SDK, which names its panels only to its own tool."""
    found = []
    if find_spec("HEDS") is not None:
        settings = {"address": "holoeye"}
        found.append(Attached("slm", "slmsuite", "Holoeye's SDK", settings, seen=False))
    with redirect_stdout(io.StringIO()), suppress(Exception):  # Santec's library is not there
        from slmsuite.hardware.slms.santec import Santec

        for _, title in Santec.info(verbose=False):
            found.append(Attached("slm", "slmsuite", f"Santec {title}", {"address": "santec"}))
    return found


def slmsuite_has_makers() -> bool:
    """Return whether Holoeye's Python package is there, or a folder of Holoeye's or Santec's."""
    places = ("HOLOEYE Photonics", "Santec")
    return find_spec("HEDS") is not None or any(
        Path("C:/Program Files", place).is_dir() for place in places
    )


def alp() -> list[Attached]:
    """Find the first DMD of each version of ViALUX's ALP, which is opened for a moment if it is free."""
    from ALP4 import ALP4

    named = os.environ.get(ALP_FOLDER, "")
    found = []
    for version in ALP_VERSIONS:
        settings = {"options.version": version}
        if named:
            settings["options.library"] = named
        with redirect_stdout(io.StringIO()):
            try:
                device = ALP4(version=version, libDir=named or None)
            except (OSError, ValueError):
                continue  # this version is not installed
            try:
                device.Initialize()
            except Exception as error:
                if "allocated" in str(error):
                    used = "in use by another program"
                    found.append(Attached("input", "dmd_alp", "ViALUX DMD", settings, used))
                continue
            serial = str(device.DevInquire(2000))
            title = f"ViALUX DMD {serial}, {device.nSizeX} x {device.nSizeY} mirrors"
            with suppress(Exception):
                device.Free()
        found.append(Attached("input", "dmd_alp", title, {"address": serial, **settings}))
    return found


def alp_is_installed() -> bool:
    """Return whether ALP is there: by its folder on Windows, elsewhere among the system's libraries."""
    folder = os.environ.get(ALP_FOLDER, "")
    if sys.platform == "win32" and not folder:
        return Path("C:/Program Files/ALP-4.3").exists() or any(
            Path("C:/Program Files").glob("ALP-*")
        )
    return any(Path(folder or "/usr/lib/x86_64-linux-gnu").glob("libalp*.so"))


def blink_is_installed() -> bool:
    """Return whether there is a folder of Meadowlark's."""
    folder = os.environ.get(BLINK_FOLDER, "C:/Program Files/Meadowlark Optics")
    return Path(folder).is_dir()
