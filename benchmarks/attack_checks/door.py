"""The door for scripts of a window, knocked at by those who do not know its token, and by one who does."""

from __future__ import annotations

import os
import pickle
import socket
import stat
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from unittest.mock import patch

from benchmarks.attack_checks.attempt import CANARY, Attempt, Canary
from labdiff.api.connecting import ConnectedEngine, connect
from labdiff.engine import commands as ask
from labdiff.engine.door import Answer, Door
from labdiff.engine.door_commands import decode
from labdiff.engine.door_messages import Fields, Message, proof, receive_message, send_message
from labdiff.engine.door_token import HOST, read_token, token_file

CROWD = 60
"""Strangers at a time who say nothing."""
WITHIN_S = 10.0
"""Time in which an honest script has to be served meanwhile."""


class Scene:
    """A door in a folder of its own, and what came through it."""

    def __init__(self) -> None:
        self.came: list[ask.Command] = []
        self.safe = 0
        self.door = Door(0, self._answer, self._make_safe)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.door.address.port

    def stranger(self) -> socket.socket:
        """Return a connection that has shown nothing yet."""
        return socket.create_connection((HOST, self.port), WITHIN_S)

    def honest(self) -> list[str]:
        """Let one who knows the token send a command; return signs that it does not come through."""
        before, began_s = len(self.came), time.monotonic()
        with connect() as engine:
            engine.stop()
        late = time.monotonic() - began_s > WITHIN_S
        return ["an honest script had to wait"] if late or len(self.came) != before + 1 else []

    def _answer(self, message: Message) -> Answer:
        self.came.append(decode(message.fields, message.arrays))
        return {}, []

    def _make_safe(self) -> None:
        self.safe += 1


Act = Callable[[Scene], Sequence[str]]


def _attempt(act: Act, folder: Path) -> Sequence[str]:
    with patch.dict(os.environ, {"LABDIFF_RUNTIME": str(folder), "LABDIFF_TOKEN": ""}):
        scene = Scene()
        try:
            signs = list(act(scene))
            commands = [command for command in scene.came if not isinstance(command, ask.Stop)]
            signs += [f"came through: {type(command).__name__}" for command in commands]
            signs += ["the safe state was asked for by a stranger"] if scene.safe else []
            signs += ["code ran"] if (folder / CANARY).exists() else []
            return [*signs, *scene.honest()]
        finally:
            scene.door.close()


def _says(content: bytes, scene: Scene) -> Sequence[str]:
    """Say something that is no greeting, then ask for the laser."""
    with scene.stranger() as stranger, suppress(Exception):
        receive_message(stranger)
        stranger.sendall(content)
        send_message(stranger, {"command": "SetEmission", "on": True})
        send_message(stranger, {"command": "SafeState"})
        receive_message(stranger)
    return []


def _guesses(token: str, scene: Scene) -> Sequence[str]:
    ConnectedEngine(HOST, scene.port, token).switch_laser(True)
    return ["a guessed token was taken"]


def _repeats(scene: Scene) -> Sequence[str]:
    """Listen to a greeting, and repeat it."""
    token = scene.door.address.token
    with scene.stranger() as first, scene.stranger() as second:
        nonce = str(receive_message(first).fields["nonce"])
        heard: Fields = {"nonce": "b", "proof": proof(token, "client", (nonce, "b"))}
        receive_message(second)
        with suppress(Exception):
            send_message(second, heard)
            send_message(second, {"command": "SetEmission", "on": True})
            receive_message(second)
            return ["a proof was taken twice"]
    return []


def _crowd(scene: Scene) -> Sequence[str]:
    """Fill the door with connections that say nothing, and with more than it takes."""
    with ExitStack() as opened:
        for _ in range(CROWD):
            with suppress(OSError):
                opened.enter_context(scene.stranger())
        time.sleep(2.5)  # longer than a stranger is waited for
        return scene.honest()


def _knows(fields: Fields, scene: Scene) -> Sequence[str]:
    """Ask, with the token, for what no script may."""
    with connect() as engine:
        engine._calls.call(fields)
    return [f"was taken: {fields}"]


def _mode(scene: Scene) -> Sequence[str]:
    if os.name != "posix" or scene.door.token_file is None:
        return []
    mode = stat.S_IMODE(scene.door.token_file.stat().st_mode)
    return [f"{scene.door.token_file}: {mode:o}"] if mode & 0o077 else []


def _elsewhere(scene: Scene) -> Sequence[str]:
    """Check whether it listens at more than the loopback."""
    names = {str(place[4][0]) for place in socket.getaddrinfo(socket.gethostname(), None)}
    signs = []
    for name in names - {HOST}:
        if not name.startswith(("127.", "::1")):
            with suppress(OSError), socket.create_connection((name, scene.port), 1.0):
                signs.append(f"it listens at {name}")
    return signs


def _placed(scene: Scene) -> Sequence[str]:
    """Put a link where the next token is written."""
    path = token_file(scene.port)
    target = path.with_name("elsewhere")
    scene.door.close()
    target.write_text("")
    path.symlink_to(target)
    scene.door = Door(scene.port, scene._answer, scene._make_safe)
    read = read_token(path).token == scene.door.address.token
    return [] if read and not target.read_text() else ["the token was written elsewhere"]


FORBIDDEN: dict[str, Fields] = {
    "a folder": {"command": "Train", "out": "/tmp"},
    "an archive": {"command": "Connect", "bench": "mock", "calibrations": "/tmp"},
    "a hand's answer": {"command": "HandDone", "number": 1, "done": True},
    "a key that is not known": {"command": "Stop", "now": True},
}
"""What nobody may ask for, by name."""
ATTEMPTS = [
    *(
        Attempt(f"door: a stranger says {name}", partial(_attempt, partial(_says, content)))
        for name, content in {
            "a pickle": struct.pack(">I", 900) + pickle.dumps(Canary()),
            "HTTP": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n{}",
            "four gigabytes": b"\xff\xff\xff\xff",
            "an empty greeting": struct.pack(">I", 2) + b"{}",
            "a proof of nothing": struct.pack(">I", 26) + b'{"nonce":"","proof":null} ',
            "deep nesting": struct.pack(">I", 1000) + b"[" * 1000,
        }.items()
    ),
    *(
        Attempt(f"door: token {name}", partial(_attempt, partial(_guesses, token)))
        for name, token in {
            "empty": "",
            "zeros": "0" * 64,
            "None": "None",
            "long": "a" * 10**6,
        }.items()
    ),
    Attempt("door: a greeting repeated", partial(_attempt, _repeats)),
    Attempt("door: a crowd that says nothing", partial(_attempt, _crowd)),
    *(
        Attempt(f"door: with the token, {name}", partial(_attempt, partial(_knows, fields)))
        for name, fields in FORBIDDEN.items()
    ),
    Attempt("door: the token's file", partial(_attempt, _mode)),
    Attempt("door: other addresses of this computer", partial(_attempt, _elsewhere)),
    Attempt("door: a link in the token's place", partial(_attempt, _placed)),
]
