"""Our server of slmPy's protocol: what it takes, whom it lets go of, and how it ends."""

from __future__ import annotations

import signal
import struct
import subprocess
import sys
import threading
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceValueError,
)
from drivers.settings import SlmSettings
from drivers.slm import slmpy_server
from drivers.slm.level_encoding import VideoOptions
from drivers.slm.slmpy import SlmPy
from drivers.slm.slmpy_tcp import SlmPyConnection
from tests.contracts.peers import served
from tests.contracts.screens import offscreen
from tests.contracts.visa_rooms import GEOMETRY

SHAPE = GEOMETRY.panel_shape
Pixels = npt.NDArray[np.integer[Any]]


@pytest.mark.parametrize(
    "message",
    [
        struct.pack("=i", -1),
        struct.pack("=i", 1 << 30),
        struct.pack("=i", 5) + b"\xff\xff\xff\xff\xff",
        struct.pack("=i", len(zlib.compress(bytes(10)))) + zlib.compress(bytes(10)),
        # A bomb: a hundred megabytes in a hundred kilobytes is too long, and cut off where it is not.
        struct.pack("=i", len(zlib.compress(bytes(2_000_000)))) + zlib.compress(bytes(2_000_000)),
    ],
    ids=["negative", "huge", "no zlib", "small", "bomb"],
)
def test_our_slmpy_server_takes_pictures_of_its_size_alone(message: bytes) -> None:
    pictures: list[Pixels] = []
    with served(pictures.append) as port:
        client = SlmPyConnection("127.0.0.1", port)
        assert client._socket is not None
        client._socket.sendall(message)
        assert client._socket.recv(16) == b"err"
        client.close()
        again = SlmPyConnection("127.0.0.1", port)
        again.show(np.ones(SHAPE, np.uint8))
        again.close()
    assert len(pictures) == 1


def test_our_slmpy_server_lets_go_of_who_hangs_and_its_port_is_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slmpy_server, "PATIENCE_S", 0.5)
    monkeypatch.setattr(slmpy_server, "POLL_S", 0.02)
    pictures: list[Pixels] = []
    with served(pictures.append) as port:
        half = SlmPyConnection("127.0.0.1", port)
        assert half._socket is not None
        half._socket.sendall(struct.pack("=i", 1000) + b"half")
        assert half._socket.recv(16) == b"", "it hung up"
        half.close()
        again = SlmPyConnection("127.0.0.1", port)
        again.show(np.zeros(SHAPE, np.uint8))
        again.close()
        with pytest.raises(DeviceNotFoundError, match=f"127.0.0.1:{port}"):
            slmpy_server.SlmPyServer(pictures.append, SHAPE, port=port)


def test_a_slow_client_of_our_slmpy_server_keeps_nobody_waiting_and_the_slm_has_one_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slmpy_server, "PATIENCE_S", 60.0)
    pictures: list[Pixels] = []
    with served(pictures.append) as port:
        slow = [SlmPyConnection("127.0.0.1", port) for _ in range(2 * slmpy_server.MOST_CLIENTS)]
        for number, client in enumerate(slow):
            assert client._socket is not None
            with suppress(OSError):  # those that came first had to go
                client._socket.sendall(b"" if number % 2 else struct.pack("=i", 100) + b"dr")
        owner = SlmPyConnection("127.0.0.1", port)
        owner.show(np.ones(SHAPE, np.uint8))
        other = SlmPyConnection("127.0.0.1", port)
        with pytest.raises(DeviceValueError, match="refused"):
            other.show(np.zeros(SHAPE, np.uint8))
        owner.show(np.ones(SHAPE, np.uint8))
        owner.close()
        for _ in range(600):  # until the server has seen that the owner left
            with suppress(DeviceValueError):
                other.show(np.zeros(SHAPE, np.uint8))
                break
            threading.Event().wait(0.1)
        for client in (*slow, other):
            client.close()
    assert [int(picture[0, 0]) for picture in pictures] == [1, 1, 0]


def test_our_slmpy_server_lets_go_of_who_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then is no progress: the picture has a deadline as a whole."""
    monkeypatch.setattr(slmpy_server, "PATIENCE_S", 0.3)
    with served(lambda grey: None) as port:
        drips = SlmPyConnection("127.0.0.1", port)
        assert drips._socket is not None
        drips._socket.sendall(struct.pack("=i", 1000))
        drips._socket.settimeout(0.02)
        for _ in range(3000):
            try:
                drips._socket.sendall(b"x")
                if not drips._socket.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            pytest.fail("it never hung up")
        drips.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no Ctrl-C for one process on Windows")
def test_the_command_serves_a_monitor_until_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with offscreen(tmp_path, SHAPE, monkeypatch):
        command = ["-m", "labdiff", "slm", "serve", "--monitor", "panel", "--port", "0"]
        with subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, text=True
        ) as program:
            assert program.stdout is not None
            said = program.stdout.readline()
            assert "64 x 160 pixels at 127.0.0.1:" in said
            slm = SlmPy.from_settings(
                SlmSettings(SHAPE, 9.2, said.split(" at ")[1].strip(), VideoOptions())
            )
            slm.set_phase(np.ones(SHAPE))
            slm.close()
            program.send_signal(signal.SIGINT)
            assert program.wait(30.0) == 0


def test_a_panel_that_goes_ends_our_slmpy_server_and_its_client_hears_of_it() -> None:
    def gone(grey: Pixels) -> None:
        raise DeviceDisconnectedError("SLM monitor panel: its window has ended")

    server = slmpy_server.SlmPyServer(gone, SHAPE, port=0)
    heard: list[BaseException] = []

    def show() -> None:
        client = SlmPyConnection("127.0.0.1", server.port)
        try:
            client.show(np.zeros(SHAPE, np.uint8))
        except DeviceError as error:
            heard.append(error)
        client.close()

    client = threading.Thread(target=show)
    client.start()
    with pytest.raises(DeviceDisconnectedError, match="window has ended"):
        server.serve()
    client.join()
    server.close()
    assert isinstance(heard[0], DeviceValueError)
