"""Names of the devices that compute, as the option `device` and LABDIFF_DEVICE have them; without torch."""

from __future__ import annotations

import os
import re

from labdiff.errors import UserError

VARIABLE = "LABDIFF_DEVICE"
"""Environment variable that chooses the device where the option leaves it open ("auto")."""
ALLOWED = "auto, cpu, cuda, cuda:N, mps"
_NAME = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


def checked_device(name: str) -> str:
    """Return the name of a device. Raises ValueError for another word."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"device {name!r}: allowed are {ALLOWED}")
    return name


def choose_device(name: str) -> None:
    """Choose the device of this process and of those that it starts, where their options leave it open.

    Raises UserError for a word that names no device.
    """
    try:
        os.environ[VARIABLE] = checked_device(name)
    except ValueError as error:
        raise UserError(f"--{error}") from None


def wanted_device(option: str) -> str:
    """Return the device that is wanted: the option's, or where that says "auto", LABDIFF_DEVICE's.

    Raises UserError if the variable names no device.

    Example:
        >>> wanted_device("cpu")
        'cpu'
    """
    if option != "auto":
        return option
    try:
        return checked_device(os.environ.get(VARIABLE) or "auto")
    except ValueError as error:
        raise UserError(f"{VARIABLE}: {error}") from None
