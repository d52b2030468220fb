"""Meadowlark's Blink SDK through ctypes. Its C functions differ from one generation to the next.

Which generation a library is, its header beside it says by the numbers of arguments of Create_SDK and
Write_image. Sources: Blink_C_wrapper.h of several SDKs; slmsuite's table of generations.
"""

from __future__ import annotations

import ctypes
import re
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np

from drivers.errors import (
    DeviceError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
)
from drivers.maker_library import MakerFunctions
from drivers.slm.panel import Grey

Generation = Literal["hdmi", "pcie 3", "pcie 6", "pcie 8", "overdrive"]
GENERATIONS: dict[tuple[int, int], Generation] = {
    (0, 2): "hdmi",
    (1, 2): "hdmi",
    (0, 3): "hdmi",
    (2, 3): "pcie 3",
    (2, 6): "pcie 6",
    (2, 8): "pcie 8",
    (8, 8): "overdrive",
}
"""Generation of an SDK by the numbers of arguments of Create_SDK and Write_image."""
MAKER_FOLDER = Path("C:/Program Files/Meadowlark Optics")
LIBRARY = "Blink_C_wrapper.dll" if sys.platform == "win32" else "libBlink_C_wrapper.so"
HEADER = "Blink_C_wrapper.h"
OVERDRIVE_BITS, TRANSIENTS, TRUE_FRAMES = 8, 10, 3
"""Arguments of Create_SDK that PCIe panels with overdrive take."""


def sdk_folders(named: str = "") -> list[Path]:
    """Find folders that hold an SDK, the newest first, in the folder `named` or else the maker's."""
    root = Path(named) if named else MAKER_FOLDER
    found = [path.parent for path in root.rglob(LIBRARY) if "Cal Kit" not in str(path)]
    return sorted(found, key=lambda folder: (folder / LIBRARY).stat().st_mtime, reverse=True)


def generation(folder: Path) -> tuple[Generation, tuple[int, int]]:
    """Return the SDK's generation and its numbers of arguments.

    Raises DeviceNotFoundError if its header does not show them.
    """
    try:
        text = (folder / HEADER).read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise DeviceNotFoundError(
            f"Blink SDK in {folder}: {HEADER} is missing beside {LIBRARY}; it shows which generation it is"
        ) from None
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    counts = []
    for name in ("Create_SDK", "Write_image"):
        found = re.search(rf"\b{name}\s*\(([^)]*)\)", text)
        inside = found.group(1).strip() if found else ""
        counts.append(0 if inside in ("", "void") else inside.count(",") + 1)
    key = (counts[0], counts[1])
    if key not in GENERATIONS:
        raise DeviceNotFoundError(
            f"Blink SDK in {folder}: a generation that is not known: Create_SDK takes {key[0]} arguments, "
            f"Write_image {key[1]}"
        )
    return GENERATIONS[key], key


