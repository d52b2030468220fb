"""The window's questions, each beside it and never modal."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QWidget

from gui.widgets.dialogs import ask
from labdiff.engine.status import HandRequested, JobState


def ask_for_a_hand(parent: QWidget, request: HandRequested, answer: Callable[[bool], None]) -> None:
    """Ask the person at the bench to do something; what is not confirmed counts as not done.

    Args:
        parent: The main window.
        request: What is to be done.
        answer: Called with whether it was done.
    """
    ask(
        parent,
        f"By hand, {request.device}: {request.act}.\n\nThen {request.expected}.",
        "It is done",
        "Stop",
        partial(answer, True),
        partial(answer, False),
    )


def ask_to_close(parent: QWidget, job: JobState, close: Callable[[], None]) -> None:
    """Ask whether a running job is to be stopped because the window is closed.

    Args:
        parent: The main window.
        job: The job.
        close: Called if it is.
    """
    recorded = f", recorded in {job.path}" if job.path else ""
    ask(
        parent,
        f"A {job.kind} is {job.state}{recorded}. Stop it, save what was recorded, and close?",
        "Stop and close",
        "Continue",
        close,
    )
