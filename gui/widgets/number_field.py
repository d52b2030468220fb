"""The field for every number of the window: it sends what is meant, or nothing."""

from __future__ import annotations

import math

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPalette, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox

from gui import style
from gui.widgets.number_text import NumberTextError, read_number, write_limits, write_number
from gui.widgets.refusal_note import RefusalNote

TYPED_DIGITS = 12
"""Number of digits in which a typed number is shown again."""
ABOVE_AND_BELOW_PX = 8
"""Height of a field beyond that of its text."""
FAINT = 45
"""Opacity of 255 of the red behind a text that was refused."""


class NumberField(QAbstractSpinBox):
    """A number with its unit: typed on Return or on leaving the field, or changed by the arrows.

    A text that is not understood or out of range stays as it was typed, turns red and says the limits;
    nothing is sent. Escape restores the number before. The mouse wheel scrolls what is around the field.

    Args:
        name: Name of the widget.
        value: First value.
        low: Least allowed value.
        high: Greatest allowed value.
        unit: Unit of the value.
        step: Change by one press of an arrow; None for a tenth of the number's first digit.
        tip: Tool tip, to which the range is added.

    Attributes:
        valueChanged: Emitted with the number, in the field's unit, when it has changed.
        refused: Emitted with the reason when a text was refused.
    """

    valueChanged = Signal(float)
    refused = Signal(str)

    def __init__(
        self,
        name: str,
        value: float,
        low: float,
        high: float,
        unit: str = "",
        *,
        step: float | None = None,
        tip: str = "",
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._value, self._low, self._high, self.unit = float(value), low, high, unit
        self._step, self._special, self._tip = step, "", tip
        self._whole, self._refusal = False, ""
        self._typed = False
        self._note = RefusalNote(self)
        self.lineEdit().textEdited.connect(self._on_typed)
        self.editingFinished.connect(self.commit)
        style.style.changed.connect(self._repaint)
        self._write()
        self._explain()

    # The number

    def value(self) -> float:
        """Return the number that was understood last."""
        return self._value

    def setValue(self, value: float) -> None:
        """Show a number, whatever stands in the field, and report it if it has changed."""
        changed = value != self._value
        self._value = float(value)
        self._write()
        if changed:
            self.valueChanged.emit(self._value)

    def show_value(self, value: float) -> None:
        """Show what a device or a file has, unless a text is typed or was refused; report nothing."""
        if not self.pending and value != self._value:
            self._value = float(value)
            self._write()

    @property
    def pending(self) -> bool:
        """True while the text is not that of the value: it is being typed, or was refused."""
        return self._typed or bool(self._refusal)

    @property
    def refusal(self) -> str:
        """Why the text was refused; "" if it was not."""
        return self._refusal

    def commit(self) -> bool:
        """Take the text that was typed; return whether the field's number is what is written in it."""
        if not self._typed:
            return not self._refusal
        self._typed = False
        try:
            value = self._read(self.lineEdit().text())
        except NumberTextError as error:
            self._refuse(f"{error}. Allowed: {write_limits(self._low, self._high, self.unit)}")
            return False
        changed = value != self._value
        self._value = value
        self._write(TYPED_DIGITS)
        if changed:
            self.valueChanged.emit(value)
        return True

    def restore(self) -> None:
        """Show the number before what was typed."""
        self._write()

    # Limits and unit

    def setRange(self, low: float, high: float) -> None:
        """Set the least and the greatest allowed value."""
        self._low, self._high = low, high
        self._explain()

    def minimum(self) -> float:
        """Return the least allowed value."""
        return self._low

    def maximum(self) -> float:
        """Return the greatest allowed value."""
        return self._high

    def set_unit(self, unit: str) -> None:
        """Set the unit; the number stays."""
        self.unit = unit
        self._write()
        self._explain()

    def set_whole(self, whole: bool) -> None:
        """Set whether only whole numbers are understood."""
        self._whole = whole

    def set_step(self, step: float) -> None:
        """Set the change by one press of an arrow."""
        self._step = step

    def set_special(self, text: str) -> None:
        """Set a text that stands for the least value, and is shown for it."""
        self._special = text
        self._write()

    # Qt

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        """Return the directions in which the arrows work."""
        none, up, down = (
            QAbstractSpinBox.StepEnabledFlag.StepNone,
            QAbstractSpinBox.StepEnabledFlag.StepUpEnabled,
            QAbstractSpinBox.StepEnabledFlag.StepDownEnabled,
        )
        if self.isReadOnly():
            return none
        return (up if self._value < self._high else none) | (
            down if self._value > self._low else none
        )

    def stepBy(self, steps: int) -> None:
        """Change the number by steps, within its limits; what was typed is taken first."""
        if not self.commit():
            self.restore()
        step = self._step
        if step is None:
            size = abs(self._value)
            step = 10.0 ** (math.floor(math.log10(size)) - 1) if size > 0.0 else 0.1
        value = float(f"{self._value + steps * step:.12g}")
        self.setValue(min(max(value, self._low), self._high))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Restore the number before with Escape."""
        if event.key() == Qt.Key.Key_Escape and self.pending:
            self.restore()
            event.accept()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let what is around the field scroll."""
        event.ignore()

    def sizeHint(self) -> QSize:
        """Return the size in which the limits, or some digits, can be read."""
        limits = [limit for limit in (self._low, self._high) if math.isfinite(limit)]
        texts = [write_number(limit, self.unit) for limit in limits]
        widths = [self.fontMetrics().horizontalAdvance(text) for text in (*texts, self._special)]
        digit = self.fontMetrics().horizontalAdvance("0")
        arrows = 2 * self.fontMetrics().height()
        # As high as a list to choose from: rows of a form are of one height.
        height = max(super().sizeHint().height(), self.fontMetrics().height() + ABOVE_AND_BELOW_PX)
        return QSize(max(*widths, 6 * digit) + 2 * digit + arrows, height)

    def minimumSizeHint(self) -> QSize:
        """Return the least size: that in which everything can be read."""
        return self.sizeHint()

    def setToolTip(self, tip: str) -> None:
        """Set the description, to which the range is added."""
        self._tip = tip
        self._explain()

    def _repaint(self) -> None:
        self._paint(self._refusal)

    def _on_typed(self, _: str) -> None:
        self._typed = True
        self._paint("")

    def _read(self, text: str) -> float:
        if self._special and text.strip() == self._special:
            return self._low
        value = read_number(text, self.unit, self._whole)
        if not self._low <= value <= self._high:
            side = "below" if value < self._low else "above"
            raise NumberTextError(f"{write_number(value, self.unit)} is {side} the limits")
        return value

    def _write(self, digits: int = 6) -> None:
        special = self._special and self._value == self._low
        text = self._special if special else write_number(self._value, self.unit, digits)
        line = self.lineEdit()
        if line.text() != text:
            line.setText(text)
        self._typed, self._refusal = False, ""
        self._paint("")

    def _refuse(self, reason: str) -> None:
        self._refusal = reason
        self._paint(reason)
        self.refused.emit(reason)

    def _paint(self, refusal: str) -> None:
        """Show the text in red, with the reason beside it, if there is one."""
        line, palette = self.lineEdit(), QPalette(self.palette())
        if refusal:
            bad = QColor(style.theme().bad)
            palette.setColor(QPalette.ColorRole.Text, bad)
            bad.setAlpha(FAINT)
            palette.setColor(QPalette.ColorRole.Base, bad)
        line.setPalette(palette)
        self._note.show_reason(refusal)

    def _explain(self) -> None:
        limits = (
            f"{write_limits(self._low, self._high, self.unit)}; a point and a comma are the same"
        )
        super().setToolTip("\n".join(filter(None, (self._tip, limits))))


class CountField(NumberField):
    """A whole number."""

    def __init__(
        self,
        name: str,
        value: int,
        low: int,
        high: int,
        unit: str = "",
        *,
        tip: str = "",
    ) -> None:
        super().__init__(name, value, low, high, unit, step=1.0, tip=tip)
        self.set_whole(True)

    def value(self) -> int:
        """Return the number that was understood last."""
        return int(super().value())
