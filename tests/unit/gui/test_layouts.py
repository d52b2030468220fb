"""Layouts: the camera in sight in each, the user's own arrangement, what fits a small screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication, QMenu, QTabBar
from pytestqt.qtbot import QtBot

from gui.docks import LAYOUTS
from gui.panels.training_panel import TrainingPanel
from gui.panels.training_pictures import LEAST_PX
from gui.window import MainWindow

PATIENCE_MS = 600_000
SMALL = (1276, 680)
"""Room of a window at 1.5x full HD, the smallest of the screens that it has to fit."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("layouts")


@pytest.fixture(scope="module")
def settings(place: Path) -> QSettings:
    return QSettings(str(place / "labdiff.ini"), QSettings.Format.IniFormat)


@pytest.fixture(scope="module")
def window(qapp: QApplication, place: Path, settings: QSettings) -> Iterator[MainWindow]:
    opened = MainWindow("mock", place / "runs", 0, settings)
    opened.show()
    yield opened
    opened.close()
    opened.deleteLater()


def settle(qtbot: QtBot) -> None:
    """Docks come to their sizes in several passes of the event loop."""
    for _ in range(10):
        qtbot.wait(1)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_camera_stands_beside_the_other_panels(
    qtbot: QtBot, window: MainWindow, layout: object
) -> None:
    layout = next(each for each in LAYOUTS if each is layout)
    window.resize(*SMALL)
    window.arrangement.choose(layout.name)
    settle(qtbot)
    assert window.size().toTuple() == SMALL, "no panel needs more room than there is"
    camera = window.docks["Live"]
    front = window.docks[layout.columns[-1][0]]
    for dock in (camera, front):
        assert not dock.visibleRegion().isEmpty()
        assert window.rect().contains(dock.geometry())
        panel = dock.widget()
        assert panel is not None
        assert panel.width() >= panel.minimumSizeHint().width()
    assert not window.tabifiedDockWidgets(camera), "it is behind no tab"
    assert camera.geometry().right() < front.geometry().left()


def test_no_bar_of_tabs_stays_behind(qtbot: QtBot, window: MainWindow) -> None:
    for layout in (*LAYOUTS, LAYOUTS[0]):
        window.arrangement.choose(layout.name)
        settle(qtbot)
        direct = Qt.FindChildOption.FindDirectChildrenOnly
        bars = window.findChildren(QTabBar, options=direct)
        seen = [bar for bar in bars if not bar.visibleRegion().isEmpty()]
        assert [bar.count() for bar in seen] == [len(layout.columns[-1])]


def test_each_layout_is_as_the_user_has_left_it_until_it_is_reset(
    qtbot: QtBot, window: MainWindow, place: Path, settings: QSettings
) -> None:
    window.arrangement.choose("Review")
    window.docks["Log"].hide()
    window.arrangement.choose("Train")
    assert not window.docks["Log"].isHidden()
    window.arrangement.choose("Review")
    assert window.docks["Log"].isHidden()
    window.arrangement.store()
    again = MainWindow("mock", place / "runs", 0, settings)
    qtbot.addWidget(again)
    again.show()
    assert again.arrangement.name == "Review" and again.docks["Log"].isHidden()
    window.arrangement.reset()
    assert window.arrangement.name == "Review" and not window.docks["Log"].isHidden()


