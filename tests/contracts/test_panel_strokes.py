"""Voltages that are uploaded or refused, and panels whose stroke is short of 2 pi."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest

from calibration.phase_response import missing_share
from drivers.errors import DeviceValueError
from drivers.phase_quantiser import PhaseQuantiser
from drivers.settings import SlmSettings
from drivers.slm.slmsuite import SlmsuiteOptions, SlmsuiteSlm
from labdiff.bench.check_devices import CheckFinding, check_devices
from labdiff.bench.openers import slm_opener
from labdiff.config.bench import BenchConfig, bench_text, parse_bench
from labdiff.errors import UserError

SHAPE = (80, 224)
TURN_RAD = 2.0 * np.pi


class Maker:
    """Stands in for slmsuite's class of a maker. given: the arguments it was made with."""

    given: ClassVar[dict[str, Any]] = {}
    shape, bitdepth, name = SHAPE, 8, "panel"

    def __init__(self, **arguments: Any) -> None:
        Maker.given = arguments

    def close(self) -> None:
        pass


@pytest.fixture
def makers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in (("meadowlark", "Meadowlark"), ("santec", "Santec")):
        module = ModuleType(name)
        module.__dict__[kind] = Maker
        monkeypatch.setitem(sys.modules, f"slmsuite.hardware.slms.{name}", module)
    for package in ("slmsuite", "slmsuite.hardware", "slmsuite.hardware.slms"):
        monkeypatch.setitem(sys.modules, package, ModuleType(package))


def through_slmsuite(maker: str, lut: Path) -> SlmsuiteSlm:
    options = SlmsuiteOptions(voltage_lut=str(lut))
    return SlmsuiteSlm.from_settings(SlmSettings(SHAPE, 9.2, maker, options))


@pytest.mark.usefixtures("makers")
def test_voltages_are_uploaded_where_the_makers_library_does_it(tmp_path: Path) -> None:
    lut = tmp_path / "slm5758_at850.lut"
    lut.write_text("0 0\n", encoding="ascii")
    through_slmsuite("meadowlark", lut)
    assert Maker.given == {"lut_path": str(lut)}
    with pytest.raises(DeviceValueError, match="there is no such file"):
        through_slmsuite("meadowlark", tmp_path / "gone.lut")
    with pytest.raises(
        DeviceValueError, match=r"santec uploads none; load it with the maker's own"
    ):
        through_slmsuite("santec", lut)


def with_options(driver: str, options: str) -> BenchConfig:
    text = bench_text("mock-small")[1].replace("[input]", f"[slm.options]\n{options}\n\n[input]", 1)
    section = text.index("[slm]")
    own = text[section:].replace('driver = "mock"', f'driver = "{driver}"\naddress = "x"', 1)
    return parse_bench(text[:section] + own, "bench.toml")


@pytest.mark.parametrize(
    ("driver", "words"),
    [
        ("screen", "load it with the maker's own program once"),
        ("slmpy", "name the phase response that goes with it in slm.options.lut"),
        ("meadowlark", "its key is lut"),
    ],
)
def test_a_driver_that_uploads_no_voltages_says_how_they_get_there(driver: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        slm_opener(with_options(driver, 'voltage_lut = "a.lut"'))


def test_ten_bits_over_the_network_are_refused_with_what_takes_them() -> None:
    with pytest.raises(DeviceValueError, match=r'one byte a pixel; .*slm\.driver = "screen"'):
        slm_opener(with_options("slmpy", 'encoding = "santec"'))()
    with pytest.raises(UserError, match=r"encoding = 'rgb': 'rgb' is not understood; expected"):
        slm_opener(with_options("screen", 'encoding = "rgb"'))


def of_slm(config: BenchConfig) -> list[CheckFinding]:
    return [finding for finding in check_devices(config) if finding.device == "slm"]


def test_the_check_of_a_bench_says_that_a_declared_stroke_is_short_of_two_pi() -> None:
    simulated, short = of_slm(with_options("mock", "two_pi_level = 320"))
    assert simulated.level == "note"
    assert short.level == "warning"
    assert "its stroke is 1.59 pi, short of 2 pi: 20% of all phases" in short.message
    assert "Layers are trained with the phases that there are" in short.remedy
    assert [each.level for each in of_slm(with_options("mock", "two_pi_level = 219"))] == ["note"]


@pytest.mark.parametrize(("share", "missing"), [(1.0, 0.0), (1.1, 0.0), (0.995, 0.0), (0.8, 0.2)])
def test_a_step_between_two_levels_is_nothing_that_is_missing(share: float, missing: float) -> None:
    phases = np.arange(256) * (share * TURN_RAD / 256.0)
    assert missing_share(phases) == pytest.approx(missing, abs=0.005)


def test_levels_beyond_a_short_stroke_are_never_asked_for() -> None:
    table = np.linspace(0.0, 0.8 * TURN_RAD, 256)
    wanted = np.linspace(-TURN_RAD, 2.0 * TURN_RAD, 5000, dtype=np.float32)
    shown = PhaseQuantiser(8, table).realised(wanted)
    assert shown.min() >= 0.0
    assert shown.max() <= 0.8 * TURN_RAD + 1e-5
    apart = np.abs(np.angle(np.exp(1j * (shown - wanted))))
    inside = np.mod(wanted, TURN_RAD) < 0.8 * TURN_RAD
    assert apart[inside].max() < 0.02
    assert apart.max() < 0.1 * TURN_RAD + 0.02, "the nearer end"
