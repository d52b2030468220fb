"""Command-line options generated from option groups, so that a new option needs no edit here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from inspect import Parameter, Signature
from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeVar, get_type_hints

import typer

from labdiff.config.option import Kind, Option, OptionGroup, Value, integers

TYPES: dict[Kind, type] = {"flag": bool, "integer": int, "number": float}
"""Types that the command line reads by itself; all other values are read as text."""


class _Arguments(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


A = TypeVar("A", bound=_Arguments)


@dataclass(frozen=True, slots=True)
class OptionSource:
    """Option groups that become options of a command.

    Args:
        groups: The groups, one panel of the help each.
        default: Description of the default of every option, where it comes from elsewhere, such as a file.
        prefix: Start of option names that may be left out: with "sampler_", --steps is --sampler-steps.
    """

    groups: Sequence[OptionGroup]
    default: str = ""
    prefix: str = ""

    def parameters(self) -> list[Parameter]:
        """Return one parameter for each option, which typer reads like those of a function."""
        return [self._parameter(option, group) for group in self.groups for option in group.options]

    def read(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return values as options have them: lists of numbers are read from their text.

        Raises:
            UserError: If a list holds what is no whole number.
        """
        found = dict(values)
        for option in (option for group in self.groups for option in group.options):
            if option.kind == "integers" and option.name in values:
                example = option.presentation.example
                found[option.name] = integers(str(values[option.name]), _flag(option.name), example)
        return found

    def _parameter(self, option: Option, group: OptionGroup) -> Parameter:
        names = dict.fromkeys((option.name.removeprefix(self.prefix), option.name))
        flags = [_flag(name) for name in names]
        if option.kind == "flag":
            flags = [f"{flag}/--no-{flag.removeprefix('--')}" for flag in flags]
        declared = typer.Option(
            *flags,
            help=option.hint,
            metavar="|".join(option.choices) or None,
            show_default=option.default_description or self.default or True,
            rich_help_panel=group.title,
        )
        kind = TYPES.get(option.kind, str)
        return Parameter(
            option.name,
            Parameter.KEYWORD_ONLY,
            default=None if self.default else option.typed_default,
            annotation=Annotated[kind | None if self.default else kind, declared],
        )


class GeneratedCommand(Generic[A]):
    """A command whose parameters are the fields of a dataclass and generated options.

    Args:
        run: Work of the command: it gets its own arguments and the options that were given, by name.
        arguments: Dataclass of the command's own arguments, annotated as typer wants them.
        options: The generated options.
    """

    def __init__(
        self,
        run: Callable[[A, Mapping[str, Value]], None],
        arguments: type[A],
        options: OptionSource,
    ) -> None:
        hints = get_type_hints(arguments, include_extras=True)
        own = [
            Parameter(
                field.name,
                Parameter.KEYWORD_ONLY,
                default=Parameter.empty if field.default is MISSING else field.default,
                annotation=hints[field.name],
            )
            for field in fields(arguments)
        ]
        context = Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context)
        parameters = [context, *own, *options.parameters()]
        self._run, self._arguments, self._options = run, arguments, options
        self._own = [field.name for field in own]
        self.__doc__ = run.__doc__
        self.__signature__ = Signature(parameters)
        self.__annotations__ = {each.name: each.annotation for each in parameters}

    def __call__(self, context: typer.Context, **values: Any) -> None:
        """Run the command with the values that typer has read."""
        own = {name: values.pop(name) for name in self._own}
        given = {name: value for name, value in values.items() if _given(context, name)}
        self._run(self._arguments(**own), self._options.read(given))


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"
