"""What every calibration result carries: a verdict in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


class CalibrationError(Exception):
    """Raised when a calibration failed: what was found, and the remedy. Nothing of it is used."""


class OtherVersionError(CalibrationError):
    """Raised for a stored result that lacks what this version of the program wants to know."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """pass, warn or fail, the reason, and what to do about it."""

    level: Literal["pass", "warn", "fail"]
    reason: str
    remedy: str = ""

    def require(self, routine: str) -> None:
        """Raise CalibrationError if this is a fail."""
        if self.level == "fail":
            raise CalibrationError(f"{routine}: {self.reason}. {self.remedy}")
