"""The terminal's progress bar as an output of a notebook's cell, redrawn in place."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console

from labdiff.events import Event
from labdiff.reports.progress_bar import ProgressBar

REDRAW_S = 0.25
"""Least time between two drawings: the bar is for people, and each drawing is a message to the browser."""
WIDTH = 110
"""Characters in a line of the output."""
_HTML = "<pre style='line-height: 1.3; font-size: 90%'>{code}</pre>"


def progress_bar() -> ProgressBar:
    """Return a progress bar for where the program runs: a notebook, or else a terminal."""
    if Console().is_jupyter:
        return NotebookProgressBar(_cell_output())
    return ProgressBar()


class NotebookProgressBar(ProgressBar):
    """A progress bar drawn as HTML. show: replaces what was shown before by this HTML."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(
            console=Console(
                file=io.StringIO(),
                record=True,
                width=WIDTH,
                force_terminal=True,
                force_jupyter=False,
                color_system="truecolor",
            )
        )
        self._show = show
        self._drawn_s = -REDRAW_S

    def __enter__(self) -> NotebookProgressBar:
        """Return the bar, which is drawn by events and not by a thread of its own."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Draw how it ended."""
        self._draw()

    def __call__(self, event: Event) -> None:
        """Show an event."""
        super().__call__(event)
        if time.monotonic() - self._drawn_s >= REDRAW_S:
            self._draw()

    def _draw(self) -> None:
        """Draw the lines printed so far, and the bars below them."""
        self._drawn_s = time.monotonic()
        bars = Console(
            file=io.StringIO(), record=True, width=WIDTH, force_terminal=True, force_jupyter=False
        )
        bars.print(self._progress.make_tasks_table(self._progress.tasks))
        self._show(
            "".join(
                console.export_html(inline_styles=True, code_format=_HTML, clear=False)
                for console in (self.console, bars)
            )
        )


def _cell_output() -> Callable[[str], None]:
    """Return what writes HTML into one output of the cell that runs."""
    # A notebook's kernel has imported it already; elsewhere it need not be installed.
    display = sys.modules["IPython.display"]
    handle = display.display(display.HTML(""), display_id=True)
    return lambda text: handle.update(display.HTML(text))
