"""Start processes of our own that outlive who starts them, and the folder in which they are found."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TypedDict

import drivers
from drivers.errors import DeviceNotFoundError


def runtime_folder() -> Path:
    """Return LABDIFF_RUNTIME, else the system's folder for this user's running programs; create it.

    Raises DeviceNotFoundError if it cannot be made, or belongs to somebody else.
    """
    named = os.environ.get("LABDIFF_RUNTIME")
    if named:
        folder = Path(named)
    elif sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA", tempfile.gettempdir())) / "labdiff" / "run"
    elif os.environ.get("XDG_RUNTIME_DIR"):
        folder = Path(os.environ["XDG_RUNTIME_DIR"]) / "labdiff"
    else:
        folder = Path(tempfile.gettempdir()) / f"labdiff-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(folder)
    except OSError as error:
        raise DeviceNotFoundError(
            f"folder of running programs {folder}: {error.strerror or error}; "
            "name another with LABDIFF_RUNTIME"
        ) from error
    return folder


def _check_private(folder: Path) -> None:
    """Check that a folder is this user's; in the system's shared one, close it to others.

    Raises PermissionError if it is not, or is a link there. A folder that the user named is left open. On
    Windows nothing is checked: the profile's folders belong to their user.
    """
    if sys.platform == "win32":
        return
    shared = folder.parent == Path(tempfile.gettempdir())
    found = folder.lstat() if shared else folder.stat()
    if stat.S_ISLNK(found.st_mode):
        raise PermissionError("it is a link, which anyone may have made")
    if found.st_uid != os.getuid():
        raise PermissionError("it belongs to another user")
    if shared and folder.name == f"labdiff-{os.getuid()}" and found.st_mode & 0o077:
        folder.chmod(0o700)


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours, whatever the current folder holds."""
    return [sys.executable, "-P", "-m", module, *arguments]


def package_environment() -> dict[str, str]:
    """Return this process's environment with the folder of these packages first on Python's path."""
    environment = dict(os.environ)
    here = str(Path(drivers.__path__[0]).parent)
    before = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([here, before] if before else [here])
    return environment


class Detachment(TypedDict, total=False):
    """Arguments of Popen."""

    cwd: Path
    creationflags: int
    start_new_session: bool


def own_group() -> Detachment:
    """Return the arguments of Popen that keep a Ctrl-C in this terminal from a process."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def detached() -> Detachment:
    """Return the arguments of Popen that let a process outlive this one, and a Ctrl-C in its terminal."""
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"cwd": runtime_folder(), "creationflags": flags}
    return {"cwd": runtime_folder(), "start_new_session": True}
