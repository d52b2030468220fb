"""A reproduced result, and the files into which it is written."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from matplotlib.figure import Figure

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError
from labdiff.reports.html_page import png_bytes

Row: TypeAlias = dict[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class Result:
    """A result: its figure, its numbers, and a sentence that compares them with the paper's.

    rows: lines of the CSV file, columns by name in order of appearance; None is an empty cell.
    """

    figure: Figure
    rows: list[Row] = field(default_factory=list)
    sentence: str = ""

    def csv_text(self) -> str:
        """Return the rows as CSV, floats with six digits."""
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
        writer.writeheader()
        for row in self.rows:
            writer.writerow({name: _cell(value) for name, value in row.items()})
        return text.getvalue()

    def write(self, out: Path, name: str) -> list[Path]:
        """Write NAME.png, NAME.csv and NAME.txt, each atomically; return their paths.

        Raises UserError if the folder cannot be written to.
        """
        contents = {
            "png": png_bytes(self.figure, dpi=150),
            "csv": self.csv_text().encode(),
            "txt": (self.sentence + "\n").encode(),
        }
        paths = [out / f"{name}.{suffix}" for suffix in contents]
        try:
            out.mkdir(parents=True, exist_ok=True)
            for path, content in zip(paths, contents.values(), strict=True):
                write_atomically(path, content)
        except OSError as error:
            raise UserError(
                f"{out}: cannot be written: {error.strerror or error}. "
                "Choose a folder you may write to with --out."
            ) from None
        return paths


def number(value: str | int | float | None) -> float:
    """Return a cell as a number; NaN if it is empty."""
    return float("nan") if value is None else float(value)


def _cell(value: str | int | float | None) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
