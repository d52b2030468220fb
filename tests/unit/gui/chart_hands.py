"""What tests do with charts: show them, and point at a step."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from gui.plots.chart_box import ChartBox


def shown(qtbot: QtBot, box: ChartBox) -> None:
    qtbot.addWidget(box)
    box.resize(1000, 400)
    box.show()


def hover(curves: ChartBox, step: float) -> None:
    view = curves.charts[0].plot.getViewBox()
    place = view.mapViewToScene(QPointF(step, view.viewRect().center().y()))
    curves.graphics.scene().sigMouseMoved.emit(place)
