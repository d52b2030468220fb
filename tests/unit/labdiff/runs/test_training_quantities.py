"""Every quantity that is shown is a field of the event, and so a column of the run file."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from labdiff.events import TrainingStep
from labdiff.reports.labels import loss_note
from labdiff.runs.training_quantities import (
    LOSS,
    TRAINING_QUANTITIES,
    LayerSetBegin,
    charts,
    is_scaled,
    layer_set_begins,
)


def test_quantities_are_fields_of_a_training_step() -> None:
    known = {field.name for field in fields(TrainingStep)}
    names = [quantity.name for quantity in TRAINING_QUANTITIES]
    assert set(names) <= known
    assert len(set(names)) == len(names)


def test_each_quantity_is_in_one_chart_of_learning_or_of_pace() -> None:
    shown = [
        quantity for pace in (False, True) for group in charts(pace).values() for quantity in group
    ]
    assert sorted(q.name for q in shown) == sorted(q.name for q in TRAINING_QUANTITIES)
    assert all(quantity.chart == chart for chart, group in charts().items() for quantity in group)


def test_losses_are_divided_by_wieners_where_it_is_recorded() -> None:
    twin = next(quantity for quantity in charts()[LOSS] if quantity.name == "twin_mse")
    step = TrainingStep("offline", 0, 1, 2, 0.1, wiener_mse=0.05, first_t=400, end_t=600)
    assert twin.of_step(step) == 2.0
    assert loss_note(step) == "t 400 ... 599, twin 2 x Wiener"
    old = TrainingStep("online", 0, 1, 2, 0.1, 0.3)
    assert twin.of_step(old) == 0.1 and loss_note(old) == "set 2, bench MSE 0.3"
    columns = {"twin_mse": np.array([0.1, 0.2]), "wiener_mse": np.array([0.05, 0.4])}
    np.testing.assert_allclose(twin.of_columns(columns), [2.0, 0.5])
    unknown = {**columns, "wiener_mse": np.full(2, np.nan)}
    assert is_scaled(columns) and not is_scaled(unknown)
    np.testing.assert_array_equal(twin.of_columns(unknown), [0.1, 0.2])


def test_layer_sets_begin_where_set_or_method_changes() -> None:
    columns = {
        "method": np.array(["offline"] * 4 + ["online"] * 2, object),
        "layer_set": np.array([0.0, 0, 1, 1, 0, 1]),
        "first_t": np.array([0.0, 0, 500, 500, 0, 500]),
        "end_t": np.array([500.0, 500, 1000, 1000, 500, 1000]),
    }
    assert layer_set_begins(columns) == [
        LayerSetBegin(0, "offline", "t 0 ... 499"),
        LayerSetBegin(2, "offline", "t 500 ... 999"),
        LayerSetBegin(4, "online", "t 0 ... 499"),
        LayerSetBegin(5, "online", "t 500 ... 999"),
    ]
    assert layer_set_begins({}) == []
