"""Ray, if it is installed: started on this machine's loopback, or joined at an address."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from labdiff.errors import UserError
from labdiff.workers.ray_token import keep_token_private

LOOPBACK = "127.0.0.1"
"""Address of this machine that no other machine can reach."""
OBJECTS_BYTES = 200 * 1024**2
"""Size of the shared memory for values in transit; Ray would take a third of the machine's."""


ENDING = frozenset(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP", "SIGBREAK")
    if hasattr(signal, name)
)
"""Signals by which a program is asked to end."""
LONGEST_PLACE = 40
"""Number of characters of a folder in which the names of Ray's sockets are short enough for the system."""


def has_ray() -> bool:
    """Return whether Ray is installed."""
    return find_spec("ray") is not None


def is_loopback(address: str | None) -> bool:
    """Return whether an address is this machine's loopback; None, no address, is."""
    return address is None or address.rpartition(":")[0] in (LOOPBACK, "localhost")


def ray_module(address: str | None = None) -> Any:
    """Import Ray for a cluster at an address. Raises UserError, which names the extra to install."""
    # Ray reads these variables once, when it is imported.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray's workers would run at low priority, and a bench must not wait behind other work.
    os.environ.setdefault("RAY_worker_niceness", "0")
    # Every member of a cluster may run anything there: a token admits its members.
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    # Set to 0, everything of Ray listens on loopback alone; else even a node that is set to 127.0.0.1
    # takes the address that others can reach.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "01"[not is_loopback(address)])
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise UserError(
            "Ray is not installed, and this needs it: pip install 'labdiff[cluster]' "
            f"(without it, local processes do the work of one machine: --on local) ({error})"
        ) from None


@contextmanager
def _own_signal_handlers() -> Iterator[None]:
    """Put back what this program does on signals, for which Ray installs a handler that ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in signal.valid_signals() if each in ENDING}
    try:
        yield
    finally:
        for each, handler in before.items():
            if handler is not None:
                signal.signal(each, handler)


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield a new folder for Ray's sockets and logs, of this account alone; it is deleted afterwards.

    Ray's own, /tmp/ray, may be written by every account, and whoever replaces a socket there reads what
    goes through it, and answers in its place.
    """
    place = tempfile.gettempdir()
    if os.name == "posix" and len(place) > LONGEST_PLACE:
        place = "/tmp"
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir=place))
    try:
        # Ray opens the folder that it gets to everybody; the one around it stays closed.
        yield folder / "r"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def joined(address: str | None, cores: int = 1) -> Iterator[Any]:
    """Join the cluster at an address, or start Ray on this machine's loopback; yield Ray's module.

    A cluster that this process has joined already is used, and not left at the end.
    Raises UserError if the cluster cannot be joined.
    """
    ray = ray_module(address)
    if ray.is_initialized():
        yield ray
        return
    # A cluster that is there has its token, which is copied here by hand: a new one would not open it.
    keep_token_private(create=address is None)
    own: dict[str, object] = {
        "num_cpus": max(cores, os.cpu_count() or 1),
        "include_dashboard": False,
        "object_store_memory": OBJECTS_BYTES,
    }
    with ExitStack() as opened:
        folder = str(opened.enter_context(private_folder()))
        if address is None:
            own["_temp_dir"] = folder
        else:
            os.environ["RAY_TMPDIR"] = folder
            opened.callback(os.environ.pop, "RAY_TMPDIR", None)
        try:
            with _own_signal_handlers():
                ray.init(
                    address=address or "local",
                    namespace="labdiff",
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    **({} if address else own),
                )
        except (
            ConnectionError,
            RuntimeError,
            ValueError,
            OSError,
            ray.exceptions.RayError,
        ) as error:
            raise UserError(
                f"Ray at {address or 'this machine'}: {str(error).strip()}. A computer that is to work "
                "with a cluster has its token and joins it first: ray start "
                f"--address={address or 'HOST:PORT'}"
            ) from None
        try:
            yield ray
        finally:
            ray.shutdown()
