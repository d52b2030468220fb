"""The options of a driver, checked against its dataclass."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from drivers.errors import DeviceValueError
from drivers.validation_messages import explain

OptionsT = TypeVar("OptionsT")


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid")


def checked_options(where: str, wanted: type[OptionsT], given: dict[str, Any]) -> OptionsT:
    """Check a table of a file against a frozen dataclass, and return an instance of it.

    Args:
        where: file or section, for messages.
        wanted: the dataclass.
        given: the table.

    Raises:
        DeviceValueError: with key, value and what is allowed.
    """
    if not is_dataclass(wanted):
        raise DeviceValueError(f"{where}: {wanted.__name__} is no dataclass")
    hints = get_type_hints(wanted, include_extras=True)
    known: dict[str, Any] = {
        field.name: (hints[field.name], _default(field)) for field in fields(wanted)
    }
    model = create_model("Options", __base__=_Options, **known)
    try:
        return wanted(**dict(model.model_validate(given)))
    except ValidationError as error:
        raise DeviceValueError(explain(error, where, model)) from None
    except DeviceValueError as error:
        raise DeviceValueError(f"{where}: {error}") from None


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
