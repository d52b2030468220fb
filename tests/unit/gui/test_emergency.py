"""F12 and the red button whatever is open; no dialog is ever modal."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

import gui
from gui.emergency import Emergency
from gui.widgets import dialogs
from tests.unit.gui.file_choice import answer, choose, opened

FILES = ("Files (*.npy *.png)",)


@pytest.fixture
def pressed() -> list[str]:
    """What pressed it, in order."""
    return []


@pytest.fixture
def parent(qtbot: QtBot, pressed: list[str]) -> Iterator[QWidget]:
    """A window with the red button, a field, and a list."""
    window = QWidget()
    window.resize(600, 400)
    button = QPushButton("Safe state", window)
    button.setObjectName("safe")
    button.setGeometry(480, 0, 120, 30)
    QLineEdit(window).setGeometry(0, 40, 200, 30)
    combo = QComboBox(window)
    combo.setGeometry(0, 80, 200, 30)
    combo.addItems(["one", "two", "three"])
    emergency = Emergency(button, lambda: pressed.append("safe"))
    qtbot.addWidget(window)
    window.show()
    yield window
    instance = QApplication.instance()
    assert instance is not None
    instance.removeEventFilter(emergency)


def focused() -> QWidget:
    """Where a key goes: the list that has dropped down, the field, or the window in front."""
    return (
        QApplication.activePopupWidget()
        or QApplication.activeWindow()
        or QApplication.topLevelWidgets()[0]
    )


def open_file(parent: QWidget) -> None:
    dialogs.choose_file(parent, "Open", Path.cwd(), FILES, lambda _: None)


def open_question(parent: QWidget) -> None:
    dialogs.ask(parent, "Really?", "Yes", "No", lambda: None)


def open_combo(parent: QWidget) -> None:
    box = parent.findChild(QComboBox)
    assert isinstance(box, QComboBox)
    box.showPopup()


def open_menu(parent: QWidget) -> None:
    menu = QMenu(parent)
    menu.addAction("Entry")
    menu.popup(parent.mapToGlobal(QPoint(10, 150)))


def open_context_menu(parent: QWidget) -> None:
    field = parent.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    place = QPoint(5, 5)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, field.mapToGlobal(place))
    QApplication.sendEvent(field, event)


def focus_field(parent: QWidget) -> None:
    field = parent.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    field.setFocus()


OPENED: dict[str, Callable[[QWidget], None]] = {
    "file dialog": open_file,
    "question": open_question,
    "list": open_combo,
    "menu": open_menu,
    "context menu": open_context_menu,
    "field": focus_field,
}


@pytest.mark.parametrize("what", OPENED)
def test_the_key_acts_once_whatever_has_the_focus(
    qtbot: QtBot, parent: QWidget, pressed: list[str], what: str
) -> None:
    OPENED[what](parent)
    QApplication.processEvents()
    assert QApplication.activeModalWidget() is None
    QTest.keyClick(focused(), Qt.Key.Key_F12)
    assert pressed == ["safe"]
    QTest.keyClick(focused(), Qt.Key.Key_F12, Qt.KeyboardModifier.ShiftModifier)
    assert pressed == ["safe", "safe"]
    QTest.keyClick(focused(), Qt.Key.Key_F11)
    assert len(pressed) == 2


@pytest.mark.parametrize("what", OPENED)
def test_the_button_acts_whatever_is_open(
    qtbot: QtBot, parent: QWidget, pressed: list[str], what: str
) -> None:
    OPENED[what](parent)
    QApplication.processEvents()
    window = parent.windowHandle()
    QTest.mousePress(window, Qt.MouseButton.LeftButton, pos=QPoint(540, 15))
    QTest.mouseRelease(window, Qt.MouseButton.LeftButton, pos=QPoint(540, 15))
    assert pressed


def test_a_box_that_qt_opens_by_itself_is_not_modal(
    qtbot: QtBot, parent: QWidget, pressed: list[str]
) -> None:
    found: list[QWidget | None] = []

    def look() -> None:
        found.append(QApplication.activeModalWidget())
        button = parent.findChild(QPushButton, "safe")
        assert isinstance(button, QPushButton)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        for each in parent.findChildren(QMessageBox):
            each.close()

    for _ in range(2):
        QTimer.singleShot(0, look)
        QMessageBox.warning(parent, "Title", "As Qt's own file dialog does.")
    assert found == [None, None] and pressed == ["safe", "safe"]


def test_a_question_defaults_to_no(qtbot: QtBot, parent: QWidget) -> None:
    answers: list[str] = []
    dialogs.ask(parent, "Stop?", "Stop", "Continue", lambda: answers.append("yes"))
    dialogs.ask(parent, "Stop?", "Stop", "Continue", lambda: answers.append("yes"))
    (box,) = opened(parent)
    assert isinstance(box, QMessageBox) and box.defaultButton().text() == "Continue"
    QTest.keyClick(box, Qt.Key.Key_Escape)
    assert not opened(parent) and not answers
    dialogs.ask(parent, "Stop?", "Stop", "Continue", lambda: answers.append("yes"))
    assert answer(parent, "dialog_yes") == "Stop?" and answers == ["yes"]


def test_before_a_file_is_replaced_it_is_asked(
    qtbot: QtBot, parent: QWidget, tmp_path: Path
) -> None:
    written: list[Path] = []
    proposed = tmp_path / "pattern.npy"
    (tmp_path / "old.npy").touch()
    for name in ("new.PNG", "other", "old"):
        dialogs.choose_new_file(parent, "Save", proposed, FILES[0], written.append)
        assert choose(parent, tmp_path / name) == proposed
    assert written == [tmp_path / "new.PNG", tmp_path / "other.npy"]
    assert "old.npy exists" in answer(parent, "dialog_no")
    assert len(written) == 2
    dialogs.choose_new_file(parent, "Save", proposed, FILES[0], written.append)
    choose(parent, tmp_path / "old.npy")
    answer(parent, "dialog_yes")
    assert written[2:] == [tmp_path / "old.npy"]


def test_what_does_not_exist_is_reported_without_a_modal_box(
    qtbot: QtBot, parent: QWidget, tmp_path: Path
) -> None:
    found: list[Path] = []
    dialogs.choose_file(parent, "Open", tmp_path, FILES, found.append)
    choose(parent, tmp_path / "nothing.npy")
    assert "no such file" in answer(parent, "dialog_no") and not found
    dialogs.choose_folder(parent, "Folder", tmp_path, found.append)
    choose(parent, tmp_path / "nowhere")
    (dialog,) = (each for each in opened(parent) if isinstance(each, QFileDialog))
    assert "no such folder" in answer(dialog, "dialog_no") and not found
    (tmp_path / "runs").mkdir()
    choose(parent, tmp_path / "runs")
    assert found == [tmp_path / "runs"]


MODAL = ("exec", "exec_", "setModal", "getOpenFileName", "getSaveFileName", "getExistingDirectory",
         "getText", "getInt", "getDouble", "getItem", "question", "warning", "critical", "about",
         "getColor", "getFont")  # fmt: skip


def test_nothing_in_gui_opens_a_modal_dialog() -> None:
    allowed = {("app.py", "exec")}
    found = set()
    for path in Path(gui.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            function = node.func if isinstance(node, ast.Call) else None
            if isinstance(function, ast.Attribute) and function.attr in MODAL:
                found.add((path.name, function.attr))
    assert found == allowed
