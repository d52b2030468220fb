"""Override values in the text of a bench file, without a change of its comments."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from labdiff.errors import UserError


def override_values(text: str, values: Mapping[str, Any]) -> str:
    """Return a bench file's text with these values for keys such as "cavity.z_gap_mm".

    A key that the text does not have is added. Raises UserError for a value that needs more than one line.

    Example:
        text = override_values(bench_text("mock")[1], {"cavity.z_gap_mm": 30.0})
    """
    for key, value in values.items():
        text = _override(text, key, value)
    return text


def _override(text: str, key: str, value: Any) -> str:
    section, _, name = key.rpartition(".")
    try:
        # JSON and TOML write numbers, texts, truth values and lists of them in the same way.
        line = f"{name} = {json.dumps(value, allow_nan=False)}"
        _check(line, name, value)
    except (TypeError, ValueError):
        raise UserError(
            f"{key} = {value!r}: allowed are numbers, texts and lists of them"
        ) from None
    lines, here, place = text.splitlines(), "", None
    if section == "":
        place = 0
    for number, old in enumerate(lines):
        header = re.match(r"\s*\[([^\[\]]+)\]", old)
        if header:
            here = re.sub(r"\s", "", header[1])
            if here == section:
                place = number + 1
        elif here == section and re.match(rf"\s*{re.escape(name)}\s*=", old):
            place, end = number, _end(lines, number)
            lines[place:end] = [line]
            return "\n".join(lines) + "\n"
    if place is None:
        lines += [f"[{section}]"]
        place = len(lines)
    lines.insert(place, line)
    return "\n".join(lines) + "\n"


def _check(line: str, name: str, value: Any) -> None:
    if tomllib.loads(line) != {name: list(value) if isinstance(value, tuple) else value}:
        raise ValueError


def _end(lines: list[str], first: int) -> int:
    """Return the number of the line after a value, which may be a list over several lines."""
    for end in range(first + 1, len(lines) + 1):
        try:
            tomllib.loads("\n".join(lines[first:end]))
        except tomllib.TOMLDecodeError:
            continue
        return end
    return first + 1
