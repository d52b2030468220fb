"""A driver's own options: the bench file's [slm.options] and the like, checked against its dataclass.

A driver class names the frozen dataclass in `Options`, with a default for each field that has one.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from drivers.errors import DeviceError, DeviceValueError
from drivers.options import checked_options
from drivers.registry import DriverKind
from labdiff.errors import UserError

DriverT = TypeVar("DriverT")
OptionsT = TypeVar("OptionsT")


def find_driver(kind: DriverKind[DriverT], name: str) -> DriverT:
    """Import the driver that a bench file names. Raises UserError for one that there is not."""
    try:
        return kind.find(name)
    except DeviceError as error:
        raise UserError(f"{kind.name}.driver: {error}") from None


def driver_options(
    kind: str, driver: str, wanted: type[OptionsT], given: dict[str, Any]
) -> OptionsT:
    """Check the options of a driver.

    Args:
        kind: Section of the bench file, such as "camera".
        driver: Name of the driver, for messages.
        wanted: The driver's `Options`.
        given: The table of the bench file.

    Raises:
        UserError: With key, value and what is allowed.
    """
    where = f"{kind}.options"
    if not is_dataclass(wanted):
        raise UserError(f"{kind}.driver: the Options of {driver!r} are no dataclass")
    if given and not fields(wanted):
        raise UserError(f"{where}: the driver {driver!r} takes none; leave the table out")
    try:
        return checked_options(where, wanted, given)
    except DeviceValueError as error:
        raise UserError(str(error)) from None
