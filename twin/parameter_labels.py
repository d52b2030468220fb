"""What people read for the twin's parameters in run files; free of torch, as `twin.parameters`."""

from __future__ import annotations

from twin.parameters import ALIGNMENT_PARAMETERS, FREE_FORM_PARAMETERS

UNIT_SYMBOLS = {"mm": "mm", "mrad": "mrad", "rad": "rad", "px": "px", "percent": "%"}
"""The units at the end of names, and how a chart writes them."""


def recorded_label(recorded_name: str) -> str:
    """Return what people read for a name in a run file: of the record if there is one, else the name's."""
    records = (*ALIGNMENT_PARAMETERS, *FREE_FORM_PARAMETERS)
    found = next(filter(None, (p.label(recorded_name) for p in records)), "")
    if found:
        return found
    stem, _, unit = recorded_name.rpartition("_")
    return (stem if unit in UNIT_SYMBOLS and stem else recorded_name).replace("_", " ")


def recorded_unit(recorded_name: str) -> str:
    """Return the unit at the end of a name in a run file as a chart writes it; empty without one."""
    return UNIT_SYMBOLS.get(recorded_name.rpartition("_")[2], "")
