"""A form made from the options of a model: a control each, with its limits, unit and description."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFormLayout, QGroupBox, QLineEdit, QVBoxLayout, QWidget

from drivers.validation_messages import explain
from gui.widgets.choice import Choice
from gui.widgets.form_columns import align, labels_of
from gui.widgets.number_field import ABOVE_AND_BELOW_PX, CountField, NumberField
from labdiff.config.option import Option, OptionGroup

Getter = Callable[[], Any]
Setter = Callable[[Any], None]
LARGEST_INTEGER = 2**31 - 1
"""The largest number that a field of whole numbers holds."""


class ModelForm(QWidget):
    """Shows the options of a model in one box a group, and returns a model with the values entered.

    Args:
        start: Model whose values are shown first.
        groups: Options under each title, in order.
        suggestions: Values offered for options that take any text, by option name.

    Attributes:
        changed: Emitted when a value has changed.
    """

    changed = Signal()

    def __init__(
        self,
        start: BaseModel,
        groups: Sequence[OptionGroup],
        suggestions: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__()
        self._model = type(start)
        self._rest = start
        self._get: dict[str, Getter] = {}
        self._set: dict[str, Setter] = {}
        self._numbers: dict[str, NumberField] = {}
        self._labels = {option.name: option.label for group in groups for option in group.options}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        labels: list[QWidget] = []
        for group in groups:
            box = QGroupBox(group.title)
            form = QFormLayout(box)
            form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
            for option in group.options:
                widget = self._control(option, (suggestions or {}).get(option.name, ()))
                widget.setObjectName(f"option_{option.name}")
                # A field of numbers adds its limits itself.
                numbers = isinstance(widget, NumberField)
                widget.setToolTip(option.description if numbers else option.hint)
                form.addRow(option.label, widget)
            layout.addWidget(box)
            labels += labels_of(form)
        align(labels)
        layout.addStretch(1)
        self.fill(start)

    def fill(self, values: BaseModel) -> None:
        """Show the values of a model."""
        self._rest = values
        for name, put in self._set.items():
            put(getattr(values, name))

    def value(self) -> BaseModel:
        """Return a model with the values entered; fields without a control are as they were filled.

        Raises:
            ValueError: If a field or the model refuses a value; the message says which and what is allowed.
        """
        for name, field in self._numbers.items():
            if not field.commit():
                raise ValueError(f"{self._labels[name]}: {field.refusal}")
        chosen = {name: get() for name, get in self._get.items()}
        try:
            return self._model.model_validate({**self._rest.model_dump(), **chosen})
        except ValidationError as error:
            raise ValueError(explain(error, "options", self._model)) from None

    def _control(self, option: Option, suggestions: Sequence[str]) -> QWidget:
        match option.kind:
            case "flag":
                return self._flag(option.name)
            case "integer":
                return self._integer(option)
            case "number":
                return self._number(option)
            case "integers":
                return self._integers(option)
            case "choice":
                return self._choice(option.name, option.choices, editable=False)
            case "text" if suggestions:
                return self._choice(option.name, suggestions, editable=True)
            case "text":
                return self._text(option.name)

    def _flag(self, name: str) -> QWidget:
        box = QCheckBox()
        box.setMinimumHeight(box.fontMetrics().height() + ABOVE_AND_BELOW_PX)
        box.toggled.connect(lambda _: self.changed.emit())
        self._get[name], self._set[name] = box.isChecked, box.setChecked
        return box

    def _integer(self, option: Option) -> QWidget:
        high = LARGEST_INTEGER if option.high is None else min(int(option.high), LARGEST_INTEGER)
        low = int(option.low or 0)
        field = CountField(option.name, low, low, high)
        return self._number_field(option.name, field)

    def _number(self, option: Option) -> QWidget:
        high = math.inf if option.high is None else option.high
        low = option.low or 0.0
        field = NumberField(option.name, low, low, high, option.presentation.unit)
        return self._number_field(option.name, field)

    def _number_field(self, name: str, field: NumberField) -> QWidget:
        field.valueChanged.connect(lambda _: self.changed.emit())
        self._numbers[name] = field
        self._get[name], self._set[name] = field.value, field.setValue
        return field

    def _choice(self, name: str, message: Sequence[str], editable: bool) -> QWidget:
        box = Choice(f"option_{name}")
        box.addItems(list(message))
        box.setEditable(editable)
        box.currentTextChanged.connect(lambda _: self.changed.emit())
        self._get[name], self._set[name] = box.currentText, box.setCurrentText
        return box

    def _text(self, name: str) -> QLineEdit:
        line = QLineEdit()
        line.textChanged.connect(lambda _: self.changed.emit())
        self._get[name], self._set[name] = line.text, line.setText
        return line

    def _integers(self, option: Option) -> QWidget:
        line = self._text(option.name)
        line.setPlaceholderText(f"numbers, as {option.presentation.example}; empty for none")
        self._get[option.name] = lambda: tuple(
            part.strip() for part in line.text().split(",") if part.strip()
        )
        self._set[option.name] = lambda value: line.setText(",".join(map(str, value)))
        return line
