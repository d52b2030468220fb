"""What a search finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["slm", "camera", "laser", "meter", "input", "instrument"]
"""Kinds of the registry of drivers; "instrument": an address whose device is not known."""
SECTIONS = {"input": 'kind = "dmd"\n'}
"""Lines of a bench file's section beside the driver."""


@dataclass(frozen=True, slots=True)
class Attached:
    """One device. settings: keys of the bench file that select it, beside the driver.

    why_not: why it cannot be used as it is; empty if it can.
    """

    kind: Kind
    driver: str
    title: str
    settings: dict[str, str] = field(default_factory=dict)
    why_not: str = ""

    def section(self) -> str:
        """Return its section of a bench file."""
        lines = [f"{key} = {_quoted(value)}" for key, value in self.settings.items()]
        more = SECTIONS.get(self.kind, "")
        return "\n".join([f"[{self.kind}]", f'{more}driver = "{self.driver}"', *lines])

    def as_dict(self) -> dict[str, Any]:
        """Return its fields for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one back end. problem: why it found nothing, or what it needs; empty if all went well."""

    back_end: str
    found: tuple[Attached, ...] = ()
    problem: str = ""
    seconds: float = 0.0


def _quoted(value: str) -> str:
    """Return a TOML string; one of single quotes keeps a Windows path as it is."""
    return f"'{value}'" if "\\" in value or '"' in value else f'"{value}"'
