from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gui.slm_patterns.pattern_file import load_pattern, range_note, save_pattern
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
    ("name", "write", "message"),
    [
        ("p.npy", lambda path: None, "no such file"),
        ("p.gif", lambda path: None, ".npy .* and .png"),
        ("p.npy", write_text, "cannot be read"),
        ("p.png", write_text, "cannot be read"),
        ("p.npy", lambda path: np.save(path, np.zeros((9, 6))), r"9 x 6 .* the SLM has 6 x 9"),
        ("p.npy", lambda path: np.save(path, np.full(SHAPE, np.nan)), "not finite"),
        ("p.npy", lambda path: np.save(path, np.zeros(SHAPE, complex)), "array of numbers"),
        ("p.npy", lambda path: np.save(path, np.array([{}], object)), "cannot be read"),
        (
            "p.png",
            lambda path: Image.new("RGB", (9, 6), (0, 0, 9)).save(path),
            "a colour or transparent",
        ),
        ("p.png", lambda path: Image.new("1", (9, 6)).save(path), "mode 1"),
        ("p.npy", lambda path: np.save(path, np.full(SHAPE, 256)), "256 to 256; as grey levels"),
        ("p.npy", lambda path: np.save(path, np.full(SHAPE, 1e15)), "no place within 2 pi"),
        ("p.png", lambda path: Image.new("L", (6, 9)).save(path), "9 x 6"),
    ],
)
def test_what_is_no_pattern(
    name: str, write: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    write(tmp_path / name)
    with pytest.raises(UserError, match=message):
        load_pattern(tmp_path / name, SHAPE)


@pytest.mark.parametrize("name", ["p.bmp", "p.tif", "p.png", "rgb.png", "palette.png", "p.npy"])
def test_grey_levels_are_256_a_turn_in_every_file_that_holds_them(
    name: str, tmp_path: Path
) -> None:
    levels = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    picture = Image.fromarray(levels)
    match name:
        case "p.npy":
            np.save(tmp_path / name, levels)
        case "rgb.png":
            Image.merge("RGB", [picture] * 3).save(tmp_path / name)
        case "palette.png":
            picture.convert("P").save(tmp_path / name)
        case _:
            picture.save(tmp_path / name)
    np.testing.assert_allclose(
        load_pattern(tmp_path / name, SHAPE), levels * (2 * np.pi / 256), rtol=1e-6
    )


def test_sixteen_bits_of_grey_are_a_turn(tmp_path: Path) -> None:
    levels = np.full(SHAPE, 16384, np.uint16)
    Image.fromarray(levels).save(tmp_path / "p.png")
    np.testing.assert_allclose(load_pattern(tmp_path / "p.png", SHAPE), np.pi / 2, rtol=1e-6)


def test_large_phases_are_wrapped_before_they_lose_digits(tmp_path: Path) -> None:
    wrapped = np.random.default_rng(0).uniform(0.0, 2 * np.pi, SHAPE)
    np.save(tmp_path / "p.npy", wrapped + 2 * np.pi * 1e8)
    found = load_pattern(tmp_path / "p.npy", SHAPE)
    apart = np.angle(np.exp(1j * (found - wrapped)))
    assert np.abs(apart).max() < 1e-6


def test_a_span_of_many_turns_is_said() -> None:
    assert range_note(np.linspace(0.0, 6.0, 9, dtype=np.float32)) == ""
    assert "spans 57.1 turns" in range_note(np.linspace(0.0, 358.6, 9, dtype=np.float32))


def test_a_pattern_that_is_not_finite_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not finite"):
        save_pattern(tmp_path / "p.png", np.full(SHAPE, np.nan))
    assert not (tmp_path / "p.png").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        save_pattern(tmp_path / "absent" / "p.npy", phase())