class Blink:
    """One panel. board: from 1, of those on the bus; HDMI has one.

    shape (height, width) and bits are what the SDK reports.
    """

    def __init__(self, folder: Path, board: int = 1) -> None:
        self.kind, self._arguments = generation(folder)
        self._board, self._where = board, f"Meadowlark SLM {board} ({self.kind})"
        self._wait = self._pulse = False
        try:
            library = ctypes.CDLL(str((folder / LIBRARY).resolve()))
        except OSError as error:
            raise DeviceNotFoundError(
                f"Blink SDK in {folder}: {LIBRARY} does not load: {error}; install Meadowlark's Blink "
                "anew, of as many bits as Python, with the Visual C++ runtime that it brings"
            ) from error
        self._sdk: Any = MakerFunctions(
            library, f"Blink SDK in {folder}", f"is it of another version than {HEADER} beside it?"
        )
        boards = self._create()
        self._open = True
        if not 1 <= board <= boards:
            self.close()
            raise DeviceNotFoundError(
                f"{self._where}: the SDK finds {boards}; is it switched on, and used by no other program?"
            )
        size = [
            self._number(f"Get_image_{what}", f"Get_{what.title()}") for what in ("height", "width")
        ]
        self.shape: tuple[int, int] = (size[0], size[1])
        self.bits = self._number("Get_image_depth", "Get_Depth")
        self.serial = "" if self.kind == "hdmi" else str(self._sdk.Read_Serial_Number(board))
        if self.kind == "overdrive":
            self._sdk.Set_true_frames(TRUE_FRAMES)
            self._sdk.SLM_power(1)

    def _create(self) -> int:
        """Start the SDK; how many panels it finds."""
        if self.kind == "hdmi":
            self._sdk.Create_SDK(*[ctypes.c_uint(1)] * self._arguments[0])
            return 1
        boards, well = ctypes.c_uint(0), ctypes.c_int(-1)
        found = (ctypes.byref(boards), ctypes.byref(well))
        if self.kind == "overdrive":
            self._sdk.Create_SDK(OVERDRIVE_BITS, *found, 1, 1, 0, TRANSIENTS, None)
        else:
            self._sdk.Create_SDK(*found)
        if well.value not in (0, 1):
            raise DeviceNotFoundError(
                f"{self._where}: the SDK does not start: {self._last_error()}"
            )
        return boards.value

    def load_lut(self, file: Path) -> None:
        """Load the maker's voltages by grey level.

        Raises DeviceValueError for a file that the SDK does not take.
        """
        if not file.is_file():
            raise DeviceValueError(f"{self._where}: lut = {str(file)!r}: there is no such file")
        name = str(file).encode()
        hdmi = self.kind == "hdmi"
        well = self._sdk.Load_lut(name) if hdmi else self._sdk.Load_LUT_file(self._board, name)
        if well != 1:
            raise DeviceValueError(
                f"{self._where}: lut = {str(file)!r}: refused: {self._last_error()}; is it of this panel?"
            )

    def set_triggers(self, wait: bool, pulse: bool) -> None:
        """Set whether a picture waits for a pulse at the input, and whether it sends one to the output.

        Raises DeviceValueError for HDMI, which has neither.
        """
        if self.kind == "hdmi" and (wait or pulse):
            raise DeviceValueError(f"{self._where}: has no trigger input or output")
        if self.kind == "pcie 3":
            self._sdk.SetWaitForTrigger(self._board, int(wait))
            self._sdk.SetFlipImmediate(self._board, 0)
            self._sdk.SetOutputPulse(self._board, int(pulse))
        self._wait, self._pulse = wait, pulse

    def show(self, grey: Grey, timeout_ms: int = 5000) -> None:
        """Write and wait until the panel has it. Raises DeviceTimeoutError, DeviceStateError."""
        if not self._open:
            raise DeviceStateError(f"{self._where}: is closed")
        data = np.ascontiguousarray(grey)
        pixels = data.ctypes.data_as(ctypes.c_void_p)
        if self.kind == "hdmi":
            eight = ctypes.c_uint(self.bits <= 8)
            before = [self._board] if self._arguments[1] == 3 else []
            self._sdk.Write_image(*before, pixels, eight)
            return
        # Never flip immediately: the panel would show rows of two pictures.
        flags = (int(self._wait), 0, int(self._pulse))
        if self.kind == "pcie 3":
            well = self._sdk.Write_image(self._board, pixels, timeout_ms)
        elif self.kind == "pcie 6":
            well = self._sdk.Write_image(self._board, pixels, *flags, timeout_ms)
        else:
            well = self._sdk.Write_image(self._board, pixels, data.nbytes, *flags, 0, timeout_ms)
        if well != 1:
            raise DeviceError(f"{self._where}: did not take the picture: {self._last_error()}")
        if self._sdk.ImageWriteComplete(self._board, timeout_ms) != 1:
            why = "no trigger came" if self._wait else self._last_error()
            raise DeviceTimeoutError(f"{self._where}: not shown in {timeout_ms} ms: {why}")

    def close(self) -> None:
        """Let go."""
        if self._open:
            self._open = False
            if self.kind == "overdrive":
                self._sdk.SLM_power(0)
            self._sdk.Delete_SDK()

    def _number(self, bus: str, hdmi: str) -> int:
        return int(
            getattr(self._sdk, hdmi)()
            if self.kind == "hdmi"
            else getattr(self._sdk, bus)(self._board)
        )

    def _last_error(self) -> str:
        if self.kind == "hdmi":
            return "it does not say why"
        ask = self._sdk.Get_last_error_message
        ask.restype = ctypes.c_char_p
        return (ask() or b"it does not say why").decode("utf-8", "replace")
