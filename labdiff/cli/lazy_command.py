"""A command whose options are made when it is called, so that `labdiff --help` does not wait for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

PASS_ON = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "allow_interspersed_args": False,
}
"""Settings of a command that takes all its arguments as they are, --help among them."""


def add_lazily(
    app: typer.Typer, name: str, summary: str, make: Callable[[], Callable[..., Any]]
) -> None:
    """Add a command to a command line.

    Args:
        app: Command line that gets the command.
        name: Name of the command.
        summary: Its help.
        make: Returns the function with all its parameters; called when the command is.
    """

    def pass_on(context: typer.Context) -> None:
        command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        command.command(name, help=summary)(make())
        command(args=context.args, prog_name=context.command_path)

    app.command(name, help=summary, add_help_option=False, context_settings=PASS_ON)(pass_on)
