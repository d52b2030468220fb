"""What every SLM promises, whatever shows it; and every pixel of it, where it can be looked at."""

from __future__ import annotations

import ctypes
import signal
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
)
from drivers.phase_quantiser import PhaseQuantiser
from drivers.protocols import SLM
from drivers.settings import NoOptions, SlmSettings
from drivers.slm import slmpy_server
from drivers.slm.meadowlark import Meadowlark, MeadowlarkOptions
from drivers.slm.screen import Screen
from drivers.slm.slmpy import SlmPy
from drivers.slm.slmpy_tcp import SlmPyConnection
from drivers.slm.slmsuite import SlmsuiteOptions, SlmsuiteSlm
from mock_hardware.laboratory import MockLaboratory
from tests.contracts.c_stubs import BLINK_HEADERS, blink
from tests.contracts.peers import SlmPyServer
from tests.contracts.screens import DESK, offscreen, x_pixels, x_server
from tests.contracts.visa_rooms import GEOMETRY

SHAPE = GEOMETRY.panel_shape
Pixels = npt.NDArray[np.integer[Any]]
BACK_ENDS = (
    "mock",
    "slmpy, their server",
    "slmpy, our server",
    "slmpy, our server, screen under Xvfb",
    "slmpy, in process",
    "screen",
    "screen under Xvfb",
    "slmsuite",
    *(f"meadowlark {generation}" for generation in BLINK_HEADERS),
)


@dataclass
class Shown:
    """look: what stands on the panel, (height, width); None where nobody can see."""

    slm: SLM
    look: Callable[[], Pixels] | None


@contextmanager
def served(show: slmpy_server.Show, shape: tuple[int, int] = SHAPE) -> Iterator[int]:
    """Our server on a thread; its port."""
    server = slmpy_server.SlmPyServer(show, shape, port=0)
    stop = threading.Event()
    thread = threading.Thread(target=server.serve, args=(stop.is_set,), daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        stop.set()
        thread.join(10.0)
        server.close()


class TheirWindow:
    """slmPy's SLMdisplay, as far as its README tells."""

    pictures: list[Pixels] = []  # noqa: RUF012

    def __init__(self, monitor: int, isImageLock: bool) -> None:
        assert monitor == 1 and isImageLock

    def getSize(self) -> tuple[int, int]:
        return SHAPE[1], SHAPE[0]

    def updateArray(self, grey: Pixels) -> None:
        self.pictures.append(grey)

    def close(self) -> None:
        pass


def on_x() -> Pixels:
    found = x_pixels()[: SHAPE[0], DESK[1] : DESK[1] + SHAPE[1]]
    assert (found == found[..., :1]).all(), "grey in all three colours"
    return found[..., 0]


@pytest.fixture(params=BACK_ENDS)
def shown(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Shown]:
    name: str = request.param
    if name == "mock":
        yield Shown(MockLaboratory.create(GEOMETRY, seed=1).slm, None)
    elif name == "slmpy, their server":
        with SlmPyServer(SHAPE) as server:
            found = SlmPy.from_settings(
                SlmSettings(SHAPE, 9.2, f"127.0.0.1:{server.port}", NoOptions())
            )
            yield Shown(found, lambda: server.pictures[-1])
            found.close()
    elif name == "slmpy, our server":
        pictures: list[Pixels] = []
        with served(pictures.append) as port:
            found = SlmPy.from_settings(SlmSettings(SHAPE, 9.2, f"127.0.0.1:{port}", NoOptions()))
            yield Shown(found, lambda: pictures[-1])
            found.close()
    elif name == "slmpy, our server, screen under Xvfb":
        with x_server(tmp_path, SHAPE, monkeypatch):
            screen = Screen.from_settings(SlmSettings(SHAPE, 9.2, "panel", NoOptions()))
            with served(screen.set_grey) as port:
                found = SlmPy.from_settings(
                    SlmSettings(SHAPE, 9.2, f"127.0.0.1:{port}", NoOptions())
                )
                yield Shown(found, on_x)
                found.close()
            screen.close()
    elif name == "slmpy, in process":
        package = ModuleType("slmpy")
        package.SLMdisplay = TheirWindow  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "slmpy", package)
        found = SlmPy.from_settings(SlmSettings(SHAPE, 9.2, "monitor:1", NoOptions()))
        yield Shown(found, lambda: TheirWindow.pictures[-1])
    elif name == "screen":
        with offscreen(tmp_path, SHAPE, monkeypatch):
            screen = Screen.from_settings(SlmSettings(SHAPE, 9.2, "panel", NoOptions()))
            yield Shown(screen, None)
            screen.close()
    elif name == "screen under Xvfb":
        with x_server(tmp_path, SHAPE, monkeypatch):
            screen = Screen.from_settings(SlmSettings(SHAPE, 9.2, "panel", NoOptions()))
            yield Shown(screen, on_x)
            screen.close()
    elif name == "slmsuite":
        yield Shown(*through_slmsuite())
    else:
        library = blink(name.removeprefix("meadowlark "), tmp_path)
        panel = Meadowlark.from_settings(
            SlmSettings(SHAPE, 9.2, "board:1", MeadowlarkOptions(str(tmp_path)))
        )
        yield Shown(panel, lambda: stood(library))
        panel.close()
        assert not library.stub_open() and not library.stub_power()


