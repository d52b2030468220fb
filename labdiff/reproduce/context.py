"""What the job of a result is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from labdiff.config.bench import SHIPPED
from labdiff.errors import UserError

T = TypeVar("T")
Scale: TypeAlias = Literal["small", "paper"]


@dataclass(frozen=True, slots=True)
class Context:
    """Plain values; the same context finds the same result, whether or not it was cut.

    name: of the result. scale: "small" takes minutes on two cores, "paper" has the paper's sizes and wants
    a GPU or hours. out: folder of the results. data_dir: folder of data files, else LABDIFF_DATA.
    benches: bench files, or names of shipped ones, where a result speaks of benches.
    watts: power of this computer at work, if it is known.
    """

    name: str
    out: Path
    scale: Scale = "small"
    data_dir: Path | None = None
    seed: int = 0
    benches: tuple[str, ...] = SHIPPED
    watts: float | None = None

    def choose(self, small: T, paper: T) -> T:
        """The one that belongs to the scale."""
        return small if self.scale == "small" else paper

    def kept(self, *parts: str) -> Path:
        """A path in out/NAME-SCALE-SEED for checkpoints and sub-runs; its folder is made.

        A job looks there first and goes on from what it finds; other scales and seeds have folders of
        their own. Raises UserError if the folder cannot be made.
        """
        path = self.out.joinpath(f"{self.name}-{self.scale}-seed{self.seed}", *parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"{path.parent}: cannot be made: {error.strerror or error}. "
                "Choose a folder you may write to with --out."
            ) from None
        return path
