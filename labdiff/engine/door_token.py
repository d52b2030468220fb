"""Where a window that serves its engine listens, and its token: a file for this account alone."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from drivers.errors import DeviceNotFoundError
from drivers.own_process import runtime_folder
from labdiff.errors import UserError

TOKEN_BYTES = 32
HOST = "127.0.0.1"
DEFAULT_PORT = 7431
LONGEST_FILE = 4096
FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class DoorAddress:
    """Where a window listens on this computer's loopback, and the token that it asks for."""

    port: int
    token: str


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_hex(TOKEN_BYTES)


def token_file(port: int) -> Path:
    """Return where the token of a window is that listens at a port. Raises UserError without a folder."""
    try:
        return runtime_folder() / f"gui-{port}.json"
    except DeviceNotFoundError as error:
        raise UserError(str(error)) from None


def write_token(address: DoorAddress) -> Path:
    """Write the file for this account alone, and return its path. Raises UserError if it cannot."""
    path = token_file(address.port)
    try:
        path.unlink(
            missing_ok=True
        )  # that of a window that was killed, or what others have put there
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(number, "w", encoding="ascii") as file:
            json.dump({"port": address.port, "token": address.token}, file)
    except OSError as error:
        raise UserError(f"{path}: the token cannot be kept: {error.strerror or error}") from None
    return path


def read_token(path: Path) -> DoorAddress:
    """Return what `write_token` wrote. Raises UserError for any other file."""
    try:
        with path.open(encoding="ascii") as file:
            found = json.loads(file.read(LONGEST_FILE))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from None
    except ValueError:
        found = None
    match found:
        case {"port": int(port), "token": str(token)} if token:
            return DoorAddress(port, token)
    raise UserError(f"{path}: is not the token file of a window; expected port and token")


def served_here() -> DoorAddress:
    """Return the window that serves its engine on this computer.

    Raises:
        UserError: If there is none, or more than one.
    """
    found = sorted(token_file(0).parent.glob("gui-*.json"))
    if not found:
        raise UserError("no window serves its engine here; start one with: labdiff gui --serve")
    if len(found) > 1:
        names = ", ".join(path.stem.removeprefix("gui-") for path in found)
        raise UserError(f"several windows serve their engines here, at the ports {names}; name one")
    return read_token(found[0])