def test_a_layout_that_was_stored_fits_a_resized_window(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(1800, 900)
    window.arrangement.choose("Align")
    window.arrangement.reset()
    settle(qtbot)
    shares = []
    for size in ((1800, 900), SMALL):
        window.resize(*size)
        settle(qtbot)
        fresh = window.docks["Live"].width()
        window.arrangement.choose("Train")
        settle(qtbot)
        window.arrangement.choose("Align")
        settle(qtbot)
        assert window.docks["Live"].width() == pytest.approx(fresh, abs=4)
        shares.append(fresh / size[0])
    assert max(shares) - min(shares) < 0.15


@pytest.mark.parametrize(
    "stored", ["", "{}", "[1, 2]", "[-1, 0, 0.5]", "[0, NaN, 0.5]", "[0, 0, 7]"]
)
def test_sizes_that_nobody_understands_are_not_taken(
    qtbot: QtBot, window: MainWindow, settings: QSettings, stored: str
) -> None:
    window.resize(1800, 900)
    window.arrangement.choose("Generate")
    window.arrangement.reset()
    settle(qtbot)
    before = window.docks["Live"].width()
    window.arrangement.store()
    settings.setValue("layout_generate_sizes", stored)
    window.arrangement.restore()
    settle(qtbot)
    assert window.arrangement.name == "Generate"
    assert window.docks["Live"].width() == pytest.approx(before, abs=4)


def test_a_layout_fits_a_resized_window_until_a_panel_was_dragged(
    qtbot: QtBot, window: MainWindow, settings: QSettings
) -> None:
    window.resize(*SMALL)
    window.arrangement.choose("Align")
    window.arrangement.reset()
    settle(qtbot)
    camera = window.docks["Live"]
    narrow = camera.width()
    window.arrangement.choose("Train")
    window.resize(SMALL[0] + 500, SMALL[1] + 200)
    settle(qtbot)
    window.arrangement.choose("Align")
    settle(qtbot)
    assert camera.width() > narrow, "nothing was dragged, so that it fits the larger window"
    window.arrangement.choose("Train")
    settings.setValue("layout_align_sizes", "[400, 150, 0.3]")
    window.arrangement.choose("Align")
    settle(qtbot)
    assert window.docks["Bench"].width() == 400, "a width that was dragged stays"


def test_the_view_menu_ticks_the_layout_in_use(window: MainWindow) -> None:
    window.arrangement.choose("Generate")
    view = next(menu for menu in window.top.menus.findChildren(QMenu) if menu.title() == "&View")
    view.aboutToShow.emit()
    entries = [action for action in view.actions() if action.text().startswith("Layout ")]
    assert [action.text() for action in entries] == [f"Layout {each.name}" for each in LAYOUTS]
    assert [action.isChecked() for action in entries] == [
        each.name == "Generate" for each in LAYOUTS
    ]


@pytest.mark.parametrize("width", [440, 700, 900, 1300])
def test_training_pictures_are_large_and_of_one_size(qtbot: QtBot, width: int) -> None:
    panel = TrainingPanel()
    qtbot.addWidget(panel)
    panel.resize(width, 480)
    panel.show()
    panel.begin("runs/a/run.h5")
    shapes = {"input": (60, 60), "camera": (60, 60), "predicted": (28, 28), "true": (28, 28)}
    panel.pictures.show_pictures({n: np.ones(s, np.float32) for n, s in shapes.items()})
    settle(qtbot)
    assert panel.width() == width
    sides = set()
    for view in panel.pictures.views.values():
        place = view._plot.vb.sceneBoundingRect()
        sides.add(round(min(place.width(), place.height())))
    assert max(sides) - min(sides) <= 1 and min(sides) >= LEAST_PX


def test_options_are_folded_while_a_training_runs(qtbot: QtBot) -> None:
    panel = TrainingPanel()
    qtbot.addWidget(panel)
    panel.resize(1000, 600)
    panel.show()
    assert panel.form.isVisible() and panel.pictures.isVisible()
    panel.begin("runs/a/run.h5")
    assert not panel.form.isVisible() and panel.pictures.isVisible()
    panel.show_options.click()
    assert panel.form.isVisible()
    panel.resize(500, 600)
    assert panel.form.isVisible() and not panel.pictures.isVisible(), "no room for both"
    panel.show_options.click()
    assert not panel.form.isVisible() and panel.pictures.isVisible()
    panel.reset()
    assert panel.form.isVisible()
