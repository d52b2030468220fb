"""The user's hand in a file dialog that is open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox, QPushButton, QWidget


def opened(parent: QWidget) -> list[QDialog]:
    """The dialogs of a widget that can be seen."""
    return [dialog for dialog in parent.findChildren(QDialog) if dialog.isVisible()]


def choose(parent: QWidget, path: Path) -> Path:
    """Choose a path in the file dialog of a widget; return the one that was proposed."""
    (dialog,) = (each for each in opened(parent) if isinstance(each, QFileDialog))
    proposed = Path(dialog.selectedFiles()[0])
    dialog.selectFile(str(path))
    dialog.accept()
    return proposed


def answer(parent: QWidget, button: str) -> str:
    """Press a button of the message that is open, by name; return the message."""
    (box,) = (each for each in opened(parent) if isinstance(each, QMessageBox))
    found = box.findChild(QPushButton, button)
    assert found is not None, button
    found.click()
    return box.text()
