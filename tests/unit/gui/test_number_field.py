"""Fields of numbers: what was meant is sent, or nothing; what is not understood stays, red, with limits."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui.widgets.number_field import CountField, NumberField
from gui.widgets.number_text import NumberTextError, read_number, write_number


@pytest.fixture(params=["C", "de_DE", "fr_FR"])
def locale(request: pytest.FixtureRequest) -> Iterator[str]:
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield request.param
    QLocale.setDefault(before)


@pytest.fixture
def field(qtbot: QtBot) -> NumberField:
    window = QWidget()
    layout = QVBoxLayout(window)
    made = NumberField("power", 1.0, 0.0, 50.0, "mW")
    layout.addWidget(made)
    layout.addStretch(1)
    window.resize(400, 200)
    qtbot.addWidget(window)
    window.show()
    made.window_kept = window  # type: ignore[attr-defined]
    return made


def type_in(qtbot: QtBot, field: NumberField, text: str) -> None:
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("2.5", "mW", 2.5),
        ("2,5", "mW", 2.5),
        (" 1e-3 ", "ms", 1e-3),
        ("5E1", "mW", 50.0),
        (",5", "ms", 0.5),
        ("7.", "ms", 7.0),
        ("+3", "ms", 3.0),
        ("\N{MINUS SIGN}3", "mm", -3.0),
        ("2.5 ms", "ms", 2.5),
        ("500 us", "ms", 0.5),
        ("500\N{MICRO SIGN}s", "ms", 0.5),
        ("500 \N{GREEK SMALL LETTER MU}s", "ms", 0.5),
        ("0,002 s", "ms", 2.0),
        ("0.003 W", "mW", 3.0),
        ("3 mw", "mW", 3.0),
        ("20 cm", "mm", 200.0),
        ("90 °", "rad", math.pi / 2.0),
        ("1.5 pi", "rad", 1.5 * math.pi),
        ("45 deg", "°", 45.0),
        ("0.25 waves", "rad", math.pi / 2.0),
        ("3 px", "px", 3.0),
        ("12 %", "%", 12.0),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, unit: str, value: float) -> None:
    assert read_number(text, unit) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    ["", "ms", "abc", "1.000,5", "1,000.5", "2..5", "1 000", "1_000", "0x10", "nan", "inf", "5 MW",
     "5 kg", "5 ms", "1e", "e5", "--2", "2-5", "1e999", "\N{ARABIC-INDIC DIGIT FIVE}", "2.5 mW mW"],
)  # fmt: skip
def test_what_has_no_meaning_or_two_is_refused(text: str) -> None:
    with pytest.raises(NumberTextError, match="."):
        read_number(text, "mW")


@pytest.mark.parametrize("text", ["2.5", "1,000", "1.000", "1e-1", "3,7 px"])
def test_a_whole_number_is_never_rounded(text: str) -> None:
    with pytest.raises(NumberTextError, match="."):
        read_number(text, "px", whole=True)


@pytest.mark.parametrize("text", ["16", "1e3", "16.0", "16 px", "+5"])
def test_a_whole_number_may_be_written_in_many_ways(text: str) -> None:
    assert read_number(text, "px", whole=True) == float(text.split()[0])


def test_what_is_written_is_read_again() -> None:
    for value in (0.001, 1e-7, 2.5, 1000.0, 123456.0, -0.25):
        assert read_number(write_number(value, "ms"), "ms") == value


def test_the_number_typed_is_sent_once_in_every_locale(
    qtbot: QtBot, field: NumberField, locale: str
) -> None:
    sent: list[float] = []
    field.valueChanged.connect(sent.append)
    for text, value in (("2,5", 2.5), ("0.5", 0.5), ("5e-3", 0.005), ("3000 uW", 3.0)):
        type_in(qtbot, field, text)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        assert sent.pop() == value and not sent, (locale, text)
        assert field.text() == write_number(value, "mW", 12)


@pytest.mark.parametrize("text", ["500", "51", "-1", "2,5,1", "five", "", "3 ms"])
def test_what_is_refused_stays_as_typed_turns_red_and_sends_nothing(
    qtbot: QtBot, field: NumberField, text: str
) -> None:
    sent: list[float] = []
    field.valueChanged.connect(sent.append)
    with qtbot.waitSignal(field.refused) as refused:
        field.setFocus()
        field.selectAll()
        qtbot.keyClick(field, Qt.Key.Key_Delete)
        qtbot.keyClicks(field, text)
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert "0 ... 50 mW" in refused.args[0]
    assert field.text() == text and field.value() == 1.0 and not sent
    palette = field.lineEdit().palette()
    assert palette.color(QPalette.ColorRole.Text) != field.palette().color(QPalette.ColorRole.Text)
    note = field.window().findChild(QWidget, "refusal_note")
    assert note is not None and note.isVisible() and note.geometry().top() >= field.height()
    field.show_value(7.0)
    assert field.text() == text, "the device's value does not replace it"
    field.clearFocus()
    assert field.text() == text and not sent
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "1 mW" and not field.pending and not sent
    assert not note.isVisible()


def test_a_device_does_not_replace_what_is_being_typed(qtbot: QtBot, field: NumberField) -> None:
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "2")
    field.show_value(9.0)
    qtbot.keyClicks(field, "5")
    assert field.text() == "25"
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    field.show_value(9.0)
    assert field.text() == "9 mW"


def test_arrows_change_by_steps_within_the_limits(qtbot: QtBot, field: NumberField) -> None:
    sent: list[float] = []
    field.valueChanged.connect(sent.append)
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert sent == [1.1]
    type_in(qtbot, field, "49.5")
    qtbot.keyClick(field, Qt.Key.Key_PageUp)
    assert field.value() == 50.0
    field.setReadOnly(True)
    qtbot.keyClick(field, Qt.Key.Key_Down)
    assert field.value() == 50.0


def test_a_count_takes_a_special_text(qtbot: QtBot, qapp: QApplication) -> None:
    steps = CountField("steps", 0, 0, 100, "steps")
    steps.set_special("as trained")
    qtbot.addWidget(steps)
    assert steps.text() == "as trained"
    type_in(qtbot, steps, "20")
    assert steps.value() == 20 and steps.text() == "20 steps"
    type_in(qtbot, steps, "as trained")
    assert steps.value() == 0
    type_in(qtbot, steps, "2.5")
    assert steps.value() == 0 and "whole" in steps.refusal
