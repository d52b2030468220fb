"""An options file: training options in TOML, flat or in one table a group.

data = "mnist"

[learning]
offline_steps = 1000
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError, create_model

from drivers.validation_messages import explain
from labdiff.config.option import Value
from labdiff.config.section import Section
from labdiff.config.toml_text import parse_toml, read_toml_file
from labdiff.config.training import GROUPS, TrainingOptions
from labdiff.errors import UserError

_fields: dict[str, Any] = {
    name: (info.annotation, info) for name, info in TrainingOptions.model_fields.items()
}
_EachAlone = create_model("_EachAlone", __base__=Section, **_fields)
"""The same fields without the checks of one against another, which wait for the command line's values."""


def read_options(path: Path) -> dict[str, Value]:
    """Return the options that a file sets, by name.

    Raises:
        UserError: If the file cannot be read, has an unknown key or a value that is not allowed; the
            message names the file, the key, the value and what is allowed.
    """
    return flat_options(parse_toml(read_toml_file(path, "an options file"), str(path)), str(path))


def flat_options(table: Mapping[str, Any], where: str) -> dict[str, Value]:
    """Return the options of a table that is flat, or has one table a group, by name.

    Args:
        table: The parsed TOML.
        where: What messages call it.

    Raises:
        UserError: For an unknown key, a key under another group's name, an option that stands twice, or a
            value that is not allowed.
    """
    groups = {group.name: group for group in GROUPS}
    flat: dict[str, Value] = {}
    for key, value in table.items():
        if key in groups and isinstance(value, dict):
            own = {option.name for option in groups[key].options}
            chosen = _checked(value, f"{where}, [{key}]")
            misplaced = next((name for name in chosen if name not in own), None)
            if misplaced is not None:
                home = next(g.name for g in GROUPS if misplaced in {o.name for o in g.options})
                raise UserError(f"{where}, [{key}]: {misplaced}: stands in the table [{home}]")
        elif isinstance(value, dict):
            allowed = ", ".join(f"[{name}]" for name in groups)
            raise UserError(f"{where}: [{key}]: unknown table; allowed are {allowed}")
        else:
            chosen = _checked({key: value}, where)
        twice = sorted(flat.keys() & chosen.keys())
        if twice:
            raise UserError(f"{where}: {twice[0]}: stands twice; leave one out")
        flat |= chosen
    return flat


def _checked(given: Mapping[str, Any], where: str) -> dict[str, Value]:
    """Return the values that are set, checked one by one, under the options' names of today."""
    try:
        found = _EachAlone.model_validate(given)
    except ValidationError as error:
        raise UserError(explain(error, where, TrainingOptions)) from None
    return {
        name: value for name, value in found.model_dump().items() if name in found.model_fields_set
    }


def training_options(given: Mapping[str, Any], where: str) -> TrainingOptions:
    """Return training options from values by name; all others have their defaults.

    Args:
        given: Values by option name.
        where: What messages call them.

    Raises:
        UserError: For values that are not allowed, alone or together.
    """
    try:
        return TrainingOptions.model_validate(given)
    except ValidationError as error:
        raise UserError(explain(error, where, TrainingOptions)) from None
