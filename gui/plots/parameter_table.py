"""Values of named parameters over the steps of a training or of a fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gui.plots.column import Column
from gui.plots.curve import Curve
from gui.plots.quantity_curves import Rows


class ParameterTable:
    """A row for each step, and two columns for each parameter: its value and one deviation of it."""

    def __init__(self) -> None:
        self.steps = 0
        self._values: dict[str, Column] = {}
        self._deviations: dict[str, Column] = {}

    def add(self, values: Mapping[str, float], deviations: Mapping[str, float]) -> None:
        """Add a step; parameters that it does not have are not-a-number."""
        self._add_columns(values)
        for name, column in self._values.items():
            column.append(values.get(name, np.nan))
            self._deviations[name].append(deviations.get(name, np.nan))
        self.steps += 1

    def fill(self, values: Rows, deviations: Rows) -> None:
        """Replace all steps by these columns, which are of one length."""
        self.forget()
        self._add_columns(values)
        for name, column in self._values.items():
            count = len(next(iter(values.values()), ()))
            unknown = np.full(count, np.nan)
            column.extend(values.get(name, unknown))
            self._deviations[name].extend(deviations.get(name, unknown))
            self.steps = count

    def forget(self) -> None:
        """Forget all steps; the names stay."""
        for column in (*self._values.values(), *self._deviations.values()):
            column.cut(0)
        self.steps = 0

    def extend(self, curve: Curve, name: str) -> None:
        """Add the steps that a parameter's curve lacks."""
        if name in self._values:
            known = len(curve.values)
            values, deviations = self._values[name].values, self._deviations[name].values
            curve.extend(values[known:], deviations[known:])

    def _add_columns(self, names: Mapping[str, object]) -> None:
        """Add columns for new names, with no values at the steps before."""
        for name in names:
            if name not in self._values:
                self._values[name], self._deviations[name] = Column(), Column()
                self._values[name].extend(np.full(self.steps, np.nan))
                self._deviations[name].extend(np.full(self.steps, np.nan))