def stood(library: ctypes.CDLL) -> Pixels:
    return np.ctypeslib.as_array(library.stub_panel(), SHAPE).copy()


def through_slmsuite() -> tuple[SlmsuiteSlm, Callable[[], Pixels]]:
    pytest.importorskip("slmsuite", reason="slmsuite is not installed: pip install slmsuite")
    found = SlmsuiteSlm.from_settings(SlmSettings(SHAPE, 9.2, "simulated", SlmsuiteOptions()))
    display: Any = found._display
    return found, lambda: display.slm.display


def test_slm(shown: Shown) -> None:
    slm, rng = shown.slm, np.random.default_rng(0)
    assert isinstance(slm, SLM) and slm.name and slm.shape == SHAPE and slm.bit_depth == 8
    assert slm.pixel_pitch_um == 9.2 and slm.timing.total_ms > 0.0
    first = slm.set_phase(np.full(slm.shape, 20.0))
    assert slm.reported_pattern in (None, 0), "what was sent is not what is shown"
    grey = rng.integers(0, 256, SHAPE)
    assert slm.set_grey(grey.astype(float)) == first + 1
    if shown.look is not None:
        np.testing.assert_array_equal(shown.look(), grey)
    phase = rng.uniform(-10.0, 10.0, SHAPE)
    lut = np.linspace(0.0, 7.0, 256) ** 1.05
    for table in (None, lut):
        slm.set_lut(table)
        slm.set_phase(phase)
        if shown.look is not None:
            np.testing.assert_array_equal(shown.look(), PhaseQuantiser(8, table)(phase))
    for wrong in (np.zeros((3, 3)), np.full(slm.shape, np.nan)):
        with pytest.raises(DeviceValueError):
            slm.set_phase(wrong)
    for wrong in (np.full(SHAPE, 256.0), np.full(SHAPE, -1.0)):
        with pytest.raises(DeviceValueError, match="outside 0"):
            slm.set_grey(wrong)
    with pytest.raises(DeviceValueError, match=r"shape \(255,\); needs 256"):
        slm.set_lut(lut[1:])
    slm.close()
    slm.close()
    with pytest.raises(DeviceStateError):
        slm.set_phase(np.zeros(slm.shape))


