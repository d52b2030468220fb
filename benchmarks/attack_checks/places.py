"""What other accounts of this computer may read or replace, and slow or huge messages to its servers."""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks.attack_checks.attempt import Attempt
from drivers.errors import DeviceError
from drivers.own_process import runtime_folder
from drivers.slm import slmpy_server
from drivers.slm.slmpy_tcp import SlmPyConnection
from labdiff.remote.serialisation import Packed, pack, unpack
from labdiff.workers.ray_runtime import private_folder
from labdiff.workers.ray_token import keep_token_private

SHAPE = (64, 160)
WITHIN_S = 30.0
"""Time in which an honest client has to be served while others are slow."""


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _token(made_with: int | None, umask: int, folder: Path) -> Sequence[str]:
    """Make Ray's token with a mode that it was made with before, and an umask that takes nothing away."""
    token = folder / ".ray" / "auth_token"
    if made_with is not None:
        token.parent.mkdir()
        token.parent.chmod(0o777)
        token.write_text("a" * 64)
        token.chmod(made_with)
    before = os.umask(umask)
    home = {"RAY_AUTH_TOKEN": "", "RAY_AUTH_TOKEN_PATH": ""}
    try:
        with patch.object(Path, "home", lambda: folder), patch.dict(os.environ, home):
            keep_token_private(create=True)
    finally:
        os.umask(before)
    if os.name != "posix":
        return []
    return [
        f"{path.name}: {_mode(path):o}" for path in (token, token.parent) if _mode(path) & 0o077
    ]


def _sockets(folder: Path) -> Sequence[str]:
    """Check the folder of Ray's sockets, which Ray itself opens to everybody."""
    del folder
    with private_folder() as place:
        place.mkdir(exist_ok=True)
        place.chmod(0o777)
        wide = os.name == "posix" and _mode(place.parent) & 0o077
    return [f"{place.parent}: {wide:o}"] if wide else []


def _runtime(prepare: Callable[[Path], None], folder: Path) -> Sequence[str]:
    """Use a folder of running programs that was prepared by somebody else in the system's shared folder."""
    if sys.platform == "win32":
        return []
    place = folder / f"labdiff-{os.getuid()}"
    prepare(place)
    variables = {"LABDIFF_RUNTIME": "", "XDG_RUNTIME_DIR": ""}
    with patch.dict(os.environ, variables), patch("tempfile.tempdir", str(folder)):
        found = runtime_folder()
    return [f"{found}: {_mode(found):o}"] if found.is_symlink() or _mode(found) & 0o077 else []


def _wide(place: Path) -> None:
    place.mkdir()
    place.chmod(0o777)


def _link(place: Path) -> None:
    (place.parent / "elsewhere").mkdir(mode=0o700)
    place.symlink_to(place.parent / "elsewhere")


@contextmanager
def _slmpy() -> Iterator[tuple[int, list[np.ndarray]]]:
    pictures: list[np.ndarray] = []
    server = slmpy_server.SlmPyServer(pictures.append, SHAPE, port=0)
    stop = threading.Event()
    serving = threading.Thread(target=server.serve, args=(stop.is_set,), daemon=True)
    serving.start()
    try:
        yield server.port, pictures
    finally:
        stop.set()
        serving.join(WITHIN_S)
        server.close()


def _clients(message: bytes, count: int, folder: Path) -> Sequence[str]:
    """Connect clients of the SLM server that send this and stay; an honest one comes after them."""
    del folder
    with _slmpy() as (port, pictures):
        others = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        for other in others:
            with suppress(OSError):
                other.sendall(message)
        began_s = time.monotonic()
        honest = SlmPyConnection("127.0.0.1", port, WITHIN_S)
        signs = []
        try:
            honest.show(np.ones(SHAPE, np.uint8))
        except DeviceError as error:
            signs.append(f"the honest client: {error}")
        honest.close()
        for other in others:
            other.close()
        wrong = [picture for picture in pictures if not (picture == 1).all()]
        if wrong:
            signs.append("a stranger's picture was displayed")
        if time.monotonic() - began_s > WITHIN_S:
            signs.append("the honest client waited")
    return signs


