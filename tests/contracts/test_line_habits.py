"""Lasers on lines that repeat, confirm, number and decorate what they say: set and read values agree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.errors import DeviceError, DeviceValueError, LaserMayBeOnError
from drivers.laser.profile import profile_of_file, shipped_profile
from drivers.registry import LASER_PROFILES, LASERS
from drivers.settings import LaserSettings
from labdiff.bench import bench_safety
from mock_hardware.visa.line import TcpLine
from tests.contracts.line_dialects import DIALECTS, WORDS, Dialect, DialectLaser, opened
from tests.contracts.test_piece_by_piece import folder_camera, written
from tests.support.command_line import labdiff


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return DIALECTS[request.param]


def test_set_and_read_values_agree_in_every_dialect(dialect: Dialect) -> None:
    truth = DialectLaser(dialect)
    truth.on = True
    with TcpLine(truth.speak) as line, opened(dialect, line) as laser:
        first = next(order for order in truth.orders if "\n" not in order)
        assert first == dialect.off and not truth.on
        laser.power_mw = 20.0
        assert truth.power_w == pytest.approx(0.02)
        assert laser.power_mw == pytest.approx(20.0)
        for emits in (True, False, True):
            laser.emission = emits
            assert truth.on is emits and laser.emission is emits
        laser.send_off()
        assert laser.emission is False and not truth.on
        laser.emission = True
        laser.close()
        assert not truth.on


def test_a_state_that_nobody_understands_is_no_safe_state() -> None:
    speaks = Dialect(states=("EMISSION OFF", "EMISSION ON"))
    with (
        TcpLine(DialectLaser(speaks).speak) as line,
        pytest.raises(
            LaserMayBeOnError, match=r"'EMISSION OFF', which is neither ON .*options\.on"
        ),
    ):
        opened(speaks, line).__enter__()


def test_an_off_order_that_is_not_obeyed_is_said() -> None:
    speaks = Dialect(options=WORDS, states=("EMISSION OFF", "EMISSION ON"))
    truth = DialectLaser(speaks)
    with TcpLine(truth.speak) as line, opened(speaks, line, switch_off="OUTPUT OFF") as laser:
        laser.emission = True
        with pytest.raises(LaserMayBeOnError, match="STILL EMITS"):
            laser.emission = False
        assert truth.on
        with pytest.raises(LaserMayBeOnError, match="STILL EMITS"):
            laser.close()


def test_a_power_that_is_not_taken_is_said() -> None:
    speaks = Dialect(power="POW ")
    with (
        TcpLine(DialectLaser(speaks).speak) as line,
        opened(speaks, line) as laser,
        pytest.raises(DeviceError, match="was set to 20 mW and reads 10 mW; check set_power"),
    ):
        laser.power_mw = 20.0


@pytest.mark.parametrize("word", ["NAN", "INF", "9.9 A", "lots"])
def test_what_is_no_power_is_said(word: str) -> None:
    class Odd(DialectLaser):
        def _answer(self, meaning: str) -> str:
            return word if meaning == "power" else super()._answer(meaning)

    with (
        TcpLine(Odd(Dialect()).speak) as line,
        opened(Dialect(), line) as laser,
        pytest.raises(DeviceError, match=r"which is no number|answers in 'A'; known are W"),
    ):
        _ = laser.power_mw


def test_errors_of_the_program_before_are_no_errors_of_this_one() -> None:
    old = ['-113,"Undefined header"', '-222,"Data out of range"']

    class WithOldErrors(DialectLaser):
        def _answer(self, meaning: str) -> str:
            return old.pop() if meaning == "error" and old else super()._answer(meaning)

    with TcpLine(WithOldErrors(Dialect()).speak) as line, opened(Dialect(), line) as laser:
        laser.power_mw = 20.0
        assert not old


@pytest.fixture
def own_file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "ours.toml"
    path.write_text(
        'title = "Our laser"\n[options]\non = ["EMISSION ON"]\noff = ["EMISSION OFF"]\n',
        encoding="utf-8",
    )
    yield path


def test_a_laboratory_describes_its_laser_in_a_file(own_file: Path) -> None:
    truth = DialectLaser(Dialect(states=("EMISSION OFF", "EMISSION ON")))
    driver = LASERS.find("profile")
    with TcpLine(truth.speak) as line:
        options = driver.Options(file=str(own_file))
        laser = driver.from_settings(LaserSettings(line.address, 850.0, options))
        laser.emission = True
        assert truth.on
        laser.close()
        assert not truth.on


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("options = 3", "options: expected are title"),
        ("colour = 1", "colour: expected are title"),
        ("[options]\nbaud = 9600", r"options: baud: unknown key; did you mean 'baud_rate'"),
        ('[options]\nparity = "odder"', r"options: parity = 'odder'"),
        ('[options]\non = ["0"]', "none may be in both"),
        ("[options", "cannot be read as TOML"),
    ],
)
def test_a_wrong_file_is_said_with_its_name(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeviceValueError, match=words) as caught:
        profile_of_file(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", LASER_PROFILES)
def test_every_shipped_description_says_where_its_commands_come_from(name: str) -> None:
    profile = shipped_profile(name)
    assert profile.title and profile.source
    assert LASERS.find(name).Options() == LASERS.find(name).Options(**vars(profile.dialect))


@pytest.mark.parametrize("command", [("calibrate", "--bench"), ("bench", "check", "--dark")])
def test_a_command_that_cannot_confirm_the_laser_dark_says_so_last(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_safety, "_MAY_BE_ON", {})
    with TcpLine(DialectLaser(Dialect(states=("EMISSION OFF", "EMISSION ON"))).speak) as line:
        laser = f'driver = "scpi_laser"\naddress = "{line.address}"\noptions.timeout_ms = 400'
        written(tmp_path, 'driver = "none"', folder_camera(tmp_path), laser)
        done = labdiff(*command, "bench.toml", cwd=tmp_path)
    assert done.returncode == 3
    last = done.stderr.splitlines()[-1]
    assert last.startswith("labdiff: the laser may be ON: laser scpi_laser TCPIP::")
    assert last.endswith("switch it off by hand")
