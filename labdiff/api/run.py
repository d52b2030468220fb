"""A recorded run, as a notebook reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from labdiff.errors import UserError
from labdiff.runs.reader import RunFile
from labdiff.runs.reader import read_run as read_run_file

RUN_FILE = "run.h5"
"""Name of the run file in a run's folder."""


@dataclass(frozen=True, slots=True)
class Run:
    """A recorded run; a notebook shows it as its report: figures, curves, images, verdicts.

    Attributes:
        file: Everything that the run file holds.

    Example:
        >>> run = labdiff.read_run("runs/a")
        >>> run.figures["mse_online_bench"]
        0.41
    """

    file: RunFile

    @property
    def path(self) -> Path:
        """The run file."""
        return self.file.path

    @property
    def outcome(self) -> str:
        """How the run ended: completed, stopped, failed, or running."""
        return self.file.outcome

    @property
    def figures(self) -> dict[str, float]:
        """The figures of the run by name, such as `mse_online_bench`."""
        return self.file.figures

    @property
    def images(self) -> npt.NDArray[np.float32]:
        """The images that were generated at the end, (count, H, W) in -1 ... 1; none for a count of 0."""
        return self.file.generated.get("images", np.empty((0, 0, 0), np.float32))

    def curve(self, quantity: str) -> npt.NDArray[Any]:
        """Return a training quantity over the steps, (steps,); NaN where a step has none.

        Args:
            quantity: A field of `labdiff.events.TrainingStep`, such as "twin_mse", "bench_mse",
                "discrepancy"; "method" tells which step was trained where.

        Raises:
            UserError: If the run recorded no such quantity.

        Example:
            >>> plt.semilogy(run.curve("bench_mse"))
        """
        table = self.file.columns.get("training", {})
        if quantity not in table:
            known = ", ".join(sorted(table)) or "none: it holds no training step"
            raise UserError(f"{self.path}: no quantity {quantity!r}; it has {known}")
        return table[quantity]

    def write_report(self, path: str | Path | None = None) -> Path:
        """Write the run as one self-contained HTML page and return its path.

        Args:
            path: The page; None for `report.html` beside the run file.

        Raises:
            UserError: If the page cannot be written.

        Example:
            >>> run.write_report()
            PosixPath('runs/a/report.html')
        """
        from labdiff.reports.run_report import write_report

        return write_report(self.file, Path(path or self.path.with_name("report.html")))

    def __repr__(self) -> str:
        """Return the path and the outcome."""
        return f"<run {self.path}: {self.outcome}>"

    def _repr_html_(self) -> str:
        """Return the report, for a notebook."""
        from labdiff.reports.html_page import fragment
        from labdiff.reports.run_report import run_parts

        return fragment(run_parts(self.file))


def read_run(path: str | Path) -> Run:
    """Read a run file, also one that is still being written.

    Args:
        path: The run file, or the folder that holds `run.h5`.

    Returns:
        The run.

    Raises:
        UserError: If the file is missing, damaged, or was not recorded by labdiff.

    Example:
        >>> run = labdiff.read_run("runs/a")
        >>> run.curve("bench_mse")[-1]
        0.39
    """
    where = Path(path)
    return Run(read_run_file(where / RUN_FILE if where.is_dir() else where))
