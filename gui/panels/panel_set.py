"""The panels of the window, as one value that is handed to what lays them out and to what fills them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QWidget

from gui.panels.bench_panel import BenchPanel
from gui.panels.calibration_panel import CalibrationPanel
from gui.panels.console_panel import ConsolePanel
from gui.panels.generate_panel import GeneratePanel
from gui.panels.live_panel import LivePanel
from gui.panels.log_panel import LogPanel
from gui.panels.runs_panel import RunsPanel
from gui.panels.slm_panel import SlmPanel
from gui.panels.training_panel import TrainingPanel


class WindowPanel(Protocol):
    """What every panel can do beside what it is for."""

    def reset(self) -> None:
        """Forget everything that belongs to the last bench and its jobs."""
        ...


@dataclass(frozen=True, slots=True)
class PanelSet:
    """One panel of each kind."""

    bench: BenchPanel
    live: LivePanel
    slm: SlmPanel
    calibration: CalibrationPanel
    training: TrainingPanel
    generate: GeneratePanel
    runs: RunsPanel
    log: LogPanel
    console: ConsolePanel

    @classmethod
    def create(cls, bench: str, out: Path, seed: int) -> PanelSet:
        """Return new panels.

        Args:
            bench: Bench file or shipped bench that is proposed first.
            out: Folder of runs and recordings.
            seed: Seed of the mock laboratory that is proposed first.
        """
        return cls(
            bench=BenchPanel(bench, seed),
            live=LivePanel(out),
            slm=SlmPanel(),
            calibration=CalibrationPanel(),
            training=TrainingPanel(),
            generate=GeneratePanel(),
            runs=RunsPanel(out),
            log=LogPanel(),
            console=ConsolePanel(),
        )

    def reset(self) -> None:
        """Let every panel forget the last bench and its jobs: it has changed, was closed, or died."""
        panels: tuple[WindowPanel, ...] = (
            self.bench,
            self.live,
            self.slm,
            self.calibration,
            self.training,
            self.generate,
            self.runs,
            self.log,
            self.console,
        )
        for panel in panels:
            panel.reset()

    def by_title(self) -> dict[str, QWidget]:
        """Return the panels by the titles of their docks, in the order of the menu."""
        return {
            "Bench": self.bench,
            "Live": self.live,
            "SLM": self.slm,
            "Calibration": self.calibration,
            "Training": self.training,
            "Generate": self.generate,
            "Runs": self.runs,
            "Log": self.log,
            "Console": self.console,
        }
