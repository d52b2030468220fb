"""The SLM window: pixels, owners, monitors, and what happens when somebody dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Client
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import typer
from PySide6.QtWidgets import QApplication
from typer.testing import CliRunner

import labdiff.cli.slm
from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceValueError,
)
from drivers.settings import SlmSettings
from drivers.slm.level_encoding import VideoOptions
from drivers.slm.screen import Screen
from drivers.slm.window_files import place, socket_address
from drivers.slm.window_link import WindowLink, list_monitors, running_windows
from labdiff.cli.main import guarded
from tests.contracts.screens import DESK, ended, offscreen, x_pixels, x_server

SHAPE = (64, 160)
DIES = """
import os, numpy as np
from drivers.slm.screen import Screen
from drivers.slm.level_encoding import VideoOptions
from drivers.settings import SlmSettings
settings = SlmSettings((64, 160), 8.0, "panel", VideoOptions())
Screen.from_settings(settings).set_grey(np.full((64, 160), 77))
os._exit(1)
"""


@pytest.fixture
def two_monitors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with offscreen(tmp_path, SHAPE, monkeypatch):
        yield


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, SHAPE)


def on_the_panel() -> np.ndarray:
    """Grey levels there; every other pixel of the screen must be black."""
    pixels = x_pixels()
    assert (pixels == pixels[..., :1]).all(), "grey levels only"
    assert not pixels[:, : DESK[1]].any(), "the primary monitor is left alone"
    return pixels[: SHAPE[0], DESK[1] :, 0]


def eventually_gone(screen: Screen, words: str) -> None:
    """The next patterns are refused in these words, as soon as the window has heard of it."""
    with pytest.raises(DeviceDisconnectedError, match=words):
        for _ in range(200):
            screen.set_grey(noise())


@pytest.mark.parametrize("factor", ["1", "1.5"])
def test_every_pixel_at_any_scale_factor(
    factor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_SCALE_FACTOR", factor)
    with x_server(tmp_path, SHAPE, monkeypatch):
        screen = Screen.from_settings(SlmSettings(SHAPE, 8.0, "panel", VideoOptions()))
        assert not on_the_panel().any(), "flat until the first pattern"
        before = time.monotonic()
        screen.set_grey(noise())
        swap = screen.last_swap
        assert swap is not None and swap.pattern == 1
        assert before <= swap.copied_s <= swap.time_s <= time.monotonic()
        np.testing.assert_array_equal(on_the_panel(), noise())
        subprocess.run([sys.executable, "-c", DIES], check=False, capture_output=True)
        np.testing.assert_array_equal(on_the_panel(), noise())
        screen.set_phase(np.pi * np.eye(*SHAPE))
        np.testing.assert_array_equal(on_the_panel(), 128 * np.eye(*SHAPE))
        screen.close()
        assert not on_the_panel().any(), "closed in good order: flat"
        subprocess.run([sys.executable, "-c", DIES], check=False)
        assert (on_the_panel() == 77).all(), "its owner died"
        again = Screen.from_settings(SlmSettings(SHAPE, 8.0, "panel", VideoOptions()))
        assert "left by" in again.taken_over and (on_the_panel() == 77).all()
        again.close()


@pytest.mark.slow
@pytest.mark.usefixtures("two_monitors")
def test_a_pattern_that_nobody_takes_over_is_flattened() -> None:
    subprocess.run([sys.executable, "-c", DIES], check=False)
    (state,) = running_windows()
    pixels = np.fromfile(place(state.ticket, "pixels"), np.uint8)
    pixels = pixels[: SHAPE[0] * SHAPE[1]]
    assert (pixels == 77).all(), "what the owner wrote; the window keeps a copy of its own"
    visitor = WindowLink(state)
    stands = ""
    while not stands.startswith("flat"):
        time.sleep(0.05)
        stands = str(visitor.ask("status")["stands"])
    visitor.close()
    assert "after it was left by" in stands


def test_a_monitor_that_goes_or_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with x_server(tmp_path, SHAPE, monkeypatch):
        screen = Screen.from_settings(SlmSettings(SHAPE, 8.0, "panel", VideoOptions()))
        subprocess.run(["xrandr", "--delmonitor", "panel"], check=True)
        eventually_gone(screen, "unplugged")
        assert not x_pixels().any(), "the window does not move to another monitor"
        ended()
        assert running_windows() == []
        with pytest.raises(DeviceDisconnectedError, match="unplugged"):
            screen.set_grey(noise())
        screen.close()


def test_a_monitor_that_becomes_the_primary(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_ENABLE_HIGHDPI_SCALING", "0")
    from drivers.slm.qt.monitors import describe
    from drivers.slm.qt.process import watch

    told: list[str] = []
    screen = qapp.primaryScreen()
    watch(qapp, screen, describe(screen), SimpleNamespace(fail=told.append))  # type: ignore[arg-type]
    qapp.primaryScreenChanged.emit(screen)
    assert "it is the primary monitor" in told[0]
    screen.geometryChanged.emit(screen.geometry())
    assert len(told) == 2


@pytest.mark.usefixtures("two_monitors")
def test_one_owner_at_a_time() -> None:
    with_pattern = Screen.from_settings(SlmSettings(SHAPE, 8.0, "panel", VideoOptions()))
    with_pattern.set_grey(noise())
    with pytest.raises(DeviceNotFoundError, match=r"in use by .*process \d+"):
        Screen.from_settings(SlmSettings(SHAPE, 8.0, "name=panel", VideoOptions()))
    (state,) = running_windows()
    visitor = WindowLink(state)
    with pytest.raises(DeviceNotFoundError, match="in use by"):
        visitor.ask("flat")
    with pytest.raises(DeviceValueError, match="not understood"):
        visitor.ask("dance")
    with_pattern.close()
    with pytest.raises(DeviceStateError, match="owner"):
        visitor.ask("show")
    assert visitor.ask("status")["stands"] == "flat"
    visitor.close()
    with pytest.raises(DeviceValueError, match="160 x 64 pixels and the SLM 160 x 60"):
        Screen.from_settings(SlmSettings((60, 160), 8.0, "panel", VideoOptions()))
    stranger = Client(socket_address(state.ticket))
    stranger.send_bytes(b'{"key": "guessed"}')
    with pytest.raises(EOFError):
        stranger.recv_bytes()
    stranger.close()


@pytest.mark.usefixtures("two_monitors")
def test_strangers_at_the_windows_socket_get_nothing_and_keep_nobody_out() -> None:
    screen = Screen.from_settings(SlmSettings(SHAPE, 8.0, "panel", VideoOptions()))
    (state,) = running_windows()
    address = socket_address(state.ticket)
    nested, wrong = b"[" * 4000, json.dumps({"key": "\u00fc" * 32}).encode()
    strangers = []
    for hello in (nested, wrong, b"\xff", b"[]", b'{"key": 1}', b"x" * 10_000):
        stranger = Client(address)
        stranger.send_bytes(hello)
        assert stranger.poll(60.0)
        with pytest.raises((EOFError, OSError)):
            stranger.recv_bytes()
    for _ in range(2 * 32):  # they say nothing
        with suppress(OSError):
            strangers.append(Client(address))
    screen.set_grey(noise())
    for stranger in strangers:
        stranger.close()
    for _ in range(600):  # until their places are free
        with suppress(DeviceNotFoundError, DeviceDisconnectedError):
            visitor = WindowLink(state)
            assert str(visitor.ask("status")["stands"]).startswith("a pattern of")
            visitor.close()
            break
        time.sleep(0.1)
    else:
        pytest.fail("the places were never free again")
    screen.close()


@pytest.mark.usefixtures("two_monitors")
def test_what_a_dead_owner_left_is_reported_and_made_flat() -> None:
    subprocess.run([sys.executable, "-c", DIES], check=False)
    app = typer.Typer()
    labdiff.cli.slm.register(app)

    def said(*words: str) -> str:
        return CliRunner().invoke(app, ["slm", *words]).output

    assert "panel: left by -c, process" in said("status") and "by nobody" in said("status")
    assert said("flat", "-m", "panel") == "panel: flat\n"
    assert "panel: flat; in use by nobody" in said("status")
    assert said("close") == "panel: flat, and closed\n"
    assert guarded(lambda: labdiff.cli.slm._flat("panel")) == 2


@pytest.mark.usefixtures("two_monitors")
def test_a_window_that_dies() -> None:
    screen = Screen.from_settings(SlmSettings(SHAPE, 8.0, "panel", VideoOptions()))
    (state,) = running_windows()
    os.kill(state.pid, signal.SIGTERM)
    eventually_gone(screen, "window has ended")
    assert running_windows() == []
    screen.close()
    with pytest.raises(DeviceStateError):
        screen.set_grey(noise())


@pytest.mark.usefixtures("two_monitors")
def test_monitors_that_can_not_carry_an_slm() -> None:
    desk, panel = list_monitors()
    assert desk.primary and not panel.primary and panel.shape == SHAPE
    assert list_monitors(identify_s=0.1) == [desk, panel]
    for address, shape, kind, words in (
        ("desk", DESK, DeviceValueError, "primary"),
        ("panel", (60, 160), DeviceValueError, "160 x 64 pixels and the SLM 160 x 60"),
        ("elsewhere", SHAPE, DeviceNotFoundError, "Monitors now: desk, the primary; panel"),
        ("colour=red", SHAPE, DeviceValueError, "not understood"),
    ):
        with pytest.raises(kind, match=words):
            Screen.from_settings(SlmSettings(shape, 8.0, address, VideoOptions()))
    assert running_windows() == []


def test_a_magnified_monitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        offscreen(tmp_path, SHAPE, monkeypatch, ratio=2.0),
        pytest.raises(DeviceValueError, match="magnifies it by 2"),
    ):
        Screen.from_settings(SlmSettings((128, 320), 8.0, "panel", VideoOptions()))


def test_no_display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABDIFF_RUNTIME", str(tmp_path))
    monkeypatch.setenv("QT_QPA_PLATFORM", "nowhere")
    with pytest.raises(DeviceNotFoundError, match="no display"):
        list_monitors()
    with pytest.raises(DeviceNotFoundError, match="did not start"):
        Screen.from_settings(SlmSettings(SHAPE, 8.0, "panel", VideoOptions()))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("two_monitors")
def test_ten_bits_go_to_the_colours_that_the_panel_reads() -> None:
    settings = SlmSettings(SHAPE, 8.0, "panel", VideoOptions("santec"))
    screen = Screen.from_settings(settings)
    assert screen.bit_depth == 10
    levels = np.random.default_rng(1).integers(0, 1024, SHAPE)
    screen.set_grey(levels)
    (state,) = running_windows()
    red, green, blue = np.moveaxis(
        np.fromfile(place(state.ticket, "pixels"), np.uint8).reshape(*SHAPE, 3), 2, 0
    ).astype(int)
    assert (((red >> 5) << 7) + ((green >> 5) << 4) + (blue >> 4) == levels).all()
    with pytest.raises(DeviceValueError, match=r"outside 0 \.\.\. 1023"):
        screen.set_grey(np.full(SHAPE, 1024))
    screen.close()
    eight = Screen.from_settings(SlmSettings(SHAPE, 8.0, "panel", VideoOptions()))
    eight.set_grey(noise())
    eight.close()
