"""A form made from a pydantic model: fields, limits, and tooltips from its descriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFormLayout, QGroupBox, QLineEdit, QVBoxLayout, QWidget

from drivers.validation_messages import explain
from gui.widgets.choice import Choice
from gui.widgets.no_wheel_fields import CountField, NumberField

Getter = Callable[[], Any]
Setter = Callable[[Any], None]


class ModelForm(QWidget):
    """changed: a value is another one. groups: titles and the fields under each, in order.

    units: of fields by name, shown beside the number. choices: allowed words of fields that take any
    text, offered as a list that can also be typed into.
    """

    changed = Signal()

    def __init__(
        self,
        start: BaseModel,
        groups: Mapping[str, Sequence[str]],
        units: Mapping[str, str] | None = None,
        choices: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__()
        self._model = type(start)
        self._rest = start
        self._units, self._choices = units or {}, choices or {}
        self._get: dict[str, Getter] = {}
        self._set: dict[str, Setter] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for title, names in groups.items():
            group = QGroupBox(title)
            form = QFormLayout(group)
            form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
            for name in names:
                info = self._model.model_fields[name]
                widget = self._widget(name, info)
                widget.setObjectName(f"option_{name}")
                widget.setToolTip(self._hint(info))
                form.addRow(name.replace("_", " ").capitalize(), widget)
            layout.addWidget(group)
        layout.addStretch(1)
        self.fill(start)

    def fill(self, values: BaseModel) -> None:
        """Show these values."""
        self._rest = values
        for name, put in self._set.items():
            put(getattr(values, name))

    def value(self) -> BaseModel:
        """What the form says; fields without a widget are as they were filled.

        Raises ValueError, in words, for what the model refuses.
        """
        chosen = {name: get() for name, get in self._get.items()}
        try:
            return self._model.model_validate({**self._rest.model_dump(), **chosen})
        except ValidationError as error:
            raise ValueError(explain(error, "options", self._model)) from None

    def _hint(self, info: FieldInfo) -> str:
        words = info.description or ""
        low, high = _limits(info)
        if low is not None or high is not None:
            words += (
                f" ({'' if low is None else f'{low:g}'} ... {'' if high is None else f'{high:g}'})"
            )
        return words.strip()

    def _widget(self, name: str, info: FieldInfo) -> QWidget:
        kind = info.annotation
        low, high = _limits(info)
        if kind is bool:
            box = QCheckBox()
            box.toggled.connect(lambda _: self.changed.emit())
            self._get[name], self._set[name] = box.isChecked, box.setChecked
            return box
        if kind is int:
            count = CountField(
                int(low or 0), int(min(high if high is not None else 1e9, 2**31 - 1))
            )
            count.valueChanged.connect(lambda _: self.changed.emit())
            self._get[name], self._set[name] = count.value, count.setValue
            return count
        if kind is float:
            number = NumberField(
                low or 0.0, 1e9 if high is None else high, 4, self._units.get(name, "")
            )
            number.valueChanged.connect(lambda _: self.changed.emit())
            self._get[name], self._set[name] = number.value, number.setValue
            return number
        if get_origin(kind) is Literal or name in self._choices:
            choice = Choice(f"option_{name}")
            choice.addItems([*(self._choices.get(name) or map(str, get_args(kind)))])
            choice.setEditable(name in self._choices)
            choice.currentTextChanged.connect(lambda _: self.changed.emit())
            self._get[name], self._set[name] = choice.currentText, choice.setCurrentText
            return choice
        line = QLineEdit()
        line.textChanged.connect(lambda _: self.changed.emit())
        if get_origin(kind) is tuple:
            line.setPlaceholderText("numbers, as 0,1,2; empty for none")
            self._get[name] = lambda: tuple(
                part.strip() for part in line.text().split(",") if part.strip()
            )
            self._set[name] = lambda value: line.setText(",".join(map(str, value)))
        else:
            self._get[name], self._set[name] = line.text, line.setText
        return line


def _limits(info: FieldInfo) -> tuple[float | None, float | None]:
    low: float | None = None
    high: float | None = None
    for limit in info.metadata:
        match limit:
            case Ge(ge=value) | Gt(gt=value):
                low = float(value)  # type: ignore[arg-type]
            case Le(le=value) | Lt(lt=value):
                high = float(value)  # type: ignore[arg-type]
    return low, high
