"""The desk of a power meter: what it reads, in which unit, and how that changes."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gui.panels.bench_panel import BenchPanel
from gui.panels.meter_desk import MeterDesk, written
from labdiff.engine.status import BenchState, DeviceState, Setting


def meter(power_mw: float) -> DeviceState:
    settings = Setting("power", None, power_mw, "mW"), Setting("wavelength", None, 850.0, "nm")
    return DeviceState("meter", "pm100", "Thorlabs PM100D", True, settings)


SILENT = DeviceState("meter", "pm100", "Thorlabs PM100D", False, (), "no answer")


@pytest.mark.parametrize(
    ("power_mw", "text"),
    [
        (12.5, "12.50 mW"),
        (0.0125, "12.50 µW"),
        (1250.0, "1.25 W"),
        (2.5e-4, "250.00 nW"),
        (0.0, "0.00 mW"),
        (-0.5, "-500.00 µW"),
    ],
)
def test_a_power_has_the_unit_that_fits(power_mw: float, text: str) -> None:
    assert written(power_mw) == text


def test_readings_make_a_trace_with_figures(qtbot: QtBot) -> None:
    now = [100.0]
    desk = MeterDesk(lambda: now[0])
    qtbot.addWidget(desk)
    assert desk.reading.text() == "no reading"
    for power in (10.0, 12.0, 14.0):
        desk.show_device(meter(power))
        now[0] += 1.0
    times, powers = desk.curve.getData()
    assert list(times) == [0.0, 1.0, 2.0] and list(powers) == [10.0, 12.0, 14.0]
    texts = {name: label.text() for name, label in desk.figures.items()}
    assert texts == {"mean": "12.00 mW", "std": "1.63 mW", "min": "10.00 mW", "max": "14.00 mW"}
    desk.show_device(SILENT)
    assert desk.reading.text() == "no reading" and len(desk.curve.getData()[0]) == 3
    desk.clear.click()
    assert desk.figures["mean"].text() == "" and desk.curve.getData()[0] is None


def test_the_bench_panel_has_the_desk_of_its_meter_and_forgets_it(qtbot: QtBot) -> None:
    panel = BenchPanel("mock", 0)
    qtbot.addWidget(panel)
    panel.show_state(BenchState("lab", (meter(3.25),), emission=True, live=False))
    texts = {label.objectName(): label.text() for label in panel.findChildren(QLabel)}
    assert texts["meter_reading"] == "3.25 mW" and texts["meter_wavelength_actual"] == "850 nm"
    panel.show_state(BenchState("lab", (SILENT,), emission=True, live=False))
    problem = panel.findChild(QLabel, "meter_problem")
    assert problem is not None and problem.text() == "no answer"
    panel.reset()
    assert panel._meter is None
