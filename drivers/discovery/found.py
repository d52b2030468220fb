"""What a search finds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from drivers.plain_text import plain_line

Kind = Literal["slm", "camera", "laser", "meter", "input", "instrument"]
"""Kinds of the registry of drivers; "instrument": an address whose device is not known."""
SECTIONS = {"input": 'kind = "dmd"\n'}
"""Lines of a bench file's section beside the driver."""


@dataclass(frozen=True, slots=True)
class Attached:
    """One device. settings: keys of the bench file that select it, beside the driver.

    why_not: why it cannot be used as it is; empty if it can. shape: (height, width) of a panel, pixels,
    where it is known. seen: False for one that a maker's software offers, whether or not it is attached.
    """

    kind: Kind
    driver: str
    title: str
    settings: dict[str, str] = field(default_factory=dict)
    why_not: str = ""
    shape: tuple[int, int] | None = None
    seen: bool = True

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Attached:
        """Return the device of fields from JSON."""
        shape = values.get("shape")
        return cls(**{**values, "shape": None if shape is None else (int(shape[0]), int(shape[1]))})

    def section(self) -> str:
        """Return its section of a bench file."""
        lines = [f"{key} = {quoted(value)}" for key, value in self.settings.items()]
        more = SECTIONS.get(self.kind, "")
        return "\n".join([f"[{self.kind}]", f'{more}driver = "{self.driver}"', *lines])

    def as_dict(self) -> dict[str, Any]:
        """Return its fields for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one back end. problem: why it found nothing, or what it needs; empty if all went well.

    late: it was ended before it answered.
    """

    back_end: str
    found: tuple[Attached, ...] = ()
    problem: str = ""
    seconds: float = 0.0
    late: bool = False


def quoted(value: str) -> str:
    """Return a TOML string on one line; one of single quotes keeps a Windows path as it is."""
    line = plain_line(value, 1000)
    if ("\\" in line or '"' in line) and "'" not in line:
        return f"'{line}'"
    return json.dumps(line, ensure_ascii=False)
