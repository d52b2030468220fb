"""Text from files and devices is shown as text in the window; only our own words have tags."""

from __future__ import annotations

import ast
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

import gui
from gui.widgets.notice_bar import NoticeBar

OUR_OWN_WORDS = {"tour.py", "help_sheet.py", "plain_label.py"}
ESCAPED = {"comparison_curves.py"}
"""Its names of runs go through `gui.plots.chart.legend`, which escapes them."""


def test_a_notice_shows_tags_as_text(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    bar = NoticeBar(window)
    bar.show_notice("<img src='file:///etc/passwd'>.toml: no such bench file")
    assert bar.message.textFormat() is Qt.TextFormat.PlainText
    assert "<img" in bar.message.text()


def test_labels_of_what_comes_from_elsewhere_are_plain() -> None:
    found = set()
    for path in Path(gui.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            function = node.func if isinstance(node, ast.Call) else None
            if isinstance(function, ast.Name) and function.id == "QLabel":
                found.add(path.name)
    assert found <= OUR_OWN_WORDS | ESCAPED
