"""Numbers as people write them: with a point or a comma, an exponent, a unit; the same in every locale."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal

_NUMBER = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*(?P<unit>.*)"
)
"""A number, then its unit; no locale's digits, groups of thousands or words such as "inf"."""
_GROUP = re.compile(r"[.,][0-9]{3}$")
"""The end of a number that may be thousands: as a whole number it is not clear what it means."""
_MICRO = ("u", "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}")


def _metric(unit: str, prefixes: Mapping[str, str]) -> dict[str, Decimal]:
    """Return the spellings of a unit with prefixes, and how many of the bare unit each is."""
    return {f"{prefix}{unit}": Decimal(factor) for prefix, factor in prefixes.items()}


_SMALL = {"n": "1e-9", **dict.fromkeys(_MICRO, "1e-6"), "m": "1e-3", "": "1"}
_SECONDS = {**_metric("s", _SMALL), "min": Decimal(60)}
_WATTS = _metric("W", _SMALL)
_METRES = _metric("m", {**_SMALL, "c": "1e-2"})
_RADIANS = {
    **_metric("rad", {**dict.fromkeys(_MICRO, "1e-6"), "m": "1e-3", "": "1"}),
    **dict.fromkeys(("pi", "π", "pi rad", "π rad"), Decimal(math.pi)),
    **dict.fromkeys(("°", "deg"), Decimal(math.pi) / 180),
    **dict.fromkeys(("waves", "wave"), 2 * Decimal(math.pi)),
}
_FAMILIES = (_SECONDS, _WATTS, _METRES, _RADIANS)


class NumberTextError(ValueError):
    """A text that is not a number in the unit asked for; the message says what is wrong with it."""


def read_number(text: str, unit: str, whole: bool = False) -> float:
    """Return the number that a text means, in a unit.

    A point and a comma are the decimal point. A text without a unit is in the unit asked for.

    Example:
        read_number("500 us", "ms")  # 0.5

    Args:
        text: What was typed, such as "2,5", "1e-3" or "500 us".
        unit: Unit of the number that is returned; "" for none.
        whole: Only whole numbers are understood.

    Raises:
        NumberTextError: If the text has more than one meaning or none.
    """
    plain = text.strip().replace("\N{MINUS SIGN}", "-")
    found = _NUMBER.fullmatch(plain)
    if found is None:
        raise NumberTextError(f"'{text.strip()}' is not a number")
    written = found["number"]
    if whole and _GROUP.search(written):
        raise NumberTextError(f"'{text.strip()}': write whole numbers without a point or a comma")
    value = float(Decimal(written.replace(",", ".")) * _factor(found["unit"].strip(), unit))
    if not math.isfinite(value):
        raise NumberTextError(f"'{text.strip()}' is too large")
    if whole and value != round(value):
        raise NumberTextError(f"'{text.strip()}' is not a whole number")
    return value


def write_number(value: float, unit: str = "", digits: int = 6) -> str:
    """Return a number with its unit as text, with a point in every locale.

    Args:
        value: The number.
        unit: Its unit; "" for none.
        digits: Number of significant digits at most; whole numbers are written in full.
    """
    whole = value == round(value) and abs(value) < 1e15
    text = f"{int(value)}" if whole else f"{value:.{digits}g}"
    return f"{text} {unit}".strip()


def write_limits(low: float, high: float, unit: str = "") -> str:
    """Return the range of a number as text, such as "0.005 ... 1000 ms".

    Args:
        low: Least allowed value.
        high: Greatest allowed value; infinity for none.
        unit: Unit of both.
    """
    if math.isinf(high):
        return f"{write_number(low, unit)} or more"
    return f"{write_number(low)} ... {write_number(high)} {unit}".strip()


def _factor(written: str, unit: str) -> Decimal:
    """Return how many of the unit asked for one of the written unit is."""
    if written in ("", unit):
        return Decimal(1)
    for family in _FAMILIES:
        if unit in family:
            spelled = written if written in family else _lower_case(family).get(written, "")
            if spelled:
                return family[spelled] / family[unit]
            known = ", ".join(family)
            raise NumberTextError(f"'{written}' is not a unit of this number: {known}")
    raise NumberTextError(f"'{written}' is not the unit of this number, {unit or 'which has none'}")


def _lower_case(family: Mapping[str, Decimal]) -> dict[str, str]:
    """Return the spellings of units in small letters; capitals stay, as M is mega and m is milli."""
    return {name.lower(): name for name in family}
