"""Score trained layers from a notebook or a script."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from labdiff.api.progress import Progress, run_job
from labdiff.api.run import RUN_FILE, Run
from labdiff.jobs.evaluation_job import Evaluation, EvaluationJob, EvaluationRequest

if TYPE_CHECKING:  # matplotlib waits until a report is wanted
    from labdiff.reports.evaluation_report import EvaluationFigures


@dataclass(frozen=True, slots=True)
class Scores:
    """What an evaluation found; a notebook shows its errors and its images.

    Attributes:
        evaluation: Errors by predictor and timestep range, distances, generated and real images.

    Example:
        >>> scores = labdiff.evaluate("runs/a", count=200)
        >>> scores.figures["mean_errors"]["odu"]["noise_mse"]
        0.48
    """

    evaluation: Evaluation

    @property
    def figures(self) -> EvaluationFigures:
        """Everything as plain values: "mean_errors", "errors", "images", "classifier_accuracy" ..."""
        from labdiff.reports.evaluation_report import evaluation_figures

        return evaluation_figures(self.evaluation)

    def write(self, folder: str | Path) -> Path:
        """Write tables (JSON, CSV) and figures (PNG) into a folder and return it.

        Args:
            folder: Is created if it does not exist.

        Raises:
            UserError: If they cannot be written.

        Example:
            >>> scores.write("runs/a/scores")
            PosixPath('runs/a/scores')
        """
        from labdiff.reports.evaluation_report import write_evaluation

        where = Path(folder)
        where.mkdir(parents=True, exist_ok=True)
        write_evaluation(self.evaluation, where)
        return where

    def __repr__(self) -> str:
        """Return the run and its mean error."""
        errors = self.figures["mean_errors"]["odu"]
        return (
            f"<scores of {self.evaluation.request.run_file}: noise MSE {errors['noise_mse']:.4g}>"
        )

    def _repr_html_(self) -> str:
        """Return tables and figures, for a notebook."""
        from labdiff.reports.evaluation_report import evaluation_parts
        from labdiff.reports.html_page import fragment

        return fragment(evaluation_parts(self.evaluation))


def evaluate(
    run: Run | str | Path,
    *,
    count: int = 1000,
    where: Literal["twin", "bench"] = "twin",
    seed: int = 0,
    weights: str | Path | None = None,
    data_dir: str | Path | None = None,
    light_off: bool = True,
    progress: Progress = False,
) -> Scores:
    """Score the layers of a run: errors by timestep range, and how near its images are to real ones.

    Args:
        run: The run, its file, or the folder that holds `run.h5`.
        count: Number of images to generate.
        where: "twin", or "bench" for the bench of the run's bench file.
        seed: Of all that is drawn.
        weights: File of Inception weights; None for that in the data folder, or the classifier alone.
        data_dir: Folder of data files; None for that of LABDIFF_DATA.
        light_off: Whether images of the same electronics without light are generated and scored too.
        progress: True for a progress bar, or a function that is called with each event.

    Returns:
        The scores.

    Raises:
        UserError: If the run holds no trained layers, or an argument is out of range.
        JobStoppedError: If Ctrl-C stopped it.

    Example:
        >>> labdiff.evaluate(run, count=200).figures["mean_errors"]["wiener"]["noise_mse"]
        0.35
    """
    path = run.path if isinstance(run, Run) else Path(run)
    request = EvaluationRequest(
        run_file=path / RUN_FILE if path.is_dir() else path,
        where=where,
        count=count,
        seed=seed,
        weights=Path(weights) if weights is not None else None,
        data_dir=Path(data_dir) if data_dir is not None else None,
        light_off=light_off,
    )
    return Scores(run_job(EvaluationJob(request).job(), progress))
