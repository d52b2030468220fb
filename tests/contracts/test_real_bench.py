"""A bench file of real drivers, each on its emulator or peer: it opens, shows, and closes safe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drivers.errors import DeviceNotFoundError
from labdiff.bench.open import open_bench
from labdiff.config.bench import parse_bench
from labdiff.errors import UserError
from mock_hardware.visa.instruments import scpi_laser
from tests.contracts.c_stubs import alp
from tests.contracts.peers import SlmPyServer
from tests.contracts.visa_rooms import room

SHAPE = (64, 160)
BENCH = """
name = "real"
[source]
wavelength_nm = 850.0
waist_mm = 0.2
[cavity]
z_gap_mm = 5.7
patch_shape = [10, 12]
patch_top = 16
patch_lefts = [10, 60, 110]
[slm]
driver = "slmpy"
shape = [64, 160]
pixel_pitch_um = 9.2
address = "127.0.0.1:{slm}"
[input]
kind = "dmd"
driver = "dmd_alp"
options.library = '{alp}'
options.superpixel = 4
[camera]
driver = "basler"
shape = [4096, 4096]
pixel_pitch_um = 3.45
bit_depth = {bits}
exposure_ms = 2.0
[relay]
magnification = 0.6
[laser]
driver = "scpi_laser"
power_mw = 20.0
address = "{laser}"
options.ask_interlock = "LOCK?"
[retries]
tries = 1
reconnects = 0
"""


def test_a_bench_of_real_drivers_opens_shows_and_closes_safe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = alp(tmp_path)
    monkeypatch.setenv("LABDIFF_LIBRARIES", str(tmp_path))
    monkeypatch.setenv("PYLON_CAMEMU", "1")
    with SlmPyServer(SHAPE) as slm, room(scpi_laser) as there:
        laser = there.laboratory.laser
        text = BENCH.format(slm=slm.port, alp=tmp_path, bits=8, laser=there.address)
        with open_bench(parse_bench(text, "real.toml"), 0) as bench:
            assert laser.emission and laser.power_mw == pytest.approx(20.0)
            assert bench.dmd is not None
            assert bench.declared.dmd == bench.dmd.timing, "who orders them knows the DMD's"
            bench.show(np.zeros((3, 10, 12)))
            bench.dmd.show(np.ones((10, 12)))
            assert library.stub_pictures() == 1
            assert bench.camera.get_frame().pixels.shape == (4096, 4096)
        assert not laser.emission and not library.stub_open() and not slm.pictures[-1].any()
        with pytest.raises(
            UserError, match=r"input\.options: superpixels: unknown key; did you mean"
        ):
            open_bench(parse_bench(text.replace("superpixel", "superpixels"), "real.toml"), 0)
        with pytest.raises(UserError, match=r"laser\.options: ask_interlok: unknown key"):
            open_bench(parse_bench(text.replace("ask_interlock", "ask_interlok"), "real.toml"), 0)
        library.stub_take(1)
        with pytest.raises(DeviceNotFoundError, match="in use"):
            open_bench(parse_bench(text, "real.toml"), 0)
        assert not laser.emission, "what was opened before is closed again"