def _second_picture(folder: Path) -> Sequence[str]:
    """Connect a second client of the SLM server while the first one displays."""
    del folder
    with _slmpy() as (port, pictures):
        first = SlmPyConnection("127.0.0.1", port, WITHIN_S)
        first.show(np.ones(SHAPE, np.uint8))
        second = SlmPyConnection("127.0.0.1", port, WITHIN_S)
        with suppress(DeviceError):
            second.show(np.zeros(SHAPE, np.uint8))
        first.close()
        second.close()
    return [] if len(pictures) == 1 else ["another's picture was displayed"]


def _array(packed: Packed, folder: Path) -> Sequence[str]:
    del folder
    return [f"taken: {unpack(packed)!r:.60}"]


def _reachable(port: int) -> Sequence[str]:
    """Return at which addresses of this machine, other than loopback's, a port is reached."""
    addresses = (
        ["127.0.0.2"] if sys.platform == "linux" else []
    )  # reached by who listens everywhere
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route, suppress(OSError):
        route.connect(("192.0.2.1", 9))
        addresses.append(str(route.getsockname()[0]))
    found = []
    for address in addresses:
        if address == "127.0.0.1":
            continue
        with suppress(OSError), socket.create_connection((address, port), 2.0):
            found.append(f"reached at {address}")
    return found


def _slm_from_the_network(folder: Path) -> Sequence[str]:
    del folder
    with _slmpy() as (port, _):
        return _reachable(port)


def _gradients_from_the_network(folder: Path) -> Sequence[str]:
    """Return how the port at which processes share a batch is reached; torch asks nobody who he is."""
    del folder
    from labdiff.training.batch_share import BatchShare
    from labdiff.training.data_parallel import free_port, group

    port = free_port()
    with group(BatchShare(0, 1), port):
        return _reachable(port)


LENGTH = struct.Struct("=i")
BOMB = zlib.compress(bytes(10_000_000))
MESSAGES = {
    "nothing": b"",
    "half a header": b"\x01",
    "half a picture": LENGTH.pack(1000) + b"half",
    "a huge length": LENGTH.pack(2**31 - 1),
    "a negative length": LENGTH.pack(-1),
    "a bomb": LENGTH.pack(len(BOMB)) + BOMB,
    "garbage": b"\xff" * 100_000,
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
}
_inflates = pack(np.zeros(1 << 22, np.uint8))
ARRAYS = {
    "of a terabyte": Packed((b"",) * 8, (False,) * 8, "<f8", (1 << 37,)),
    "of negative length": Packed((b"",) * 8, (False,) * 8, "<f8", (-1,)),
    "a bomb": Packed(_inflates.planes, _inflates.deflated, "|u1", (16,)),
    "of objects": Packed((bytes(8),) * 8, (False,) * 8, "O", (8,)),
    "of a type that is none": Packed((bytes(8),), (False,), "os.system", (8,)),
}
ATTEMPTS = [
    *(
        Attempt(
            f"Ray's token, made with {made} before, umask {umask:o}", partial(_token, mode, umask)
        )
        for made, mode, umask in (
            ("nothing", None, 0o000),
            ("nothing", None, 0o022),
            ("0644", 0o644, 0o022),
            ("0666", 0o666, 0o000),
        )
    ),
    Attempt("Ray's sockets", _sockets),
    Attempt("the folder of running programs, made by others, open", partial(_runtime, _wide)),
    Attempt("the folder of running programs, a link", partial(_runtime, _link)),
    *(
        Attempt(f"SLM server: {count} clients that send {name}", partial(_clients, message, count))
        for name, message in MESSAGES.items()
        for count in ((1, 40) if name in ("nothing", "half a picture") else (1,))
    ),
    Attempt("SLM server: another's picture", _second_picture),
    Attempt("SLM server: from the network", _slm_from_the_network),
    Attempt("shared gradients: from the network", _gradients_from_the_network),
    *(Attempt(f"an array {name}", partial(_array, packed)) for name, packed in ARRAYS.items()),
]
