"""A maker's library that is missing, or whose DLL is, is one sentence with the remedy, for every driver."""

from __future__ import annotations

import ctypes
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from drivers import maker_library
from drivers.camera.basler import BaslerCamera
from drivers.camera.genicam import GenicamCamera, GenicamOptions
from drivers.camera.micromanager import MicroManagerCamera, MicroManagerOptions
from drivers.camera.webcam import Webcam, WebcamOptions
from drivers.errors import DeviceNotFoundError
from drivers.maker_library import maker_module
from drivers.modulator.dmd_alp import DmdAlp, DmdAlpOptions
from drivers.settings import InputSettings, SlmSettings
from drivers.slm.blink import HEADER, LIBRARY, Blink
from drivers.slm.level_encoding import VideoOptions
from drivers.slm.slmpy import SlmPy
from drivers.slm.slmsuite import SlmsuiteOptions, SlmsuiteSlm
from drivers.visa import VisaLink

PRODUCER = GenicamOptions(producer="maker.cti")
SHAPE = (64, 160)


def monitor() -> object:
    return SlmPy.from_settings(SlmSettings(SHAPE, 9.2, "monitor:1", VideoOptions()))


def santec() -> object:
    return SlmsuiteSlm.from_settings(SlmSettings(SHAPE, 9.2, "santec", SlmsuiteOptions()))


def dmd() -> object:
    return DmdAlp.from_settings(InputSettings((10, 10), "", DmdAlpOptions()))


OPENED: dict[str, tuple[Callable[[], object], str, str]] = {
    "pypylon.pylon": (BaslerCamera, "pip install pypylon", "pip install pypylon, anew"),
    "harvesters.core": (
        lambda: GenicamCamera(options=PRODUCER),
        r"labdiff\[genicam\]",
        r"labdiff\[genicam\]', anew",
    ),
    "pymmcore": (
        lambda: MicroManagerCamera("", 8, MicroManagerOptions(adapter="A", device="B")),
        r"labdiff\[micromanager\]",
        "anew",
    ),
    "cv2": (lambda: Webcam("0", 8, WebcamOptions()), r"labdiff\[webcam\]", "install libGL"),
    "ALP4": (dmd, r"labdiff\[alp\]", "install ViALUX's ALP, of as many bits as Python"),
    "slmpy": (monitor, "GitHub repository", "install wxPython"),
    "slmsuite.hardware.slms.santec": (
        santec,
        r"labdiff\[slmsuite\]",
        "install the SLM maker's software",
    ),
    "pyvisa": (lambda: VisaLink.open("ASRL1::INSTR"), "install labdiff anew", "anew"),
}


def importing(monkeypatch: pytest.MonkeyPatch, module: str, error: Exception) -> None:
    """Let the import of a module end with an error; all others are made."""

    def found(name: str) -> Any:
        if name == module:
            raise error
        return (
            ModuleType(name)
            if name.startswith(module.partition(".")[0])
            else importlib.import_module(name)
        )

    monkeypatch.setattr(maker_library, "import_module", found)


@pytest.mark.parametrize("module", OPENED)
def test_a_package_that_is_missing_is_said_with_how_it_is_installed(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_device, install, _ = OPENED[module]
    package = module.partition(".")[0]
    importing(
        monkeypatch, module, ModuleNotFoundError(f"No module named {package!r}", name=package)
    )
    with pytest.raises(DeviceNotFoundError, match=f"{package} is missing; .*{install}"):
        open_device()


@pytest.mark.parametrize("module", OPENED)
@pytest.mark.parametrize(
    "error",
    [
        OSError("libmaker.so.3: cannot open shared object file"),
        ImportError(
            "DLL load failed while importing _maker: The specified module could not be found."
        ),
        AttributeError("function 'Open' not found"),
    ],
    ids=["OSError", "ImportError", "AttributeError"],
)
def test_a_shared_library_that_is_missing_is_one_sentence_with_the_remedy(
    module: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_device, _, remedy = OPENED[module]
    importing(monkeypatch, module, error)
    with pytest.raises(
        DeviceNotFoundError, match="a shared library is missing; .*" + remedy
    ) as raised:
        open_device()
    assert "\n" not in str(raised.value)
    assert str(error) in str(raised.value)


def test_a_library_of_visa_that_is_not_installed_is_said() -> None:
    with pytest.raises(
        DeviceNotFoundError, match=r"/nowhere/libvisa\.so.*does not load: .*NI-VISA"
    ):
        VisaLink.open("ASRL1::INSTR", library="/nowhere/libvisa.so")


def test_a_makers_class_whose_dll_is_missing_is_no_attribute_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def santec(**arguments: object) -> object:
        raise AttributeError("'NoneType' object has no attribute 'SLM_Ctrl_Open'")

    module = ModuleType("santec")
    module.__dict__["Santec"] = santec
    monkeypatch.setitem(sys.modules, "slmsuite.hardware.slms.santec", module)
    for package in ("slmsuite", "slmsuite.hardware", "slmsuite.hardware.slms"):
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
    with pytest.raises(DeviceNotFoundError, match="slmsuite santec is installed and does not load"):
        SlmsuiteSlm.from_settings(SlmSettings(SHAPE, 9.2, "santec", SlmsuiteOptions()))


def test_blinks_library_that_is_broken_or_of_another_version_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / HEADER).write_text(
        "int Create_SDK(int a, int b);\nint Write_image(int a, int b, int c);"
    )
    (tmp_path / LIBRARY).write_bytes(b"not a library")
    with pytest.raises(DeviceNotFoundError, match="does not load.*Visual C"):
        Blink(tmp_path)
    monkeypatch.setattr(ctypes, "CDLL", lambda path: ctypes.pythonapi)
    with pytest.raises(
        DeviceNotFoundError, match="no function Create_SDK; is it of another version"
    ):
        Blink(tmp_path)


def test_a_module_that_loads_is_handed_out() -> None:
    assert maker_module("json", "pip install json") is sys.modules["json"]