@pytest.mark.parametrize("generation", BLINK_HEADERS)
def test_blinks_lut_triggers_and_sizes(generation: str, tmp_path: Path) -> None:
    library = blink(generation, tmp_path)

    def opened(shape: tuple[int, int] = SHAPE, board: str = "board:1", **more: Any) -> Meadowlark:
        options = MeadowlarkOptions(str(tmp_path), trigger_timeout_ms=50, **more)
        return Meadowlark.from_settings(SlmSettings(shape, 9.2, board, options))

    with pytest.raises(DeviceValueError, match=r"64 x 160 pixels; slm\.shape says 32 x 32"):
        opened((32, 32))
    with pytest.raises(DeviceValueError, match='expected "board:1"'):
        opened(board="first")
    with pytest.raises(DeviceValueError, match="there is no such file"):
        opened(lut=str(tmp_path / "none.lut"))
    for name in ("slm4711.lut", "picture.bmp"):
        (tmp_path / name).write_text("0 0\n", encoding="utf-8")
    with pytest.raises(DeviceValueError, match=r"picture\.bmp'?: refused"):
        opened(lut=str(tmp_path / "picture.bmp"))
    assert not library.stub_open(), "whatever fails lets the SDK go"
    if generation.startswith("hdmi"):
        with pytest.raises(DeviceValueError, match="no trigger input or output"):
            opened(output_pulse=True)
        return
    slm = opened(lut=str(tmp_path / "slm4711.lut"), wait_for_trigger=True, output_pulse=True)
    before = library.stub_pulses()
    slm.set_phase(np.zeros(SHAPE))
    assert library.stub_waits() == 1 and library.stub_pulses() == before + 1
    library.stub_no_trigger(1)
    with pytest.raises(DeviceTimeoutError, match="not shown in 50 ms: no trigger came"):
        slm.set_phase(np.zeros(SHAPE))
    library.stub_no_trigger(0)
    slm.close()
    library.stub_boards(0)
    with pytest.raises(DeviceNotFoundError, match="finds 0; is it switched on"):
        opened()


def test_a_blink_sdk_that_is_missing_unknown_or_none_is_said(tmp_path: Path) -> None:
    options = MeadowlarkOptions(str(tmp_path))
    with pytest.raises(DeviceNotFoundError, match=r"no .*Blink_C_wrapper.* install Meadowlark's"):
        Meadowlark.from_settings(SlmSettings(SHAPE, 9.2, "board:1", options))
    blink("pcie 8", tmp_path)
    header = tmp_path / "Blink_C_wrapper.h"
    header.write_text("void Create_SDK(int a, int b, int c);", encoding="utf-8")
    with pytest.raises(DeviceNotFoundError, match="takes 3 arguments, Write_image 0"):
        Meadowlark.from_settings(SlmSettings(SHAPE, 9.2, "board:1", options))
    header.unlink()
    with pytest.raises(DeviceNotFoundError, match="shows which generation"):
        Meadowlark.from_settings(SlmSettings(SHAPE, 9.2, "board:1", options))


def test_slmsuites_mistakes_are_said() -> None:
    with pytest.raises(DeviceValueError, match="slmsuite's drivers are hamamatsu, holoeye"):
        SlmsuiteSlm.from_settings(SlmSettings(SHAPE, 9.2, "holoey", SlmsuiteOptions()))
    pytest.importorskip("slmsuite", reason="slmsuite is not installed: pip install slmsuite")
    with pytest.raises(DeviceNotFoundError, match="arguments are not right"):
        SlmsuiteSlm.from_settings(
            SlmSettings(SHAPE, 9.2, "simulated", SlmsuiteOptions({"size": 3}))
        )
    with pytest.raises(DeviceValueError, match=r"slm\.shape says 64 x 160"):
        wrong = SlmsuiteOptions({"resolution": (10, 20)})
        SlmsuiteSlm.from_settings(SlmSettings(SHAPE, 9.2, "simulated", wrong))
    with pytest.raises(DeviceNotFoundError, match="slmsuite holoeye"):
        SlmsuiteSlm.from_settings(SlmSettings(SHAPE, 9.2, "holoeye", SlmsuiteOptions()))


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
                SlmSettings(SHAPE, 9.2, said.split(" at ")[1].strip(), NoOptions())
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
