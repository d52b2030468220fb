"""One program at a time serves a bench at a port; what a killed one left there is waited for."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from drivers.own_process import runtime_folder
from labdiff.errors import UserError
from labdiff.owner import Owner
from labdiff.remote.node_process import ENDS_WITHIN_S, MAKES_SAFE_WITHIN_S

log = logging.getLogger(__name__)

ANSWERS_WITHIN_S = 1.0
"""Time in which whoever listens at an address answers."""
AGAIN_S = 0.5
"""Time between two tries whether a port is free."""
WAIT_S = MAKES_SAFE_WITHIN_S + ENDS_WITHIN_S
"""Longest time until Ray's processes have ended whose program was killed."""


@contextmanager
def own_port(host: str, port: int, wait_s: float = WAIT_S) -> Iterator[None]:
    """Own a port of this computer while it is entered.

    Args:
        host: address at which it listens.
        port: its number.
        wait_s: time that is waited for what a program has left there that was killed while it served.

    Raises:
        UserError: if another program serves there, or anything else listens.
        DeviceNotFoundError: if there is no folder for what owners write.
    """
    with Owner(runtime_folder() / f"serve-{port}", f"the port {port} of this computer") as owner:
        if owner.taken_over is not None and _is_taken(host, port):
            log.warning(
                "%s:%d: Ray's processes of a program that was killed end within %.0f s, and are waited for",
                host,
                port,
                wait_s,
            )
            until_s = time.monotonic() + wait_s
            while _is_taken(host, port) and time.monotonic() < until_s:
                time.sleep(AGAIN_S)
        if _is_taken(host, port):
            raise UserError(
                f"{host}:{port}: something listens there already. If it is a bench that is served, labdiff "
                f"bench status --remote {host}:{port} says so; Ray's processes that a killed program has "
                "left end with: ray stop; or choose another port with --port"
            )
        yield


def _is_taken(host: str, port: int) -> bool:
    """Return whether anything listens at an address of this computer."""
    try:
        socket.create_connection((host, port), ANSWERS_WITHIN_S).close()
    except OSError:
        return False
    return True
