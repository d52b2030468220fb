"""Curves of alignment parameters, over fit and training, and of several runs beside each other."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.plots.alignment_curves import AlignmentCurves
from gui.plots.comparison_curves import ComparisonCurves
from labdiff.events import AlignmentStep, TrainingStep
from tests.unit.gui.chart_hands import hover, shown

RNG = np.random.default_rng(0)


def alignment(qtbot: QtBot) -> AlignmentCurves:
    curves = AlignmentCurves()
    shown(qtbot, curves)
    curves.add(AlignmentStep(0, 1, 0.1, {"z_gap_mm": 5.0}, ""))
    for number in range(20):
        found = {"z_gap_mm": 5.7, "d_alpha_beam_x_mrad": 0.1 * number, "source_centre_y_px": 0.3}
        sigma = {"z_gap_mm": 0.2, "d_alpha_beam_x_mrad": 0.05}
        step = TrainingStep(
            "online", number, 20, 0, 0.1, 0.1, 0.01, alignment=found, deviation=sigma
        )
        curves.add(step)
    curves.redraw()
    return curves


def test_parameters_are_chosen_from_a_list_and_have_their_deviation(qtbot: QtBot) -> None:
    curves = alignment(qtbot)
    assert curves.chosen == ["z_gap_mm", "d_alpha_beam_x_mrad"]
    assert [(chart.unit, chart.axis) for chart in curves.charts] == [
        ("mm", "fit step"),
        ("mm", "step"),
        ("mrad", "fit step"),
        ("mrad", "step"),
    ]
    (fitted,), (gap,) = (chart.curves for chart in curves.charts[:2])
    assert fitted.values.values.tolist() == [5.0]
    assert gap.bounds(positive=False) == pytest.approx((5.5, 5.9))
    assert len(gap.values) == 20
    row = curves.list.findItems("beam centre y, px", Qt.MatchFlag.MatchExactly)[0]
    row.setCheckState(Qt.CheckState.Checked)
    assert [chart.unit for chart in curves.charts] == ["mm", "mm", "mrad", "mrad", "px", "px"]
    assert (curves.charts[5].curves[0].values.values == 0.3).all()


def test_alignment_from_a_file(qtbot: QtBot) -> None:
    curves = AlignmentCurves()
    shown(qtbot, curves)
    curves.show_columns(
        {
            "training": {
                "time_s": np.array([3.0, 4.0]),
                "alignment_z_gap_mm": np.array([5.7, 5.8]),
                "deviation_z_gap_mm": np.array([0.1, np.nan]),
            },
            "alignment": {
                "time_s": np.array([1.0]),
                "discrepancy": np.array([0.2]),
                "message": np.array(["x"], object),
                "z_gap_mm": np.array([5.0]),
            },
        }
    )
    assert curves.chosen == ["z_gap_mm"]
    fitted, trained = (chart.curves[0].values.values for chart in curves.charts)
    np.testing.assert_array_equal(fitted, [5.0])
    np.testing.assert_array_equal(trained, [5.7, 5.8])
    curves.clear()
    assert curves.chosen == ["z_gap_mm"]


def test_runs_are_distinguished_by_name(qtbot: QtBot) -> None:
    curves = ComparisonCurves()
    shown(qtbot, curves)
    runs = {
        name: {
            "twin_mse": RNG.uniform(0.1, 1, count),
            "bench_mse": RNG.uniform(0.1, 1, count),
            "wiener_mse": np.full(count, 0.2),
        }
        for name, count in (("a", 30), ("b <i>", 50))
    }
    curves.show_runs(runs)
    assert "b &lt;i&gt;" in curves.legend.text()
    hover(curves, 20)
    assert "a " in curves.read_out.text() and "b <i> " in curves.read_out.text()
    hover(curves, 40)
    assert curves.read_out.text().count("b <i>") == 2 and "    a " not in curves.read_out.text()
    assert [set(chart._levels) for chart in curves.charts[:2]] == [{"Wiener"}] * 2
    old = {name: {"twin_mse": rows["twin_mse"]} for name, rows in runs.items()}
    curves.show_runs({"new": runs["a"], "old": old["a"]})
    assert "no Wiener error recorded" in curves.legend.text()
    assert np.isnan(curves.charts[1].curves[1].values.values).all()
    curves.show_runs({})
    assert curves.legend.text() == "" and not curves.charts[0].curves
