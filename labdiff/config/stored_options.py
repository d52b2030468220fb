"""Training options as run files and layer files store them, also those of another version of labdiff."""

from __future__ import annotations

import json
import logging
from typing import Any

from pydantic import AliasChoices, ValidationError

from drivers.validation_messages import explain
from labdiff.config.option import Formerly, Value
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError, reading

log = logging.getLogger(__name__)


def stored_options(text: str, where: str) -> TrainingOptions:
    """Return the options of a file; those that this version does not know are reported and not used.

    The device that computed is left open again.

    Args:
        text: JSON, as the file has it.
        where: what messages call it.

    Raises:
        UserError: for text that is no table of options, or a value that is not allowed.
    """
    table = _table(text, where)
    unknown = sorted(table.keys() - _known())
    if unknown:
        log.warning(
            "%s: options of another version of labdiff are not used: %s", where, ", ".join(unknown)
        )
    known = {name: value for name, value in table.items() if name not in unknown}
    try:
        options = TrainingOptions.model_validate(_former_values() | known)
        # What computed it may not be here.
        return options.model_copy(update={"device": "auto"})
    except ValidationError as error:
        raise UserError(explain(error, where, TrainingOptions).replace("\n", "; ")) from None


def with_unknown_options(options: TrainingOptions, text: str, where: str) -> str:
    """Return options as JSON, with those of a file that this version does not know: they are not lost.

    Args:
        options: to be stored.
        text: JSON of the file that they come from.
        where: what messages call it.
    """
    table = _table(text, where)
    unknown = {name: table[name] for name in sorted(table.keys() - _known())}
    return json.dumps({**options.model_dump(mode="json"), **unknown}, indent=2)


def _table(text: str, where: str) -> dict[str, Any]:
    with reading(where, "training options as JSON"):
        table = json.loads(text)
        if not isinstance(table, dict):
            raise ValueError("no table of options")
        return table


def _former_values() -> dict[str, Value]:
    """Return, of options that came later, the value with which runs without them go on as they began."""
    return {
        name: former.value
        for name, field in TrainingOptions.model_fields.items()
        for former in field.metadata
        if isinstance(former, Formerly)
    }


def _known() -> set[str]:
    """Return the names of all options, former ones too."""
    known = set(TrainingOptions.model_fields)
    for field in TrainingOptions.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices):
            known |= {str(choice) for choice in field.validation_alias.choices}
    return known
