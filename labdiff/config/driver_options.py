"""What a driver may be told beyond what its kind needs: the bench file's [slm.options] and the like.

A driver class that takes options names them in `Options`, a frozen dataclass with a default for each.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from drivers.errors import DeviceError, DeviceValueError
from drivers.registry import driver_class
from drivers.validation_messages import explain
from labdiff.errors import UserError


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid")


def driver_options(kind: str, driver: str, given: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments for the driver's `from_settings`: {"options": its Options}, or none.

    given: the table of the bench file. Raises UserError that names key, value and what is allowed, or
    for an unknown driver.
    """
    where = f"{kind}.options"
    try:
        wanted: Any = getattr(driver_class(kind, driver), "Options", None)
    except DeviceError as error:
        raise UserError(f"{kind}.driver: {error}") from None
    if wanted is None:
        if given:
            raise UserError(f"{where}: the driver {driver!r} takes none; leave the table out")
        return {}
    hints = get_type_hints(wanted, include_extras=True)
    known: dict[str, Any] = {
        field.name: (hints[field.name], _default(field)) for field in fields(wanted)
    }
    model = create_model("Options", __base__=_Options, **known)
    try:
        checked = model.model_validate(given)
        return {"options": wanted(**{name: getattr(checked, name) for name in known})}
    except ValidationError as error:
        raise UserError(explain(error, where, model)) from None
    except DeviceValueError as error:
        raise UserError(f"{where}: {error}") from None


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
