"""The door for scripts: who gets in, what is read, and the safe state past everything."""

from __future__ import annotations

import json
import os
import socket
import stat
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from drivers.types import Roi
from labdiff.api.connecting import ConnectedEngine, connect
from labdiff.config.training import TrainingOptions
from labdiff.engine import commands as ask
from labdiff.engine.door import Answer, Door
from labdiff.engine.door_commands import RUN_FOLDER, decode, encode
from labdiff.engine.door_messages import (
    ClosedError,
    Message,
    is_proof,
    proof,
    receive_message,
    send_message,
)
from labdiff.engine.door_token import HOST, DoorAddress, read_token, served_here, token_file
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest


class Served:
    """A door, what came through it, and what holds its answers back."""

    def __init__(self) -> None:
        self.came: list[ask.Command] = []
        self.made_safe = threading.Event()
        self.answers = threading.Event()
        self.answers.set()
        self.door = Door(0, self.answer, self.made_safe.set)

    @property
    def address(self) -> str:
        return f"{HOST}:{self.door.address.port}"

    def answer(self, message: Message) -> Answer:
        if message.fields.get("command") != "SafeState":
            self.answers.wait()
        self.came.append(decode(message.fields, message.arrays))
        return {}, []

    def stranger(self) -> socket.socket:
        return socket.create_connection((HOST, self.door.address.port), 10.0)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("LABDIFF_RUNTIME", str(tmp_path))
    monkeypatch.delenv("LABDIFF_TOKEN", raising=False)
    made = Served()
    yield made
    made.answers.set()
    made.door.close()


COMMANDS = (
    ask.Connect("mock", 3),
    ask.SetExposure(1.5),
    ask.SetRoi(Roi(1, 2, 3, 4)),
    ask.SetRoi(None),
    ask.SetEmission(True),
    ask.SetLive(True),
    ask.Calibrate(("registration",), check=True),
    ask.ShowPhase(None),
    ask.Generate(GenerationRequest(Path("runs/a/run.h5"), 4, sampler={"sampler_steps": 5})),
    ask.Train(TrainingOptions(batch=9, classes=(1, 2)), RUN_FOLDER, Path("pretrained")),
    ask.Stop(),
)


def test_a_command_arrives_as_it_was_sent(served: Served) -> None:
    with connect() as engine:
        for command in COMMANDS:
            engine._send(command)
        engine.show(np.arange(6.0).reshape(2, 3))
    assert tuple(served.came[:-1]) == COMMANDS
    shown = served.came[-1]
    assert isinstance(shown, ask.ShowPhase) and shown.phase_rad is not None
    assert np.array_equal(shown.phase_rad, np.arange(6.0, dtype=np.float32).reshape(2, 3))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "command: is missing"),
        ({"command": "Quit"}, "'Quit': is not known"),
        ({"command": "HandDone", "number": 1, "done": True}, "is not known"),
        ({"command": "SetPower", "power_mw": "50"}, "power_mw = '50'"),
        ({"command": "SetPower"}, "power_mw"),
        ({"command": "SetPower", "power_mw": 1e999}, "not finite"),
        ({"command": "SetEmission", "on": 1}, "on = 1"),
        ({"command": "SetLive", "on": True, "frames_per_s": 0}, "'frames_per_s' is not known"),
        ({"command": "Connect", "bench": "mock", "calibrations": "/tmp"}, "'calibrations'"),
        ({"command": "Train", "out": "/etc"}, "'out' is not known"),
        ({"command": "Train", "options": {"batch": -1}}, "batch = -1"),
        ({"command": "Generate", "bench": "x.toml"}, "'bench' is not known"),
        ({"command": "Generate", "guidance": 99.0}, "guidance"),
        ({"command": "ShowInput"}, "takes one array"),
    ],
)
def test_what_is_not_understood_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(UserError) as refused:
        decode(fields, ())
    assert message in str(refused.value)


def test_arrays_are_pictures_of_finite_numbers() -> None:
    for array in (np.zeros(3), np.zeros((2, 2, 2)), np.full((2, 2), np.nan)):
        with pytest.raises(UserError):
            decode({"command": "ShowPhase"}, [array])
    with pytest.raises(UserError, match="takes no array"):
        decode({"command": "Stop"}, [np.zeros((2, 2))])
    with pytest.raises(UserError, match="no script"):
        encode(ask.Quit())


