"""The command line. Heavy imports wait until a command needs them, so that --help is instant."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module, metadata
from typing import Any

import typer

from labdiff.errors import JobStoppedError, UserError

app = typer.Typer(
    name="labdiff",
    help="Run an optical diffusion bench: calibrate it, train its layers, generate images with it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

COMMANDS = (
    "demo",
    "train",
    "calibrate",
    "report",
    "init",
    "doctor",
    "generate",
    "layers",
    "data",
    "evaluate",
    "reproduce",
    "watch",
    "monitors",
    "devices",
    "slm",
    "sweep",
    "bench",
)
"""Modules of `labdiff.cli` that hold a command or a group of commands, in the order of the help."""
EXIT_USER = 2
EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command line: a user's mistake is one clear line and exit code 2, never a traceback."""
    sys.exit(guarded(application()))


@cache
def application() -> typer.Typer:
    """Return the command line with all its commands, those of other installed packages among them."""
    for name in COMMANDS:
        import_module(f"labdiff.cli.{name}").register(app)
    for entry in metadata.entry_points(group="labdiff.commands"):
        register: Callable[[typer.Typer], None] = entry.load()
        register(app)
    return app


def guarded(command: Callable[..., Any]) -> int:
    """Run a command and return its exit code; what went wrong is printed to stderr."""
    from calibration.result import CalibrationError
    from drivers.errors import DeviceError

    try:
        command()
    except (UserError, CalibrationError, DeviceError) as error:
        print(f"labdiff: {error}", file=sys.stderr)
        return EXIT_USER
    except JobStoppedError as error:
        print(f"labdiff: stopped; what was recorded is saved; {error}", file=sys.stderr)
        return EXIT_INTERRUPTED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0
