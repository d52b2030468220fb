"""Mistakes that a user can mend. The command line prints the message alone and exits with 2."""

from __future__ import annotations


class UserError(Exception):
    """Raised with a message that names the file, the key, the value and what is allowed."""


class JobStoppedError(Exception):
    """Raised by `run` when a job was stopped before its end; what it recorded is kept."""
