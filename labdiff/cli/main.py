"""The command line. Heavy imports wait until a command needs them, so that --help is instant."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module, metadata
from typing import Any

import typer

from drivers.operator import operated_by, operator_of_terminal
from drivers.plain_text import plain_line, plain_lines
from labdiff.cli.outputs import EXIT_NO_READER, end_output, open_missing_streams
from labdiff.config.user_folder import user_folder
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
    "hologram",
    "layers",
    "data",
    "evaluate",
    "reproduce",
    "watch",
    "monitors",
    "devices",
    "slm",
    "sweep",
    "libraries",
    "bench",
)
"""Modules of `labdiff.cli` that hold a command or a group of commands, in the order of the help."""
EXIT_USER = 2
EXIT_MAY_BE_ON = 3
"""Exit code of a command that could not confirm that the laser is dark."""
EXIT_FAULT = 70
"""Exit code of a command that failed by a fault of labdiff (EX_SOFTWARE of sysexits.h)."""
EXIT_INTERRUPTED = 130
SYSTEM_ERRORS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.ENAMETOOLONG,
    errno.ELOOP,
)
"""Errors of files that are the disk's or the user's, and no fault of labdiff."""


def main() -> None:
    """Run the command line: a user's mistake is one clear line and exit code 2, never a traceback."""
    open_missing_streams()
    warn_of_lasers_left_lit()
    with operated_by(operator_of_terminal()):
        sys.exit(guarded(application()))


def warn_of_lasers_left_lit() -> None:
    """Print, before anything else, which lasers may be lit since all that watched them was killed."""
    if any(user_folder().glob("lit-*")):
        from labdiff.bench.lit_note import lasers_left_lit

        for left in lasers_left_lit():
            print(f"labdiff: {left.describe()}", file=sys.stderr, flush=True)


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
    """Run a command and return its exit code; what went wrong is printed to stderr.

    A laser that could not be confirmed dark is the last line of whatever command ends so.
    """
    code = end_output(_exit_code(command))
    safety = sys.modules.get("labdiff.bench.bench_safety")
    if safety is None:  # no bench was opened
        return code
    from labdiff.bench.bench_safety import lasers_that_may_be_on

    warnings = lasers_that_may_be_on()
    for warning in warnings:
        print(f"labdiff: {warning}", file=sys.stderr)
    return EXIT_MAY_BE_ON if warnings else code


def _exit_code(command: Callable[..., Any]) -> int:
    from calibration.result import CalibrationError
    from drivers.errors import DeviceError

    try:
        command()
    except (UserError, CalibrationError, DeviceError) as error:
        print(f"labdiff: {plain_lines(error)}", file=sys.stderr)
        return EXIT_USER
    except JobStoppedError as error:
        print(
            f"labdiff: stopped; what was recorded is saved; {plain_lines(error)}", file=sys.stderr
        )
        return EXIT_INTERRUPTED
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # typer and rich end a program so, with 1
            return EXIT_NO_READER
        return end.code if isinstance(end.code, int) else 0
    except BrokenPipeError:
        return EXIT_NO_READER
    except Exception as error:  # a fault of labdiff, or of a library
        if isinstance(error, OSError) and error.errno in SYSTEM_ERRORS:
            where = f"{error.filename}: " if error.filename else ""
            print(f"labdiff: {plain_line(f'{where}{error.strerror}', 300)}", file=sys.stderr)
            return EXIT_USER
        from labdiff.cli.crash_report import save_crash_report

        report = save_crash_report(error)
        saved = f"; a report is in {report}" if report else ""
        cause = plain_line(f"{type(error).__name__}: {error}", 300)
        print(f"labdiff: failed by a fault of its own: {cause}{saved}", file=sys.stderr)
        return EXIT_FAULT
    return 0
