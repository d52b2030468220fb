"""`labdiff gui` as it is, which also writes where its widgets are, for a hand that moves a real mouse.

`python -m benchmarks.gui_checks.mapped_window MAP [ENGINE] -- ARGUMENTS of labdiff gui`. MAP is
rewritten a few times a second: {name: [left, top, width, height, enabled, words, cut]}, screen pixels, of
all that can be seen; cut: whether something covers or clips a part of it. The window is steered by nothing
in here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

POLL_MS = 250
MOST_WORDS = 40_000


def main() -> None:
    """Open the window; nothing is imported before, so that the bench's process stays as it is."""
    from unittest.mock import patch

    from PySide6.QtCore import QTimer

    import gui.app
    from gui.window import MainWindow
    from labdiff.cli.main import main as labdiff

    cut = sys.argv.index("--")
    map_file, engine = Path(sys.argv[1]), sys.argv[2:cut]

    class Mapped(MainWindow):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, *engine)
            timer = QTimer(self, interval=POLL_MS)
            timer.timeout.connect(lambda: write(map_file))
            timer.start()

    sys.argv = ["labdiff", "gui", *sys.argv[cut + 1 :]]
    with patch.object(gui.app, "MainWindow", Mapped):
        labdiff()


def write(map_file: Path) -> None:
    """Write where all named widgets are that can be seen; a reader never meets half a file."""
    from PySide6.QtWidgets import QApplication, QMenu, QTabWidget, QWidget

    found: dict[str, list[Any]] = {}
    for top in QApplication.topLevelWidgets():
        if not top.isVisible():
            continue
        if isinstance(top, QMenu):
            for action in top.actions():
                place = top.actionGeometry(action)
                corner = top.mapToGlobal(place.topLeft())
                name = action.objectName() or action.text()
                area = [corner.x(), corner.y(), place.width(), place.height()]
                found[name] = [*_pixels(area, top), True, "", False]
        for widget in [top, *top.findChildren(QWidget)]:
            seen = widget.visibleRegion().boundingRect()
            if widget.objectName() and widget.isVisible() and not seen.isEmpty():
                corner = widget.mapToGlobal(seen.topLeft())
                area = [corner.x(), corner.y(), seen.width(), seen.height()]
                state = [widget.isEnabled(), text_of(widget), is_cut(widget)]
                found[widget.objectName()] = [*_pixels(area, widget), *state]
                if isinstance(widget, QTabWidget):
                    found |= tabs_of(widget)
    fresh = map_file.with_suffix(".new")
    fresh.write_text(json.dumps(found))
    fresh.replace(map_file)


def tabs_of(widget: Any) -> dict[str, list[Any]]:
    """Return where the tabs of a tab widget are, each as "name of the widget: title"."""
    bar = widget.tabBar()
    found: dict[str, list[Any]] = {}
    for number in range(bar.count()):
        place, title = bar.tabRect(number), bar.tabText(number)
        corner = bar.mapToGlobal(place.topLeft())
        area = [corner.x(), corner.y(), place.width(), place.height()]
        found[f"{widget.objectName()}: {title}"] = [*_pixels(area, bar), True, title, False]
    return found


def _pixels(area: list[int], widget: Any) -> list[int]:
    """Return an area in the pixels of the screen, where Qt magnifies everything."""
    return [round(value * widget.devicePixelRatioF()) for value in area]


def is_cut(widget: Any) -> bool:
    """Return whether a button or label has less room than its text, or is clipped; what scrolls is not."""
    from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QLabel, QWidget

    if not isinstance(widget, QAbstractButton | QLabel):
        return False
    around: QWidget | None = widget
    while around is not None:
        if isinstance(around, QAbstractScrollArea):
            return False
        around = around.parentWidget()
    if widget.visibleRegion().boundingRect() != widget.rect():
        return True
    free = isinstance(widget, QLabel) and (widget.wordWrap() or not widget.text())
    ignored = widget.sizePolicy().horizontalPolicy() == widget.sizePolicy().Policy.Ignored
    return not free and not ignored and widget.width() < widget.minimumSizeHint().width()


def text_of(widget: Any) -> str:
    """Return the text of a widget; of a table all cells, one a line."""
    from PySide6.QtWidgets import QTableView

    if isinstance(widget, QTableView):
        model = widget.model()
        rows, columns = range(model.rowCount()), range(model.columnCount())
        cells = [str(model.index(r, c).data() or "") for r in rows for c in columns]
        return "\n".join(cells)[-MOST_WORDS:]
    for read in ("toPlainText", "currentText", "text"):
        if callable(ask := getattr(widget, read, None)):
            return str(ask())[-MOST_WORDS:]
    return ""


if __name__ == "__main__":
    main()
