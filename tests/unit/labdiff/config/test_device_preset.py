"""Presets: readable files, validated on reading, that lead to no other file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from labdiff.config.device_preset import (
    DevicePreset,
    Window,
    delete_preset,
    preset_folder,
    preset_names,
    read_pattern,
    read_preset,
    write_preset,
)
from labdiff.errors import UserError

FULL = DevicePreset(
    bench='lab "two"',
    exposure_ms=1.25,
    gain_db=-3.0,
    power_mw=0.0,
    pattern="file",
    roi=Window(top=1, left=2, height=30, width=40),
)
NOTHING = np.zeros((1, 1))


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABDIFF_CONFIG", str(tmp_path / "settings"))


def test_a_preset_is_readable_and_comes_back_as_it_was() -> None:
    phase = np.linspace(-9.0, 9.0, 12).reshape(3, 4)
    path = write_preset("low light, 2", FULL, phase)
    text = path.read_text()
    assert "exposure_ms = 1.25\n" in text and "[roi]\ntop = 1\n" in text
    assert read_preset("low light, 2") == FULL
    assert np.array_equal(read_pattern("low light, 2", (3, 4)), phase.astype(np.float32))
    write_preset("another", DevicePreset(bench="mock", pattern="flat"), NOTHING)
    assert preset_names() == ["another", "low light, 2"]
    delete_preset("low light, 2")
    assert preset_names() == ["another"] and not list(preset_folder().glob("*.npy"))


@pytest.mark.parametrize(
    "name", ["", "../a", "a/b", ".hidden", "a" * 61, "a\nb", "C:x", "a\x00", " a", "é"]
)
def test_a_name_is_no_path(name: str) -> None:
    with pytest.raises(UserError, match="a name has 1 to 60 letters"):
        write_preset(name, FULL, NOTHING)
    with pytest.raises(UserError, match="a name has 1 to 60 letters"):
        read_preset(name)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('exposure_ms = "1"', "exposure_ms = '1'"),
        ("exposure_ms = -1.0", "exposure_ms = -1.0"),
        ("power_mw = inf", "power_mw = inf"),
        ("power_mw = nan", "power_mw = nan"),
        ("emission = true", "emission: unknown key"),
        ("format = 2", "format = 2"),
        ('pattern = "/etc/passwd"', "pattern = '/etc/passwd'"),
        ("[roi]\ntop = 1", "roi.left: is missing"),
        ("[roi]\ntop = -1\nleft = 0\nheight = 1\nwidth = 1", "roi.top = -1"),
        ("exposure_ms = ", "not valid TOML"),
    ],
)
def test_a_file_that_is_not_understood_names_key_and_value(line: str, message: str) -> None:
    preset_folder().mkdir(parents=True)
    (preset_folder() / "bad.toml").write_text(f'bench = "mock"\n{line}\n')
    with pytest.raises(UserError) as refused:
        read_preset("bad")
    assert message in str(refused.value) and "bad.toml" in str(refused.value)


def test_a_pattern_is_an_array_of_the_panels_shape_and_of_numbers() -> None:
    write_preset("a", FULL, np.zeros((3, 4)))
    with pytest.raises(UserError, match=r"shape \(3, 4\); expected float32 of shape \(4, 3\)"):
        read_pattern("a", (4, 3))
    np.save(preset_folder() / "a.npy", np.array([[{}]], object), allow_pickle=True)
    with pytest.raises(UserError, match=r"a\.npy: .*[Oo]bject"):
        read_pattern("a", (1, 1))
    np.save(preset_folder() / "a.npy", np.full((2, 2), np.nan, np.float32))
    with pytest.raises(UserError, match="no numbers"):
        read_pattern("a", (2, 2))
    (preset_folder() / "a.npy").write_bytes(b"\x80\x04nothing")
    with pytest.raises(UserError, match=r"a\.npy"):
        read_pattern("a", (2, 2))
