from __future__ import annotations

from labdiff.events import AlignmentStep, GenerationStep, StageStarted
from labdiff.reports.notebook_progress import NotebookProgressBar, progress_bar
from labdiff.reports.progress_bar import ProgressBar


def test_a_notebooks_bar_replaces_what_it_drew_before() -> None:
    shown: list[str] = []
    with NotebookProgressBar(shown.append) as bar:
        bar(StageStarted("generating <now>", 10))
        for step in range(7):
            bar(GenerationStep(step, 10, 900, None))  # type: ignore[arg-type]
    assert "generating &lt;now&gt;" in shown[-1]
    assert "7/10" in shown[-1] and "t = 900" in shown[-1]
    assert "\x1b" not in shown[-1]


def test_a_long_note_breaks_and_leaves_the_numbers_whole() -> None:
    shown: list[str] = []
    with NotebookProgressBar(shown.append) as bar:
        bar(StageStarted("learning on the data sheet's twin", 1000))
        bar(AlignmentStep(499, 1000, 0.001, {}, "a note that says a good deal more " * 3))
    assert "500/1000" in shown[-1] and "0:00:0" in shown[-1]


def test_a_terminal_has_the_terminals_bar() -> None:
    assert type(progress_bar()) is ProgressBar
