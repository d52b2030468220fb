"""A laser's power that is raised by much is asked for first."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog

from gui.widgets.dialogs import ask
from gui.widgets.number_field import NumberField
from gui.widgets.number_text import write_number

MOST_TIMES = 5.0
"""Ratio up to which a laser's power is raised without a question."""


class PowerGuard:
    """Sends a power that was entered, after a question if it is more than `MOST_TIMES` the one before.

    The question is a window beside the others; until it is answered nothing is sent.

    Args:
        field: The field in which the power is entered, mW.
        send: Called with the power that is to be set, mW.
    """

    def __init__(self, field: NumberField, send: Callable[[float], None]) -> None:
        self._field, self._send = field, send
        self._before_mw = 0.0
        self._question = ""
        field.valueChanged.connect(self._enter)

    @property
    def asking(self) -> bool:
        """True while the question is open."""
        return bool(self._question)

    def set_present(self, power_mw: float) -> None:
        """Set the power that the laser has, with which the next one is compared."""
        self._before_mw = power_mw

    def withdraw(self) -> None:
        """Close the question; nothing is sent, and the field shows the power that the laser has."""
        if self.asking:
            self._close()
            self._field.blockSignals(True)
            self._field.setValue(self._before_mw)
            self._field.blockSignals(False)

    def _enter(self, power_mw: float) -> None:
        self._close()  # that of an earlier entry
        if power_mw <= MOST_TIMES * self._before_mw:
            self._send(power_mw)
            return
        before, after = write_number(self._before_mw, "mW"), write_number(power_mw, "mW")
        times = f", {power_mw / self._before_mw:.3g} times as much" if self._before_mw else ""
        self._question = f"Raise the laser's power from {before} to {after}{times}?"
        ask(
            self._field.window(),
            self._question,
            f"Raise to {after}",
            f"Keep {before}",
            lambda: self._raise(power_mw),
            self.withdraw,
        )

    def _raise(self, power_mw: float) -> None:
        if self.asking:
            self._question = ""
            self._send(power_mw)

    def _close(self) -> None:
        question, self._question = self._question, ""
        for dialog in self._field.window().findChildren(QDialog, question) if question else ():
            dialog.close()
