"""What a search finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["slm", "camera", "laser", "meter", "input", "instrument"]
"""As in the registry of drivers; "instrument": a line of which nobody knows what stands at its end."""
SECTIONS = {"input": 'kind = "dmd"\n'}
"""What a bench file's section says beyond the driver."""


@dataclass(frozen=True, slots=True)
class Attached:
    """One device. settings: what the bench file has to say to mean it, beside the driver.

    why_not: why it can not be used as it is, in words; empty if it can.
    """

    kind: Kind
    driver: str
    title: str
    settings: dict[str, str] = field(default_factory=dict)
    why_not: str = ""

    def section(self) -> str:
        """For the bench file."""
        lines = [f"{key} = {_quoted(value)}" for key, value in self.settings.items()]
        more = SECTIONS.get(self.kind, "")
        return "\n".join([f"[{self.kind}]", f'{more}driver = "{self.driver}"', *lines])

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one back end. problem: why it found nothing, or what it needs; empty if all went well."""

    back_end: str
    found: tuple[Attached, ...] = ()
    problem: str = ""
    seconds: float = 0.0


def _quoted(value: str) -> str:
    """A TOML string; one of single quotes keeps a Windows path as it is."""
    return f"'{value}'" if "\\" in value or '"' in value else f'"{value}"'
