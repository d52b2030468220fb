"""The power meter beside a bench: read with the state, left alone for a while after it has failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.errors import DeviceTimeoutError
from drivers.types import Timing
from labdiff.bench.check_devices import check_devices
from labdiff.config.bench import MeterConfig, bench_text, parse_bench
from labdiff.config.libraries import named_libraries
from labdiff.engine.commands import Connect, SetEmission, SetPower
from labdiff.engine.meter_reader import AGAIN_S, MeterReader
from labdiff.engine.status import BenchState, ErrorReport
from tests.support.played_commands import Desk

MOCK_METER = '\n[meter]\ndriver = "mock"\n'


class Meter:
    """A meter that answers as long as it is to."""

    def __init__(self) -> None:
        self.opened = self.closed = 0
        self.answers = True
        self.wavelength_nm = 850.0

    def open(self) -> Meter:
        self.opened += 1
        return self

    @property
    def name(self) -> str:
        return "test meter"

    @property
    def timing(self) -> Timing:
        return Timing(0.0, 3.0)

    def read_mw(self) -> float:
        if not self.answers:
            raise DeviceTimeoutError("test meter: no answer")
        return 4.5

    def close(self) -> None:
        self.closed += 1


def with_meter(tmp_path: Path, section: str = MOCK_METER) -> Path:
    path = tmp_path / "bench.toml"
    path.write_text(
        bench_text("mock-small")[1].replace("\n[retries]", f"{section}\n[retries]"), "utf-8"
    )
    return path


def test_a_simulated_meter_reads_what_the_laser_emits(tmp_path: Path) -> None:
    connect = Connect(str(with_meter(tmp_path)), calibrations=tmp_path)
    desk = Desk().play(connect, SetPower(6.0), SetEmission(True), SetPower(6.0))
    assert not desk.of(ErrorReport)
    powers = desk.setting("meter", "power")
    assert powers[0] == 0.0, "dark"
    assert powers[-1] == pytest.approx(6.0, rel=0.1)
    kinds = [d.kind for d in desk.of(BenchState)[0].devices]
    assert kinds == ["slm", "camera", "laser", "meter"]


def test_a_meter_that_fails_says_why_and_is_opened_again_later() -> None:
    meter, now = Meter(), [0.0]
    reader = MeterReader(MeterConfig(driver="pm100"), meter.open, lambda: now[0])
    state = reader.state()
    assert state.connected and [(s.name, s.actual, s.unit) for s in state.settings] == [
        ("power", 4.5, "mW"),
        ("wavelength", 850.0, "nm"),
    ]
    meter.answers = False
    silent = reader.state()
    assert not silent.connected and "no answer" in silent.problem and meter.closed == 1
    meter.answers, now[0] = True, AGAIN_S - 1.0
    assert not reader.state().connected, "it is left alone: waiting for it would hold frames up"
    now[0] = AGAIN_S
    assert reader.state().connected and meter.opened == 2
    reader.close()
    reader.close()
    assert meter.closed == 2


def test_a_wrong_section_is_refused_and_its_library_is_to_be_confirmed(tmp_path: Path) -> None:
    unknown = with_meter(tmp_path, '\n[meter]\ndriver = "pm1000"\naddress = "USB0"\n')
    desk = Desk().play(Connect(str(unknown)))
    assert "meter.driver" in desk.of(ErrorReport)[0].message
    text = with_meter(
        tmp_path,
        '\n[meter]\ndriver = "pm100"\naddress = "USB0"\noptions.library = "evil.so"\n'
        '\n[shutter]\ndriver = "line"\naddress = "ASRL1"\noptions.library = "evil.so@ivi"\n',
    ).read_text("utf-8")
    keys = [library.key for library in named_libraries(parse_bench(text, "bench"))]
    assert keys == ["shutter.options.library", "meter.options.library"]


def test_a_check_of_the_devices_names_the_meter(tmp_path: Path) -> None:
    config = parse_bench(with_meter(tmp_path).read_text("utf-8"), "bench")
    assert [f.device for f in check_devices(config)][-1] == "meter"
