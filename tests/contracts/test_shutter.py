"""A shutter in front of a laser: by lines of text, by hand, and what is safe of both together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drivers.errors import DeviceError, DeviceValueError, LaserMayBeOnError
from drivers.operator import HandRequest, operated_by
from drivers.protocols import Laser, Shutter
from drivers.registry import SHUTTERS
from drivers.settings import ShutterSettings
from drivers.shutter.line_shutter import LineShutter, LineShutterOptions
from drivers.shutter.shuttered_laser import ShutteredLaser
from labdiff.bench.open import open_bench
from labdiff.config.bench import bench_text, parse_bench
from labdiff.errors import UserError
from mock_hardware.visa.line import TcpLine
from tests.contracts.line_dialects import DIALECTS, DialectLaser, opened


@dataclass
class Blade:
    """A shutter's own side. words: for closed and open. stuck: it does not move."""

    open: bool = True
    stuck: bool = False
    words: tuple[str, str] = ("CLOSED", "OPEN")
    orders: list[str] = field(default_factory=list)

    def speak(self, received: bytes) -> tuple[list[bytes], bytes]:
        *lines, rest = received.split(b"\n")
        answers = []
        for line in (line.decode().strip() for line in lines):
            self.orders.append(line)
            if line in ("OPEN", "CLOSE") and not self.stuck:
                self.open = line == "OPEN"
            answer = {"*IDN?": "Blade 1", "STATE?": self.words[self.open]}.get(line)
            if answer is not None:
                answers.append(answer.encode() + b"\n")
        return answers, rest


@contextmanager
def shutter_of(blade: Blade, **options: object) -> Iterator[Shutter]:
    given = LineShutterOptions(**{"timeout_ms": 200, "move_ms": 1.0, **options})  # type: ignore[arg-type]
    with TcpLine(blade.speak) as line:
        yield LineShutter.from_settings(ShutterSettings(line.address, given))


def test_it_is_closed_before_anything_is_asked_and_follows_orders() -> None:
    blade = Blade()
    with shutter_of(blade) as shutter:
        assert isinstance(shutter, Shutter) and shutter.name == "shutter Blade 1"
        assert blade.orders[0] == "CLOSE" and not blade.open
        for wanted in (True, False, True):
            shutter.is_open = wanted
            assert blade.open is wanted and shutter.is_open is wanted
        shutter.send_close()
        assert not shutter.is_open
        shutter.is_open = True
        shutter.close()
        shutter.close()
    assert not blade.open


def test_one_that_reports_nothing_is_taken_at_its_order() -> None:
    blade = Blade()
    with shutter_of(blade, ask_state="") as shutter:
        shutter.is_open = True
        assert shutter.is_open
        shutter.close()
        while len(blade.orders) < 5:  # what nobody asks about arrives a little later
            time.sleep(0.001)
    assert blade.orders == ["CLOSE", "*IDN?", "CLOSE", "OPEN", "CLOSE"]


def test_one_that_sticks_or_is_not_understood_is_no_closed_one() -> None:
    with pytest.raises(LaserMayBeOnError, match="STAYS OPEN"), shutter_of(Blade(stuck=True)):
        pass
    strange = Blade(words=("ZU", "AUF"))
    misunderstood = pytest.raises(DeviceError, match=r"'ZU', which is neither .*closed_answers")
    with misunderstood, shutter_of(strange):
        pass
    with pytest.raises(DeviceValueError, match="none may be in both"):
        LineShutterOptions(open_answers=("1",), closed_answers=("1",))


def test_light_is_switched_by_the_shutter_and_off_is_for_both() -> None:
    dialect = DIALECTS["plain"]
    truth, blade = DialectLaser(dialect), Blade()
    with TcpLine(truth.speak) as line, opened(dialect, line) as inner, shutter_of(blade) as shutter:
        laser = ShutteredLaser(inner, shutter)
        assert isinstance(laser, Laser) and laser.line is not None
        laser.emission = True
        assert truth.on and blade.open and laser.emission
        laser.emission = False
        assert truth.on and not blade.open and not laser.emission, "it stays warm"
        laser.emission = True
        laser.send_off()
        assert not laser.emission
        assert not shutter.is_open and not inner.emission
        laser.emission = True
        laser.close()
        assert not truth.on and not blade.open


def test_a_beam_block_is_moved_by_a_person() -> None:
    asked: list[HandRequest] = []
    willing = True

    def person(request: HandRequest) -> bool:
        asked.append(request)
        return willing

    driver = SHUTTERS.find("manual")
    with operated_by(person):
        shutter = driver.from_settings(ShutterSettings("", driver.Options()))
        shutter.is_open = True
        willing = False
        with pytest.raises(LaserMayBeOnError, match="refused"):
            shutter.is_open = False
        assert shutter.is_open
        willing = True
        shutter.close()
        shutter.close()
    assert [request.device for request in asked] == ["shutter"] * 4


def test_the_bench_files_shutter_switches_the_benchs_light(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((256, 320), np.uint16)).save(tmp_path / "1.png")
    dialect = DIALECTS["plain"]
    truth, blade = DialectLaser(dialect), Blade()
    text = bench_text("mock")[1]
    with pytest.raises(UserError, match="a simulated laser has none"):
        open_bench(parse_bench(f'{text}\n[shutter]\ndriver = "manual"\n', "b"), 0)
    text = text.replace(
        'driver = "mock"\nshape = [256, 320]',
        f"driver = \"folder\"\noptions.image_folder = '{tmp_path}'\nshape = [256, 320]",
        1,
    )
    with TcpLine(truth.speak) as line, TcpLine(blade.speak) as other:
        text = text.replace(
            '[laser]\ndriver = "mock"',
            f'[laser]\ndriver = "scpi_laser"\naddress = "{line.address}"',
            1,
        )
        text += f'\n[shutter]\ndriver = "line"\naddress = "{other.address}"\n'
        with open_bench(parse_bench(text, "bench.toml"), 0) as bench:
            assert truth.on and blade.open
            bench.laser.emission = False
            assert truth.on and not blade.open
            bench.laser.emission = True
        assert not truth.on and not blade.open
        assert "shutter Blade 1" in bench.laser.name
