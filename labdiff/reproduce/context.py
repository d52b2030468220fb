"""The settings of a reproduction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from labdiff.config.bench import SHIPPED
from labdiff.errors import UserError

T = TypeVar("T")
Scale: TypeAlias = Literal["small", "paper"]
"""Names of the scales of a reproduction."""


@dataclass(frozen=True, slots=True)
class Context:
    """The settings of a reproduction; equal settings give equal results, resumed or not.

    Attributes:
        name: of the result.
        out: folder of the results.
        scale: "small" takes minutes on two cores; "paper" has the paper's sizes and takes a GPU, or hours.
        data_dir: folder of data files; None for LABDIFF_DATA.
        seed: of all random numbers.
        benches: bench files, or names of shipped ones, for the results that compare benches.
        watts: power that this computer draws under load; None if it is not known.
    """

    name: str
    out: Path
    scale: Scale = "small"
    data_dir: Path | None = None
    seed: int = 0
    benches: tuple[str, ...] = SHIPPED
    watts: float | None = None

    def choose(self, small: T, paper: T) -> T:
        """Return the value that belongs to the scale."""
        return small if self.scale == "small" else paper

    def stored(self, *parts: str) -> Path:
        """Return a path in out/NAME-SCALE-SEED for checkpoints and intermediate results.

        The folder is created. A job reads what is stored there and resumes; other scales and seeds have
        folders of their own. Raises UserError if the folder cannot be created.
        """
        path = self.out.joinpath(f"{self.name}-{self.scale}-seed{self.seed}", *parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"{path.parent}: cannot be created: {error.strerror or error}. "
                "Choose a folder you may write to with --out."
            ) from None
        return path
