"""What every SLM promises, whatever shows it; and every pixel of it, where it can be looked at."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from drivers.errors import (
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
)
from drivers.phase_quantiser import PhaseQuantiser
from drivers.protocols import SLM
from drivers.settings import SlmSettings
from drivers.slm.level_encoding import VideoOptions
from drivers.slm.meadowlark import Meadowlark, MeadowlarkOptions
from drivers.slm.screen import Screen
from drivers.slm.slmpy import SlmPy
from drivers.slm.slmsuite import SlmsuiteOptions, SlmsuiteSlm
from mock_hardware.laboratory import MockLaboratory
from tests.contracts.c_stubs import BLINK_HEADERS, blink
from tests.contracts.peers import SlmPyServer, served
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
                SlmSettings(SHAPE, 9.2, f"127.0.0.1:{server.port}", VideoOptions())
            )
            yield Shown(found, lambda: server.pictures[-1])
            found.close()
    elif name == "slmpy, our server":
        pictures: list[Pixels] = []
        with served(pictures.append) as port:
            found = SlmPy.from_settings(
                SlmSettings(SHAPE, 9.2, f"127.0.0.1:{port}", VideoOptions())
            )
            yield Shown(found, lambda: pictures[-1])
            found.close()
    elif name == "slmpy, our server, screen under Xvfb":
        with x_server(tmp_path, SHAPE, monkeypatch):
            screen = Screen.from_settings(SlmSettings(SHAPE, 9.2, "panel", VideoOptions()))
            with served(screen.set_grey) as port:
                found = SlmPy.from_settings(
                    SlmSettings(SHAPE, 9.2, f"127.0.0.1:{port}", VideoOptions())
                )
                yield Shown(found, on_x)
                found.close()
            screen.close()
    elif name == "slmpy, in process":
        package = ModuleType("slmpy")
        package.SLMdisplay = TheirWindow  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "slmpy", package)
        found = SlmPy.from_settings(SlmSettings(SHAPE, 9.2, "monitor:1", VideoOptions()))
        yield Shown(found, lambda: TheirWindow.pictures[-1])
    elif name == "screen":
        with offscreen(tmp_path, SHAPE, monkeypatch):
            screen = Screen.from_settings(SlmSettings(SHAPE, 9.2, "panel", VideoOptions()))
            yield Shown(screen, None)
            screen.close()
    elif name == "screen under Xvfb":
        with x_server(tmp_path, SHAPE, monkeypatch):
            screen = Screen.from_settings(SlmSettings(SHAPE, 9.2, "panel", VideoOptions()))
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
