"""A bench file written from emulated devices opens: screen, pylon's emulator, a laser of pyvisa-sim."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.discovery import instruments
from drivers.discovery.search import BACK_ENDS
from labdiff.config.bench import load_bench
from tests.contracts.screens import offscreen
from tests.contracts.visa_rooms import simulated
from tests.support.command_line import labdiff


def test_the_file_of_emulated_devices_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pypylon", reason="pypylon is not installed")
    library = simulated()
    monkeypatch.setenv("PYLON_CAMEMU", "1")
    monkeypatch.setenv(instruments.VISA_LIBRARY, library)
    monkeypatch.setenv("LABDIFF_LIBRARIES", library)
    ends = {name: BACK_ENDS[name] for name in ("pylon", "monitors", "visa")}
    monkeypatch.setattr("drivers.discovery.search.all_back_ends", lambda: ends)
    with offscreen(tmp_path, (60, 90), monkeypatch):
        common = ("init", "bench.toml", "--from-devices", "--timeout", "60")
        refused = labdiff(*common, cwd=tmp_path)
        assert refused.returncode == 2 and "2 devices could be the laser" in refused.stderr
        done = labdiff(*common, "--use", "ASRL1", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        config = load_bench(str(tmp_path / "bench.toml"))
        assert (config.slm.driver, config.slm.shape) == ("screen", (60, 90))
        assert (config.camera.driver, config.camera.serial) == ("basler", "0815-0000")
        assert (config.camera.shape, config.camera.bit_depth) == ((4096, 4096), 12)
        assert (config.laser.driver, config.laser.address) == ("scpi_laser", "ASRL1::INSTR")
        checked = labdiff("bench", "check", "bench.toml", "--dark", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for line in ("laser: Mock Lasers", "slm.shape = [60, 90], as it is", "camera: Basler"):
        assert line in checked.stdout
