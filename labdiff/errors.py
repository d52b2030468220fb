"""Errors of the user's side, and the end of a job that the user stopped.

For a `UserError` the command line prints the message alone and exits with 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class UserError(Exception):
    """A mistake that the user can mend; the message names file, key, value and what is allowed."""


class JobStoppedError(Exception):
    """A job was stopped before its end; what it recorded stays in its run file."""


@contextmanager
def reading(where: str | Path, expected: str) -> Iterator[None]:
    """Turn whatever a reader raises about a file from outside into one `UserError`.

    A damaged file makes third-party readers raise exceptions that no list foresees (struct.error,
    KeyError, RecursionError, MemoryError ...); none of them is a fault of labdiff.

    Args:
        where: the file, and the place in it, for the message.
        expected: what a readable file would be, as "a .npz archive of images".

    Raises:
        UserError: names the file, what went wrong, and what was expected.

    Example:
        >>> with reading("bench.toml", "a bench file"):
        ...     settings = tomllib.loads(text)
    """
    try:
        yield
    except (UserError, JobStoppedError):
        raise
    except FileNotFoundError:
        raise UserError(f"{where}: no such file; expected {expected}") from None
    except MemoryError:
        raise UserError(
            f"{where}: too large for this computer's memory; expected {expected}"
        ) from None
    except RecursionError:
        raise UserError(f"{where}: nested too deeply; expected {expected}") from None
    except Exception as error:
        raise UserError(f"{where}: {_reason(error)}; expected {expected}") from None


def _reason(error: Exception) -> str:
    """Return one printable line of an error, of at most 200 characters."""
    strerror = error.strerror if isinstance(error, OSError) else None
    text = " ".join(str(strerror or error).split())
    text = "".join(c if c.isprintable() else "?" for c in text) or type(error).__name__
    return f"cannot be read: {text[:200]}"
