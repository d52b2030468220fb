"""What every calibration result carries: a verdict, its routine's name, and a figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias, get_args

from calibration.signs import Sign

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Level: TypeAlias = Literal["pass", "warn", "fail"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""The levels of a verdict."""


class CalibrationError(Exception):
    """Raised when a calibration failed: what was found, and the remedy. Nothing of it is used.

    verdict: of the routine that failed, if there is one.
    """

    def __init__(self, message: str, verdict: Verdict | None = None) -> None:
        super().__init__(message)
        self.verdict = verdict


class OtherVersionError(CalibrationError):
    """Raised for a stored result that lacks what this version of the program wants to know."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """pass, warn or fail, the reason, and what to do about it.

    signs: what the routine has noticed, by which causes are told apart. causes: the likeliest ones, by
    their names; the remedy has them in words. A file holds neither.
    """

    level: Level
    reason: str
    remedy: str = ""
    signs: tuple[Sign, ...] = ()
    causes: tuple[str, ...] = ()

    def require(self, routine: str) -> None:
        """Raise CalibrationError if this is a fail."""
        if self.level == "fail":
            raise CalibrationError(f"{routine}: {self.reason}. {self.remedy}", self)


class CalibrationResult:
    """The result of one calibration routine, a frozen dataclass with a `verdict`.

    Its numbers, arrays and tuples of texts are stored by `calibration.result_file`.

    Attributes:
        routine: name of the routine, in the archive, on the command line and in the window.
        title: what the routine finds, for people.
        verdict: whether the result may be used.
        shapes: of those arrays whose shape is known, None for a side of any length; a file's are checked.
        plotted: field, an array, that NeXus programs show of a file; "" if there is none.
        alike: fields of the same length; a file's are checked.
    """

    __slots__ = ()
    routine: ClassVar[str]
    title: ClassVar[str]
    verdict: Verdict
    shapes: ClassVar[Mapping[str, tuple[int | None, ...]]] = {}
    plotted: ClassVar[str] = ""
    alike: ClassVar[tuple[str, ...]] = ()

    def figure(self, patch_shape: tuple[int, int]) -> Figure | None:
        """Return a figure of the result; None if it is a handful of numbers.

        patch_shape: (height, width) of a patch of the bench, pixels.
        """
        return None

    def derived_quantities(self) -> dict[str, float]:
        """Return numbers that people compare and that are not fields, by name, units in the names."""
        return {}
