"""One option as the command line, the window and an options file show it, read from a model's field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from labdiff.config.section import Section
from labdiff.errors import UserError

Kind: TypeAlias = Literal["flag", "integer", "number", "choice", "integers", "text"]
Value: TypeAlias = bool | int | float | str | tuple[int, ...]
_KINDS: dict[object, Kind] = {bool: "flag", int: "integer", float: "number", str: "text"}


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a field's annotation says beyond its type, default, limits and description.

    Args:
        unit: Unit of a number, shown beside it.
        default: Description of a default that depends on other options; "{default}" stands for the value.
        example: A list of values as a user types it.
    """

    unit: str = ""
    default: str = ""
    example: str = "0,1,2"


@dataclass(frozen=True, slots=True)
class Formerly:
    """The value with which runs went on before there was the option: files without it have this one."""

    value: Value


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its name, its label, the sentence that describes it, and the values it takes.

    Args:
        name: Name of the field: in options files, sweep files, run files and on the command line.
        label: Name as a person reads it.
        description: One sentence for someone who has never trained an optical denoising unit.
        kind: Which control and which text it takes.
        default: Value if it is not given.
        choices: Allowed words of a choice; empty for other kinds.
        low: Least allowed value, or None.
        high: Greatest allowed value, or None.
        presentation: Unit, example, description of the default.
    """

    name: str
    label: str
    description: str
    kind: Kind
    default: Value
    choices: tuple[str, ...]
    low: float | None
    high: float | None
    presentation: Presentation

    @property
    def hint(self) -> str:
        """Return the description with the allowed range, if there is one."""
        match self.low, self.high:
            case None, None:
                return self.description
            case low, None:
                return f"{self.description} ({low:.10g} or more)"
            case None, high:
                return f"{self.description} ({high:.10g} or less)"
            case low, high:
                return f"{self.description} ({low:.10g} ... {high:.10g})"

    @property
    def typed_default(self) -> Value:
        """Return the default as a user would type it: a list of numbers as text with commas."""
        return ",".join(map(str, self.default)) if isinstance(self.default, tuple) else self.default

    @property
    def default_description(self) -> str:
        """Return what the default depends on; empty if it is a value of its own."""
        return self.presentation.default.format(default=self.typed_default)


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """Options that belong together: a table of an options file, a panel of the help, a box of the form."""

    name: str
    title: str
    options: tuple[Option, ...]


def option_group(name: str, title: str, model: type[Section]) -> OptionGroup:
    """Return the group of all options of a model, in the order of its fields.

    Args:
        name: of the group's table in an options file.
        title: of the group in the window and in the help.
        model: the section whose fields are the options.
    """
    options = tuple(_option(field, info) for field, info in model.model_fields.items())
    return OptionGroup(name, title, options)


def integers(text: str, name: str, example: str) -> tuple[int, ...]:
    """Return the whole numbers in a text such as "0,1,2"; none for an empty text.

    Args:
        text: What the user typed.
        name: What messages call the option.
        example: A text that would be allowed.

    Raises:
        UserError: If a part of the text is no whole number.
    """
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise UserError(f"{name} {text}: needs whole numbers, as {example}") from None


def _option(name: str, info: FieldInfo) -> Option:
    kind = info.annotation
    literal = get_origin(kind) is Literal
    known: Kind = "integers" if get_origin(kind) is tuple else _KINDS.get(kind, "text")
    low, high = _limits(info.metadata)
    return Option(
        name=name,
        label=info.title or name.replace("_", " ").capitalize(),
        description=info.description or "",
        kind="choice" if literal else known,
        default=info.default,
        choices=tuple(map(str, get_args(kind))) if literal else (),
        low=low,
        high=high,
        presentation=next(
            (m for m in info.metadata if isinstance(m, Presentation)), Presentation()
        ),
    )


def _limits(metadata: Sequence[Any]) -> tuple[float | None, float | None]:
    low: float | None = None
    high: float | None = None
    for limit in metadata:
        match limit:
            case Ge(ge=int() | float() as value) | Gt(gt=int() | float() as value):
                low = float(value)
            case Le(le=int() | float() as value) | Lt(lt=int() | float() as value):
                high = float(value)
    return low, high
