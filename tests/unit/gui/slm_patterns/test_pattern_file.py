from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gui.slm_patterns.pattern_file import load_pattern, save_pattern
from labdiff.errors import UserError

SHAPE = (6, 9)


def phase() -> np.ndarray:
    return np.random.default_rng(0).uniform(-9.0, 9.0, SHAPE).astype(np.float32)


def test_numpy_files_keep_radians_as_they_are(tmp_path: Path) -> None:
    save_pattern(tmp_path / "p.npy", phase())
    np.testing.assert_array_equal(load_pattern(tmp_path / "p.npy", SHAPE), phase())


def test_a_picture_keeps_the_phase_to_half_a_level(tmp_path: Path) -> None:
    save_pattern(tmp_path / "p.PNG", phase())
    found = load_pattern(tmp_path / "p.PNG", SHAPE)
    apart = np.angle(np.exp(1j * (found - phase())))
    assert np.abs(apart).max() <= np.pi / 256 + 1e-5
    save_pattern(tmp_path / "again.png", found)
    np.testing.assert_array_equal(load_pattern(tmp_path / "again.png", SHAPE), found)


def write_text(path: Path) -> None:
    path.write_text("phase", encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("p.npy", lambda path: None, "no such file"),
        ("p.bmp", lambda path: None, ".npy .* and .png"),
        ("p.npy", write_text, "cannot be read"),
        ("p.png", write_text, "not a PNG"),
        ("p.npy", lambda path: np.save(path, np.zeros((9, 6))), r"9 x 6 .* the SLM has 6 x 9"),
        ("p.npy", lambda path: np.save(path, np.full(SHAPE, np.nan)), "not finite"),
        ("p.npy", lambda path: np.save(path, np.zeros(SHAPE, complex)), "array of numbers"),
        ("p.npy", lambda path: np.save(path, np.array([{}], object)), "cannot be read"),
        ("p.png", lambda path: Image.new("RGB", (9, 6)).save(path), "mode RGB"),
        ("p.png", lambda path: Image.new("L", (6, 9)).save(path), "9 x 6"),
    ],
)
def test_what_is_no_pattern(
    name: str, write: Callable[[Path], None], words: str, tmp_path: Path
) -> None:
    write(tmp_path / name)
    with pytest.raises(UserError, match=words):
        load_pattern(tmp_path / name, SHAPE)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        save_pattern(tmp_path / "absent" / "p.npy", phase())
