"""Makers' libraries that can not be had: stubs of their C interfaces, compiled here."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "stubs"
BLINK_HEADERS = {
    "hdmi": ("void Create_SDK();", "int Write_image(unsigned char* image, unsigned int is_8_bit);"),
    "hdmi from python": (
        "void Create_SDK(unsigned int);",
        "int Write_image(unsigned char* image, unsigned int is_8_bit);",
    ),
    "hdmi by board": (
        "void Create_SDK();",
        "int Write_image(int board, unsigned char* image, unsigned int is_8_bit);",
    ),
    "pcie 3": (
        "void Create_SDK(unsigned int* n_boards_found, int* constructed_ok);",
        "int Write_image(int board, unsigned char* image, unsigned int timeout_ms);",
    ),
    "pcie 6": (
        "void Create_SDK(unsigned int*, int*);",
        "int Write_image(int board, unsigned char*,\n  int wait, int flip, int pulse, unsigned int);",
    ),
    "pcie 8": (
        "void Create_SDK(unsigned int*, int*);",
        "int Write_image(int, unsigned char*, unsigned int, int, int, int, int, unsigned int);",
    ),
    "overdrive": (
        "void Create_SDK(unsigned int, unsigned int*, int*, int, int, int, int, char*);",
        "int Write_image(int, unsigned char*, unsigned int, int, int, int, int, unsigned int);",
    ),
}


def compiled(source: str, target: Path, *more: str) -> ctypes.CDLL:
    """The stub as a library; a driver that loads the same file meets the same one. Skips without cc."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform == "win32":
        pytest.skip("needs a C compiler, to compile a stub of the maker's library")
    command = [compiler, "-shared", "-fPIC", "-w", f"-I{target.parent}", *more]
    subprocess.run([*command, "-o", str(target), str(HERE / source)], check=True)
    return ctypes.CDLL(str(target))


def blink(generation: str, folder: Path) -> ctypes.CDLL:
    """The SDK of a generation in a folder: library and header."""
    create, write = BLINK_HEADERS[generation]
    text = f"// Write_image(a, b)\n{create}\n/* Create_SDK() */\n{write}\n"
    (folder / "Blink_C_wrapper.h").write_text(text, encoding="utf-8")
    counts = [0 if "()" in line else line.count(",") + 1 for line in (create, write)]
    macros = [f"-DCREATE={counts[0]}", f"-DWRITE={counts[1]}"]
    if generation.startswith("hdmi"):
        macros.append("-DHDMI")
    found = compiled("blink.c", folder / "libBlink_C_wrapper.so", *macros)
    found.stub_panel.restype = ctypes.POINTER(ctypes.c_ubyte)
    return found


def alp(folder: Path) -> ctypes.CDLL:
    """ViALUX's ALP 4.3: a DMD of 48 x 64 mirrors, number 11223."""
    pytest.importorskip("ALP4", reason="ALP4lib is not installed: pip install ALP4lib")
    found = compiled("alp.c", folder / "libalp43.so")
    found.stub_picture.restype = ctypes.POINTER(ctypes.c_ubyte)
    return found
