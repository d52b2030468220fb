"""Forms below each other whose fields begin at one edge."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtWidgets import QFormLayout, QWidget


def labels_of(form: QFormLayout) -> list[QWidget]:
    """Return the labels of a form, from top to bottom."""
    items = (form.itemAt(row, QFormLayout.ItemRole.LabelRole) for row in range(form.rowCount()))
    widgets = (item.widget() for item in items if item is not None)
    return [widget for widget in widgets if widget is not None]


def align(labels: Iterable[QWidget]) -> None:
    """Make labels as wide as the widest of them, so that the fields beside them begin at one edge."""
    aligned = list(labels)
    width = max((label.sizeHint().width() for label in aligned), default=0)
    for label in aligned:
        label.setMinimumWidth(width)
