from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui import style
from gui.plots.chart import Chart
from gui.plots.chart_box import ChartBox
from gui.plots.curve import Curve
from gui.plots.fit_curves import FitCurves
from gui.plots.log_axis import LogAxis
from gui.plots.quantity_curves import QuantityCurves
from gui.plots.training_curves import TrainingCurves
from gui.plots.training_plots import TrainingPlots
from labdiff.events import AlignmentStep, TrainingStep
from tests.unit.gui.chart_hands import hover, shown
from tests.unit.gui.file_choice import choose

WIENER = 0.04


def named(chart: Chart, name: str) -> Curve:
    return next(curve for curve in chart.curves if curve.name == name)


def training(qtbot: QtBot, steps: int = 60) -> TrainingCurves:
    """Offline for half of the steps, then on the bench; the losses are 0.5 and less of Wiener's."""
    curves = TrainingCurves()
    shown(qtbot, curves)
    for number in range(steps):
        loss = 0.5 * 0.95**number
        bench = (1.1 * loss, 0.01, 0.002) if number >= steps // 2 else (None, None, None)
        method = "online" if number >= steps // 2 else "offline"
        curves.add(
            TrainingStep(
                method,
                number,
                steps,
                number // 15,
                loss * WIENER,
                None if bench[0] is None else bench[0] * WIENER,
                *bench[1:],
                first_t=200 * (number // 15),
                end_t=200 * (number // 15) + 200,
                wiener_mse=WIENER,
                identity_mse=3.0 * WIENER,
            )
        )
    curves.redraw()
    return curves


def wheel(curves: ChartBox, turn: int) -> None:
    curves.grab()  # what is turned about is what was painted
    view = curves.charts[0].plot.getViewBox()
    port = curves.graphics.viewport()
    place = QPointF(curves.graphics.mapFromScene(view.sceneBoundingRect().center()))
    event = QWheelEvent(
        place,
        port.mapToGlobal(place),
        QPoint(),
        QPoint(0, turn),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(port, event)


def test_everything_is_in_view_while_it_grows(qtbot: QtBot) -> None:
    curves = training(qtbot)
    (left, right), (low, high) = curves.loss.plot.viewRange()
    assert left <= 0 and 59 <= right < 70
    assert low <= np.log10(0.5 * 0.95**59) and np.log10(3.0) <= high
    for number in range(60, 200):
        curves.add(TrainingStep("online", number, 200, 0, 0.2, 0.2, 0.01))
    curves.redraw()
    assert curves.loss.plot.viewRange()[0][1] >= 199


def test_a_zoom_by_hand_stays_until_fit_is_asked(qtbot: QtBot) -> None:
    curves = training(qtbot)
    view = curves.loss.plot.getViewBox()
    wheel(curves, 3 * 120)
    assert not curves.fit_button.isChecked()
    (left, right), heights = view.viewRange()
    assert 10 < left < right < 50
    for number in range(60, 200):
        curves.add(TrainingStep("online", number, 200, 0, 3.0, 3.0, 0.01))
    curves.redraw()
    assert view.viewRange() == [pytest.approx([left, right]), pytest.approx(heights)]
    assert curves.match.plot.viewRange()[0][1] < 60, "both charts share their steps"
    with qtbot.waitActive(curves):
        curves.activateWindow()
    qtbot.keyClick(curves.graphics, Qt.Key.Key_Home)
    assert curves.fit_button.isChecked()
    assert view.viewRange()[0][1] >= 199


def test_the_cross_hair_reads_every_curve_out(qtbot: QtBot) -> None:
    curves = training(qtbot)
    hover(curves, 40)
    message = curves.read_out.text()
    assert message.startswith("step 40:")
    assert f"twin {0.5 * 0.95**40:.4g}" in message and f"bench {0.55 * 0.95**40:.4g}" in message
    assert "camera to twin 0.01" in message
    hover(curves, 10)
    assert "twin" in curves.read_out.text() and "bench" not in curves.read_out.text()
    hover(curves, 60.9)
    assert curves.read_out.text() == ""


def test_the_mean_is_shown_and_each_step_stays_faint(qtbot: QtBot) -> None:
    curves = training(qtbot)
    twin = named(curves.loss, "twin")
    qtbot.keyClick(curves.smoothing, Qt.Key.Key_Right)
    assert curves.smoothing_label.text() == "3 steps"
    assert twin._raw.isVisible()
    values = twin.values.values
    assert twin.shown.values[30] == pytest.approx(values[29:32].mean())
    qtbot.keyClick(curves.smoothing, Qt.Key.Key_Left)
    assert curves.smoothing_label.text() == "off" and not twin._raw.isVisible()


def test_linear_and_logarithmic(qtbot: QtBot) -> None:
    curves = training(qtbot)
    qtbot.mouseClick(curves.log_button, Qt.MouseButton.LeftButton)
    _, (low, high) = curves.loss.plot.viewRange()
    assert 3.0 <= high < 3.5 and low > -0.5
    assert curves.loss._levels["Wiener"][1].value() == 1.0
    qtbot.mouseClick(curves.log_button, Qt.MouseButton.LeftButton)
    assert curves.loss._levels["Wiener"][1].value() == 0.0


def labels(chart: Chart) -> list[tuple[int, str]]:
    return [(step, line.label.format) for step, line in chart._marks]


def test_layer_sets_and_methods_are_marked_and_clear_forgets(qtbot: QtBot) -> None:
    curves = training(qtbot)
    assert (
        labels(curves.loss)
        == labels(curves.match)
        == [
            (0, "offline, t 0 ... 199"),
            (15, "t 200 ... 399"),
            (30, "online, t 400 ... 599"),
            (45, "t 600 ... 799"),
        ]
    )
    curves.clear()
    assert curves.steps == 0 and not curves.loss._marks
    curves.add(TrainingStep("online", 0, 1, 0, 0.3, 0.3, 0.1))
    curves.redraw()
    assert [step for step, _ in curves.loss._marks] == [0]


def test_zero_and_nothing_do_no_harm(qtbot: QtBot) -> None:
    curves = TrainingCurves()
    shown(qtbot, curves)
    curves.redraw()
    for value in (0.0, float("nan"), float("inf"), -1.0):
        curves.add(TrainingStep("online", 0, 1, 0, value, value, value, value))
        curves.redraw()
    curves.grab()


def test_losses_are_multiples_of_wieners_on_the_same_timesteps(qtbot: QtBot) -> None:
    curves = training(qtbot)
    assert named(curves.loss, "twin").values.values[10] == pytest.approx(0.5 * 0.95**10)
    assert named(curves.loss, "identity").values.values[10] == pytest.approx(3.0)
    assert "Wiener" in curves.loss.unit and set(curves.loss._levels) == {"Wiener"}
    unknown = TrainingCurves()
    shown(qtbot, unknown)
    unknown.add(TrainingStep("offline", 0, 1, 0, 0.3))
    assert named(unknown.loss, "twin").values.values[0] == 0.3
    assert unknown.loss.unit == "noise MSE of a batch" and not unknown.loss._levels


def test_the_alignment_fit_has_steps_of_its_own(qtbot: QtBot) -> None:
    plots = TrainingPlots()
    qtbot.addWidget(plots)
    plots.add(TrainingStep("offline", 0, 1, 0, 0.3))
    for fit in range(2):
        for number in range(4):
            plots.add_alignment(AlignmentStep(number, 4, 0.5 - 0.1 * number + fit, {}, ""))
    plots.fit.redraw()
    assert (plots.learning.steps, plots.fit.steps) == (1, 8)
    assert labels(plots.fit.chart) == [(0, "fit 1"), (4, "fit 2")]
    assert plots.fit.chart.plot.viewRange()[0][1] < 10
    read = FitCurves("read")
    qtbot.addWidget(read)
    found = plots.fit.chart.curves[0].values.values
    read.show_columns({"alignment": {"step": np.tile(np.arange(4.0), 2), "discrepancy": found}})
    assert labels(read.chart) == labels(plots.fit.chart)
    np.testing.assert_array_equal(read.chart.curves[0].values.values, found)


def test_a_run_file_shows_what_its_events_showed(qtbot: QtBot) -> None:
    live, read = TrainingCurves(), TrainingCurves()
    shown(qtbot, live)
    shown(qtbot, read)
    baseline = {"first_t": 0, "end_t": 500, "wiener_mse": 0.1, "identity_mse": 0.4}
    for number in range(3):
        live.add(TrainingStep("offline", number, 5, 0, 0.3, **baseline))
    for number in range(3, 5):
        live.add(TrainingStep("online", number, 5, 1, 0.2, 0.25, 0.02, 0.01, **baseline))
    nan = np.nan
    columns = {
        "training": {
            "time_s": np.array([0.0, 1, 2, 4, 5]),
            "method": np.array(["offline"] * 3 + ["online"] * 2, object),
            "twin_mse": np.array([0.3, 0.3, 0.3, 0.2, 0.2]),
            "bench_mse": np.array([nan, nan, nan, 0.25, 0.25]),
            "discrepancy": np.array([nan, nan, nan, 0.02, 0.02]),
            "noise_floor": np.array([nan, nan, nan, 0.01, 0.01]),
            "layer_set": np.array([0.0, 0, 0, 1, 1]),
            "first_t": np.zeros(5),
            "end_t": np.full(5, 500.0),
            "wiener_mse": np.full(5, 0.1),
            "identity_mse": np.full(5, 0.4),
        },
        "alignment": {
            "time_s": np.array([3.0]),
            "step": np.array([0.0]),
            "discrepancy": np.array([0.4]),
        },
    }
    read.show_columns(columns)
    for (name, one), (_, other) in zip(live.columns(), read.columns(), strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)
    assert labels(live.loss) == labels(read.loss)
    read.show_columns(columns)
    assert read.steps == 5 and set(read.loss._levels) == {"Wiener"}


def export(qtbot: QtBot, curves: ChartBox, kind: str, path: Path) -> list[str]:
    """What was proposed before the user chose that place."""
    action = curves.export_button.menu().findChild(object, f"{curves.objectName()}_export_{kind}")
    assert action is not None
    action.trigger()
    proposed = choose(curves, path)
    qtbot.waitUntil(lambda: not curves._background.busy)
    return [str(proposed)]


def test_numbers_go_to_a_table(qtbot: QtBot, tmp_path: Path) -> None:
    curves = training(qtbot)
    curves.name_source("a", tmp_path)
    qtbot.keyClick(curves.smoothing, Qt.Key.Key_Right)
    proposed = export(qtbot, curves, "csv", tmp_path / "loss")
    assert proposed == [str(tmp_path / "a-training-curves.csv")]
    with (tmp_path / "loss.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60 and rows[0]["step"] == "0"
    assert float(rows[7]["Loss: twin, noise MSE / Wiener's"]) == pytest.approx(0.5 * 0.95**7)
    assert rows[7]["Loss: bench, noise MSE / Wiener's"] == ""
    assert float(rows[7]["Loss: twin, noise MSE / Wiener's, mean of 3 steps"]) > 0
    assert "saved" in curves.read_out.text()


def test_pictures_are_pictures(qtbot: QtBot, tmp_path: Path) -> None:
    curves = training(qtbot)
    export(qtbot, curves, "png", tmp_path / "loss.png")
    export(qtbot, curves, "svg", tmp_path / "loss.svg")
    assert QImage(str(tmp_path / "loss.png")).width() >= 2400
    assert "<svg" in (tmp_path / "loss.svg").read_text()


@pytest.mark.parametrize("kind", ["csv", "png", "svg"])
def test_a_wrong_path_is_reported(qtbot: QtBot, tmp_path: Path, kind: str) -> None:
    curves = training(qtbot)
    with qtbot.waitSignal(curves.problem) as received:
        export(qtbot, curves, kind, tmp_path / "nowhere" / f"loss.{kind}")
    assert received.args is not None and "no such folder" in received.args[0]
    assert "no such folder" in curves.read_out.text()
    (tmp_path / f"folder.{kind}").mkdir()
    with qtbot.waitSignal(curves.problem) as received:
        curves._write(kind, tmp_path / f"folder.{kind}")  # the dialog would only go into it
    assert received.args is not None and "is a folder" in received.args[0]


def test_duty_and_frame_rate_have_their_units(qtbot: QtBot) -> None:
    curves = QuantityCurves("pace_curves", pace=True)
    shown(qtbot, curves)
    curves.add(TrainingStep("online", 0, 2, 0, 0.1, 0.1, 0.01, frames_per_s=40.0, duty=0.8))
    curves.add(TrainingStep("offline", 1, 2, 0, 0.1))
    curves.redraw()
    hover(curves, 0)
    assert "measured 40" in curves.read_out.text() and "measuring 80" in curves.read_out.text()
    assert curves.charts[1].unit.startswith("%")
    low, high = curves.charts[1].plot.viewRange()[1]
    assert -10 < low <= 0 and 100 <= high < 110


def test_curves_take_the_colours_of_a_new_theme(qtbot: QtBot) -> None:
    curves = training(qtbot)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    try:
        style.apply(app, style.LIGHT)
        assert named(curves.loss, "twin")._main.opts["pen"].color().name() == style.LIGHT.twin
        assert curves.graphics.backgroundBrush().color().name() == style.LIGHT.panel
    finally:
        style.apply(app, style.DARK)
    assert named(curves.loss, "twin")._main.opts["pen"].color().name() == style.DARK.twin


def test_a_logarithmic_axis_is_labelled_at_any_zoom(qtbot: QtBot) -> None:
    axis = LogAxis("left")
    axis.setLogMode(True)
    for low, high in ((0.0123, 0.0168), (0.05, 0.0501), (0.01, 1.0), (0.03, 0.3), (1e-6, 1.0)):
        ends = np.log10(low), np.log10(high)
        axis.setRange(*ends)
        labels = []
        for spacing, values in axis.tickValues(*ends, 200.0):
            message = axis.tickStrings(values, 1.0, spacing)
            labels += [(v, w) for v, w in zip(values, message, strict=True) if w]
        assert 2 <= len({round(v, 6) for v, _ in labels}) <= 8, (low, high, labels)
        for value, word in labels:
            if "10" not in word:
                assert float(word) == pytest.approx(10.0**value, rel=6e-3)
