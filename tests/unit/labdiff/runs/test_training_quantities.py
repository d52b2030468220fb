"""Every quantity that is shown is a field of the event, and so a column of the run file."""

from __future__ import annotations

from dataclasses import fields

from labdiff.events import TrainingStep
from labdiff.runs.training_quantities import TRAINING_QUANTITIES, charts


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
