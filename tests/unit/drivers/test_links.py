"""Connections that answer late, wrongly, or not at all."""

from __future__ import annotations

import socket
import sys
from types import ModuleType

import numpy as np
import pytest

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
)
from drivers.settings import SlmSettings
from drivers.slm.level_encoding import VideoOptions
from drivers.slm.slmpy import SlmPy
from drivers.slm.slmpy_tcp import SlmPyConnection
from tests.contracts.peers import SlmPyServer

SHAPE = (24, 32)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_every_pixel_arrives_at_slmpys_server() -> None:
    grey = np.random.default_rng(0).integers(0, 256, SHAPE)
    with SlmPyServer(SHAPE) as server:
        slm = SlmPy.from_settings(
            SlmSettings(SHAPE, 9.2, f"127.0.0.1:{server.port}", VideoOptions())
        )
        slm.set_grey(grey.astype(float))
        slm.set_phase(np.full(SHAPE, np.pi))
        slm.close()
        np.testing.assert_array_equal(server.pictures[0], grey)
        assert (server.pictures[1] == 128).all()
        assert (server.pictures[2] == 0).all(), "flat before it lets go"


def test_a_wrong_size_is_refused_by_the_server_and_said() -> None:
    with SlmPyServer((10, 10)) as server:
        slm = SlmPy.from_settings(
            SlmSettings(SHAPE, 9.2, f"127.0.0.1:{server.port}", VideoOptions())
        )
        with pytest.raises(DeviceValueError, match="24 x 32 pixels; does slm.shape match"):
            slm.set_phase(np.zeros(SHAPE))
        with pytest.raises(DeviceValueError):
            slm.close()


def test_silence_is_a_timeout_and_the_line_is_not_used_again() -> None:
    with SlmPyServer(SHAPE, silent=True) as server:
        connection = SlmPyConnection("127.0.0.1", server.port, timeout_s=0.05)
        with pytest.raises(DeviceTimeoutError):
            connection.show(np.zeros(SHAPE, np.uint8))
        with pytest.raises(DeviceStateError):
            connection.show(np.zeros(SHAPE, np.uint8))


def test_a_server_that_goes_away_is_a_disconnection() -> None:
    with SlmPyServer(SHAPE, broken=True) as server:
        connection = SlmPyConnection("127.0.0.1", server.port)
        with pytest.raises(DeviceDisconnectedError):
            connection.show(np.zeros(SHAPE, np.uint8))


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        ("127.0.0.1:{port}", DeviceNotFoundError, "is slmPy's server running there"),
        ("127.0.0.1:many", DeviceValueError, 'expected "host", "host:port"'),
        ("monitor:one", DeviceValueError, "monitor:number"),
        ("monitor:1", DeviceNotFoundError, "GitHub repository"),
    ],
)
def test_an_slm_that_is_not_there_is_said(address: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        SlmPy.from_settings(
            SlmSettings(SHAPE, 9.2, address.format(port=free_port()), VideoOptions())
        )


def test_pypis_slmpy_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "slmpy", ModuleType("slmpy"))
    with pytest.raises(DeviceNotFoundError, match="unrelated package; pip uninstall slmpy"):
        SlmPy.from_settings(SlmSettings(SHAPE, 9.2, "monitor:1", VideoOptions()))
