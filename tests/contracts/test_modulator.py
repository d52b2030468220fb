"""What every input modulator promises."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceValueError,
)
from drivers.modulator.dmd_alp import DmdAlp, DmdAlpOptions, thresholds
from drivers.modulator.slm_patch import SlmPatch
from drivers.protocols import InputModulator
from drivers.settings import InputSettings
from mock_hardware.laboratory import MockLaboratory
from tests.contracts.c_stubs import alp
from tests.contracts.visa_rooms import DMD_GEOMETRY, GEOMETRY

MIRRORS = (48, 64)
FIELD = (10, 12)


def opened(folder: Path, serial: str = "", **more: object) -> DmdAlp:
    options = DmdAlpOptions(library=str(folder), **more)  # type: ignore[arg-type]
    return DmdAlp.from_settings(InputSettings(FIELD, serial, options))


@pytest.fixture(params=["slm_patch", "mock dmd", "dmd_alp"])
def modulator(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[InputModulator]:
    if request.param == "slm_patch":
        yield SlmPatch(MockLaboratory.create(GEOMETRY, seed=1).slm, 16, 10, (32, 32))
    elif request.param == "mock dmd":
        found = MockLaboratory.create(DMD_GEOMETRY, seed=1).dmd
        assert found is not None
        yield found
    else:
        library = alp(tmp_path)
        yield opened(tmp_path)
        assert not library.stub_open() and not library.stub_in_memory(), "it lets go"


def test_input_modulator(modulator: InputModulator) -> None:
    assert isinstance(modulator, InputModulator) and modulator.name
    field = np.linspace(0.0, 1.0, modulator.shape[0] * modulator.shape[1]).reshape(modulator.shape)
    assert modulator.show(field) + 1 == modulator.show(field[::-1])
    for wrong in (field[1:], np.full(modulator.shape, np.nan)):
        with pytest.raises(DeviceValueError):
            modulator.show(wrong)
    if modulator.has_trigger_output:
        first = modulator.show(field)
        period_ms = 2.0 * modulator.timing.total_ms
        fields = np.stack([field, field[::-1], field])
        assert modulator.show_sequence(fields, period_ms) == [first + 1, first + 2, first + 3]
        with pytest.raises(DeviceValueError, match="at least"):
            modulator.show_sequence(fields, 0.5 * modulator.timing.total_ms)
        with pytest.raises(DeviceValueError, match="outside 0"):
            modulator.show(2.0 * field)
    else:
        with pytest.raises(DeviceStateError, match="plays no sequences"):
            modulator.show_sequence(field[None], 100.0)
    modulator.close()
    modulator.close()
    if modulator.has_trigger_output:
        with pytest.raises(DeviceStateError):
            modulator.show(field)


def picture(library: ctypes.CDLL, number: int = 0) -> npt.NDArray[np.uint8]:
    packed = np.ctypeslib.as_array(library.stub_picture(number), (MIRRORS[0], MIRRORS[1] // 8))
    return np.unpackbits(packed, axis=1)


def test_every_mirror_of_a_field_is_as_asked(tmp_path: Path) -> None:
    library = alp(tmp_path)
    dmd = opened(tmp_path, "11223", superpixel=4)
    assert "11223" in dmd.name and not picture(library).any()
    field = np.random.default_rng(0).uniform(0.0, 1.0, FIELD)
    dmd.show(field)
    stood = picture(library)
    assert library.stub_repeats() == 0, "it stays"
    top, left = (48 - 40) // 2, (64 - 48) // 2
    inside = stood[top : top + 40, left : left + 48]
    assert stood.sum() == inside.sum(), "dark around"
    shares = inside.reshape(10, 4, 12, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(shares, np.rint(field * 16) / 16)
    dmd.show(np.ones(FIELD))
    assert picture(library).sum() == 40 * 48
    dmd.close()
    assert not picture(library).any()


def test_a_sequence_lies_on_the_board_and_triggers(tmp_path: Path) -> None:
    library = alp(tmp_path)
    dmd = opened(tmp_path, superpixel=2, top=1, left=3, synch="low")
    fields = np.random.default_rng(1).integers(0, 5, (5, *FIELD)) / 4.0
    dmd.show_sequence(fields, 25.0)
    assert library.stub_pictures() == 5 and library.stub_time_us() == 25_000
    assert library.stub_repeats() == 1 and library.stub_synch() == 2007
    for number, field in enumerate(fields):
        np.testing.assert_array_equal(picture(library, number), dmd.mirrors(field))
    assert picture(library)[1:21, 3:27].sum() == picture(library).sum()
    for _ in range(20):
        dmd.show(fields[0])
    assert library.stub_in_memory() == 1, "what was shown before is freed"
    dmd.close()


def test_a_full_memory_is_no_pulled_cable(tmp_path: Path) -> None:
    library = alp(tmp_path)
    dmd = opened(tmp_path)
    library.stub_memory(6)
    fields = np.ones((6, *FIELD))
    dmd.show_sequence(fields, 25.0)
    dmd.show_sequence(fields, 25.0)
    assert library.stub_pictures() == 6, "what stood was given up for it"
    with pytest.raises(DeviceValueError, match=r"memory is not available .*show fewer fields"):
        dmd.show_sequence(np.ones((7, *FIELD)), 25.0)
    dmd.show(fields[0])
    assert library.stub_pictures() == 1
    dmd.close()
    library.stub_memory(1000)


def test_mirrors_switch_on_one_by_one_and_scattered() -> None:
    order = thresholds(4)
    np.testing.assert_array_equal(np.sort(order, axis=None), np.arange(16))
    rows, columns = np.nonzero(order < 2)
    apart = np.abs(np.diff([rows, columns], axis=1)).ravel()
    assert (np.minimum(apart, 4 - apart) == 2).all(), "the second one is farthest from the first"


def test_a_dmd_that_is_not_there_taken_or_pulled_is_said(tmp_path: Path) -> None:
    library = alp(tmp_path)
    with pytest.raises(
        DeviceNotFoundError,
        match="in use by another program.*The specified ALP has not|ready",
    ):
        opened(tmp_path, "999")
    library.stub_take(1)
    with pytest.raises(
        DeviceNotFoundError,
        match="another program \\(EasyProj\\): The specified ALP device is already",
    ):
        opened(tmp_path)
    library.stub_take(0)
    with pytest.raises(DeviceValueError, match="do not fit on its 48 x 64 mirrors"):
        opened(tmp_path, superpixel=8)
    assert not library.stub_open()
    with pytest.raises(DeviceValueError, match="serial number"):
        opened(tmp_path, "first")
    dmd = opened(tmp_path)
    library.stub_remove(1)
    with pytest.raises(DeviceDisconnectedError, match="has been removed; check power and USB"):
        dmd.show(np.ones(FIELD))
    dmd.close()
    with pytest.raises(DeviceNotFoundError, match="does not load.*install ViALUX's ALP"):
        opened(tmp_path / "elsewhere")
    with pytest.raises(DeviceValueError, match="superpixel"):
        DmdAlpOptions(superpixel=0)
