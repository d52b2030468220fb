"""Questions, messages and choices of files as windows beside the main one: none is modal, none waits.

Each function returns at once; what was chosen comes through a callback. One dialog of a name is open at a
time: asking again brings it to the front. Qt's own file dialog is used everywhere, because a native one may
block the window; and what it would ask in a modal box (overwrite? no such folder) is asked here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox, QPushButton, QWidget

Chosen = Callable[[Path], None]
Button = QMessageBox.ButtonRole


def ask(
    parent: QWidget,
    question: str,
    yes: str,
    no: str,
    act: Callable[[], None],
    otherwise: Callable[[], None] | None = None,
) -> None:
    """Ask a question; Return, Escape and closing it mean no.

    Args:
        parent: Window to which the question belongs.
        question: What is asked.
        yes: Label of the button that acts.
        no: Label of the safe button, which is the default.
        act: Called when `yes` was chosen.
        otherwise: Called when it was not, also when the dialog was closed; None for nothing.
    """
    box = _message(parent, question)
    if box is None:
        return
    accepting = _button(box, yes, Button.AcceptRole, "dialog_yes")
    refusing = _button(box, no, Button.RejectRole, "dialog_no")
    box.setDefaultButton(refusing)
    box.setEscapeButton(refusing)
    accepting.clicked.connect(lambda: act())
    if otherwise is not None:
        box.finished.connect(lambda _: None if box.clickedButton() is accepting else otherwise())
    _show(box)


def tell(parent: QWidget, message: str) -> None:
    """Show a message with a button that closes it."""
    box = _message(parent, message)
    if box is not None:
        _button(box, "Close", Button.RejectRole, "dialog_no")
        _show(box)


def choose_file(
    parent: QWidget, title: str, start: Path, filters: Sequence[str], chosen: Chosen
) -> None:
    """Let the user choose a file that exists.

    Args:
        parent: Widget to which the choice belongs.
        title: Title of the dialog.
        start: Folder or file that is proposed.
        filters: As "PNG picture (*.png)".
        chosen: Called with the path.
    """

    def check(path: Path) -> None:
        if path.is_file():
            chosen(path)
        else:
            tell(parent, f"{path}: no such file.")

    if not _raised(parent, title):
        dialog = _file_dialog(QFileDialog(parent, title, str(_folder(start))), check)
        dialog.setNameFilters(list(filters))
        _show(dialog)


def choose_new_file(
    parent: QWidget, title: str, proposed: Path, filters: str, chosen: Chosen
) -> None:
    """Let the user choose a file to be written; before one that exists is replaced, it is asked.

    Args:
        parent: Widget to which the choice belongs.
        title: Title of the dialog.
        proposed: Path that is proposed.
        filters: As "Patterns (*.npy *.png)"; a name that ends in none of these gets the first of them.
        chosen: Called with the path.
    """
    endings = [f".{ending}" for ending in re.findall(r"\*\.(\w+)", filters)]

    def check(named: Path) -> None:
        known = named.suffix.lower() in endings
        path = named if known else named.with_name(named.name + endings[0])
        if path.exists():
            question = f"{path} exists. Replace it?"
            ask(parent, question, "Replace", "Keep it", partial(chosen, path))
        else:
            chosen(path)

    if not _raised(parent, title):
        dialog = _file_dialog(QFileDialog(parent, title, str(_folder(proposed))), check)
        dialog.setNameFilter(filters)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(str(proposed))
        _show(dialog)


def choose_folder(parent: QWidget, title: str, start: Path, chosen: Chosen) -> None:
    """Let the user choose a folder that exists.

    Args:
        parent: Widget to which the choice belongs.
        title: Title of the dialog.
        start: Folder that is proposed.
        chosen: Called with the path.
    """
    if not _raised(parent, title):
        dialog = _file_dialog(FolderDialog(parent, title, str(start)), chosen)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        _show(dialog)


class FolderDialog(QFileDialog):
    """A choice of a folder, which says without a modal box that there is no such folder."""

    def accept(self) -> None:
        """Close the dialog if the folder exists."""
        named = [Path(path) for path in self.selectedFiles()]
        if named and not named[0].is_dir():
            tell(self, f"{named[0]}: no such folder.")
            return
        super().accept()


def close_all(window: QWidget) -> None:
    """Close every dialog of a window."""
    for dialog in window.findChildren(QDialog):
        dialog.close()


def _file_dialog(dialog: QFileDialog, chosen: Chosen) -> QFileDialog:
    """Return a file dialog that shows no modal box and is not shown yet."""
    for option in (
        QFileDialog.Option.DontUseNativeDialog,
        QFileDialog.Option.DontConfirmOverwrite,
        QFileDialog.Option.ReadOnly,  # to rename and delete files here would be asked in modal boxes
    ):
        dialog.setOption(option)
    # It takes also what does not exist, without a modal box: the callers look at it.
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.fileSelected.connect(lambda path: chosen(Path(path)))
    _name(dialog, dialog.windowTitle())
    return dialog


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _message(parent: QWidget, message: str) -> QMessageBox | None:
    """Return a message box that is not shown yet; None if it was open, and is now in front."""
    if _raised(parent, message):
        return None
    box = QMessageBox(parent)
    box.setWindowTitle("labdiff")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(message)
    _name(box, message)
    return box


def _button(box: QMessageBox, label: str, role: Button, name: str) -> QPushButton:
    button = box.addButton(label, role)
    button.setObjectName(name)
    return button


def _name(dialog: QDialog, name: str) -> None:
    dialog.setObjectName(name)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)


def _raised(parent: QWidget, name: str) -> bool:
    """Return whether a dialog of this name is open; it is in front then."""
    open_now = [dialog for dialog in parent.findChildren(QDialog, name) if dialog.isVisible()]
    for dialog in open_now:
        dialog.raise_()
        dialog.activateWindow()
    return bool(open_now)


def _show(dialog: QDialog) -> None:
    """Show a dialog that leaves every other window in reach."""
    dialog.setWindowModality(Qt.WindowModality.NonModal)
    dialog.show()
