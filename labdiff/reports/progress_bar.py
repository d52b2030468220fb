"""A progress bar in the terminal, which watches a job's events."""

from __future__ import annotations

import math
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from calibration.step import CalibrationStep
from labdiff.events import (
    AlignmentStep,
    Calibrated,
    DenoiserStep,
    EvaluationStep,
    Event,
    GenerationStep,
    HologramFrame,
    HologramStep,
    JobStarted,
    StageStarted,
    TrainingStep,
    ValidityChecked,
)
from labdiff.reports.labels import loss_note

STYLES = {
    "pass": "green",
    "warn": "yellow",
    "fail": "red",
    "fresh": "green",
    "stale": "yellow",
    "never": "yellow",
    "failed": "red",
    "left out": "dim",
}
"""Colours of verdicts, and of the states of stored calibrations."""


class ProgressBar:
    """Shows one line for each stage, with its main figures and the time left; on stderr by default."""

    def __init__(self, quiet: bool = False, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, quiet=quiet)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=28),
            # Where a line is too long its note is broken, and not its numbers.
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[note]}", table_column=Column(no_wrap=False)),
            console=self.console,
            refresh_per_second=4,
        )
        self._task: TaskID | None = None
        self._plain = not self.console.is_terminal
        self._printed_s = 0.0

    def __enter__(self) -> ProgressBar:
        if not self._plain:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._plain:
            self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Show an event."""
        match event:
            case JobStarted(data=data) if data:
                self.console.print(data, highlight=False, markup=False)
            case StageStarted(stage=stage, total_steps=total):
                self._finish()
                self._task = self._progress.add_task(stage, total=max(total, 1), note="")
                if self._plain:
                    self.console.print(f"{stage} ...")
            case TrainingStep():
                note = loss_note(event)
                if event.discrepancy is not None:
                    note += f"  D {event.discrepancy:.4f}"
                    if event.noise_floor is not None and math.isfinite(event.noise_floor):
                        note += f" (noise {event.noise_floor:.4f})"
                self._advance(event.step, event.total, note)
            case DenoiserStep():
                self._advance(event.step, event.total, f"{event.peer}  MSE {event.mse:.3f}")
            case AlignmentStep():
                self._advance(event.step, event.total, event.message)
            case CalibrationStep():
                self._advance(event.index, event.total, f"{event.routine}: {event.message}")
            case GenerationStep():
                self._advance(event.step, event.total, f"t = {event.t}")
            case HologramStep():
                self._advance(event.step, event.total, f"correlation {event.correlation:.4f}")
            case HologramFrame(uniformity=uniformity):
                note = f"PSNR {event.psnr_db:.1f} dB, light {event.efficiency:.1%}"
                if uniformity is not None:
                    note = f"uniformity {uniformity:.3f}, light {event.efficiency:.1%}"
                self._advance(event.frame, event.total, note)
            case EvaluationStep():
                self._advance(event.step, event.total, event.message)
            case Calibrated(routine=routine, result=result):
                verdict = result.verdict
                line = f"  {verdict.level}  {routine}: {verdict.reason} {verdict.remedy}".rstrip()
                self._print(line, verdict.level)
            case ValidityChecked(findings=findings):
                for routine, state, reason in findings:
                    self._print(f"  {state:<8} {routine}: {reason}", state)
            case _:
                pass

    def _print(self, line: str, state: str) -> None:
        self.console.print(line, style=STYLES[state], highlight=False, markup=False)

    def _advance(self, index: int, total: int, note: str) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=index + 1, total=total, note=note)
        if self._plain and time.monotonic() - self._printed_s > 5.0:
            self._printed_s = time.monotonic()
            self.console.print(f"  {index + 1}/{total}  {note}", highlight=False)

    def _finish(self) -> None:
        if self._task is not None:
            total = self._progress.tasks[self._task].total
            self._progress.update(self._task, completed=total or 0)