def test_a_refusal_reaches_the_script_and_the_next_call_works(served: Served) -> None:
    with connect() as engine:
        with pytest.raises(UserError, match="is not known"):
            engine._calls.call({"command": "Format disk"})
        engine.set_exposure(2.0)
    assert served.came == [ask.SetExposure(2.0)]


def test_the_token_is_this_accounts_alone(served: Served) -> None:
    path = token_file(served.door.address.port)
    assert read_token(path) == served.door.address == served_here()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    served.door.close()
    assert not path.exists()
    with pytest.raises(UserError, match="labdiff gui --serve"):
        connect()


@pytest.mark.parametrize("token", ["guessed", "0" * 64, "é"])
def test_who_does_not_know_the_token_reaches_nothing(served: Served, token: str) -> None:
    with pytest.raises(UserError, match="does not take this token"):
        connect(served.address, token=token)
    assert not served.came and not served.made_safe.is_set()


def test_a_proof_of_another_connection_does_not_count(served: Served) -> None:
    token = served.door.address.token
    with served.stranger() as first, served.stranger() as second:
        nonce = str(receive_message(first).fields["nonce"])
        receive_message(second)
        send_message(second, {"nonce": "a", "proof": proof(token, "client", (nonce, "a"))})
        with pytest.raises(ClosedError):
            receive_message(second)


@pytest.mark.parametrize(
    "content",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">I", 1 << 31),
        struct.pack(">I", 4) + b"null",
        struct.pack(">I", 900) + b"[" * 900,
        struct.pack(">I", 3) + b"\x80\x04N",
    ],
)
def test_strangers_messages_end_their_connection_alone(served: Served, content: bytes) -> None:
    with connect() as engine, served.stranger() as stranger:
        receive_message(stranger)
        stranger.sendall(content)
        with pytest.raises(ClosedError):
            receive_message(stranger)
        engine.stop()
    assert served.came == [ask.Stop()]


@pytest.mark.parametrize(
    "arrays",
    [
        [{"dtype": "|O", "shape": [1]}],
        [{"dtype": "<f8", "shape": [1 << 40]}],
        [{"dtype": "<f8", "shape": [-1]}],
        [{"dtype": "<f8", "shape": [True]}],
        [{"dtype": "<f8", "shape": [1] * 9}],
        [{"dtype": "<f4", "shape": [0]}] * 9,
        {"dtype": "<f8"},
        [7],
    ],
)
def test_arrays_that_are_not_taken_are_not_read(served: Served, arrays: object) -> None:
    ours, theirs = socket.socketpair()
    header = json.dumps({"command": "Stop", "arrays": arrays}).encode()
    with ours, theirs:
        ours.sendall(struct.pack(">I", len(header)) + header)
        with pytest.raises(UserError, match="array"):
            receive_message(theirs)


def test_the_safe_state_waits_for_no_call(served: Served) -> None:
    served.answers.clear()
    with connect() as engine:
        waiting = threading.Thread(target=engine.stop)
        waiting.start()
        engine.make_safe()
        assert served.made_safe.is_set() and waiting.is_alive()
        served.answers.set()
        waiting.join()


def test_a_server_that_does_not_know_the_token_gets_no_command(tmp_path: Path) -> None:
    listening = socket.create_server((HOST, 0))
    came: list[object] = []

    def pretend() -> None:
        connection, _ = listening.accept()
        with connection:
            send_message(connection, {"labdiff": 1, "nonce": "a"})
            came.append(receive_message(connection).fields)
            send_message(connection, {"proof": "0" * 64})
            with pytest.raises(ClosedError):
                receive_message(connection)

    pretending = threading.Thread(target=pretend)
    pretending.start()
    with listening, pytest.raises(UserError, match="does not know the window's token"):
        ConnectedEngine(HOST, listening.getsockname()[1], "secret")
    pretending.join()
    assert "secret" not in str(came)


def test_an_address_is_host_and_port(served: Served) -> None:
    for address in ("7431", "127.0.0.1:x", ":1"):
        with pytest.raises(UserError, match="expected HOST:PORT"):
            connect(address, token="a")
    with pytest.raises(UserError, match="no window answers"):
        connect("127.0.0.1:1", token="a")
    with connect(served.address, token=served.door.address.token) as engine:
        engine.stop()
    assert isinstance(served.door.address, DoorAddress) and not is_proof(None, "a")
