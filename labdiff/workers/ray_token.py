"""Ray's token, with which anyone may run anything on a cluster's computers: a file for this account alone.

Ray makes it readable by every account of the computer; here it is made before Ray looks for it, and one
that was made so is mended.
"""

from __future__ import annotations

import logging
import os
import secrets
import stat
from pathlib import Path

from labdiff.errors import UserError

log = logging.getLogger(__name__)

FOLDER_MODE, FILE_MODE = 0o700, 0o600
"""What this account may do with the folder and the file, and others may not."""
TOKEN_BYTES = 32
"""Random bytes of a token, as many as Ray's own have."""


def token_path() -> Path | None:
    """Return where Ray reads its token; None if the variable RAY_AUTH_TOKEN holds it."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return None
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return Path(named) if named else Path.home() / ".ray" / "auth_token"


def keep_token_private(*, create: bool) -> None:
    """Let the token's file be this account's alone; say so in one line if others could read it.

    create: make a token if there is none, as the first computer of a cluster does.

    Raises:
        UserError: the file cannot be made, or belongs to another account.
    """
    path = token_path()
    if path is None:
        return
    try:
        if os.name == "posix" and path.exists():
            _narrow(path)
        if create and not (path.exists() and path.stat().st_size):
            _create(path)
    except OSError as error:
        raise UserError(f"{path}: Ray's token cannot be kept: {error.strerror or error}") from None


def _create(path: Path) -> None:
    """Write a token under a name of its own, then link it to its place: whole, or not at all."""
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    working = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    file = os.open(working, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(file, "w", encoding="ascii") as opened:
            opened.write(secrets.token_hex(TOKEN_BYTES))
        if path.exists() and not path.stat().st_size:
            working.replace(path)
        else:
            _link(working, path)
    except FileExistsError:
        pass  # another process was faster: its token counts
    finally:
        working.unlink(missing_ok=True)


def _link(working: Path, path: Path) -> None:
    """Give a file its name. Raises FileExistsError if that is taken."""
    try:
        os.link(working, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        working.replace(path)


def _narrow(path: Path) -> None:
    """Take from others what they may do with the file, and with Ray's own folder."""
    places = [(path, FILE_MODE)]
    # A folder that was named in a variable may hold other things, for other people.
    if path == Path.home() / ".ray" / "auth_token":
        places.append((path.parent, FOLDER_MODE))
    wide = [(place, mode, found) for place, mode in places if (found := _mode(place)) & ~mode]
    if not wide:
        return
    for place, mode, found in wide:
        place.chmod(found & mode)
    if path == wide[0][0]:
        log.warning(
            "%s could be used by other accounts of this computer (mode %o), and is now yours alone. If "
            "anyone else may have read it, delete it: `labdiff bench serve` makes a new one",
            path,
            wide[0][2],
        )
    else:
        log.warning("%s is now closed to other accounts of this computer", path.parent)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
