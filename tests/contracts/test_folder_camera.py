"""The camera that plays a folder: which files, in which order, what is refused, and waiting for files."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from drivers.camera.folder import FolderCamera, FolderOptions
from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceTimeoutError,
    DeviceValueError,
)

SHAPE = (6, 8)


def picture(level: int, kind: npt.DTypeLike = np.uint8) -> Image.Image:
    return Image.fromarray(np.full(SHAPE, level, kind))


def camera(folder: Path, bits: int = 8, watch: bool = False, wait_s: float = 60.0) -> FolderCamera:
    return FolderCamera(bits, FolderOptions(str(folder), watch, wait_s))


def levels(opened: FolderCamera, count: int) -> list[int]:
    return [int(frame.pixels[0, 0]) for frame in opened.get_frames(count)]


def test_files_are_played_as_a_person_counts(tmp_path: Path) -> None:
    for number in (1, 2, 10, 100):
        picture(number).save(tmp_path / f"frame {number}.png")
    assert levels(camera(tmp_path), 5) == [1, 2, 10, 100, 1]


def test_hidden_and_other_files_are_left_alone(tmp_path: Path) -> None:
    picture(7).save(tmp_path / "a.png")
    picture(9).save(tmp_path / ".b.png")
    (tmp_path / "._a.png").write_bytes(b"of a Mac")
    (tmp_path / "Thumbs.db").write_bytes(b"of Windows")
    (tmp_path / "notes.txt").write_text("ours")
    (tmp_path / "more.png").mkdir()
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe.png")
    assert levels(camera(tmp_path), 3) == [7, 7, 7]


def test_pages_of_a_tiff_are_images(tmp_path: Path) -> None:
    pages = [picture(level, np.uint16) for level in (300, 301, 302)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    picture(4, np.uint16).save(tmp_path / "b.tif")
    assert levels(camera(tmp_path, 12), 5) == [300, 301, 302, 4, 300]


def refused() -> dict[str, Image.Image]:
    grey = picture(3)
    return {
        "palette": grey.convert("P"),
        "floating-point": picture(1, np.float32),
        "not negative": picture(-5, np.int32),
        "black and white": grey.convert("1"),
        "channels of colour": grey.convert("RGB"),
        "holds 4096; camera.bit_depth = 12 allows 0 ... 4095": picture(4096, np.uint16),
    }


@pytest.mark.parametrize("words", refused())
def test_what_is_no_count_is_refused_in_words(tmp_path: Path, words: str) -> None:
    path = tmp_path / "a.tif"
    refused()[words].save(path)
    with pytest.raises(DeviceValueError, match=re.escape(words)) as caught:
        camera(tmp_path, 12)
    assert str(path) in str(caught.value)


def test_a_folder_without_images_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(DeviceNotFoundError, match=r"no image there; it needs files .*\.png"):
        camera(tmp_path)
    with pytest.raises(DeviceNotFoundError, match="cannot be read"):
        camera(tmp_path / "nowhere")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    with pytest.raises(DeviceNotFoundError, match=r"a\.png: is no image that can be read"):
        camera(tmp_path)


def test_images_that_go_or_change_their_size_later_are_reported(tmp_path: Path) -> None:
    picture(1).save(tmp_path / "a.png")
    opened = camera(tmp_path)
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(DeviceValueError, match=r"a\.png: 3 x 3 pixels .* among images of 6 x 8"):
        opened.get_frame()
    (tmp_path / "a.png").unlink()
    with pytest.raises(DeviceDisconnectedError, match="no image there"):
        opened.get_frame()


def test_an_option_out_of_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeviceValueError, match="wait_s = 0: allowed is more than 0"):
        FolderOptions(str(tmp_path), True, 0)


def test_watch_hands_out_each_file_that_comes_once(tmp_path: Path) -> None:
    picture(1).save(tmp_path / "1.png")
    opened = camera(tmp_path, watch=True)

    def write() -> None:
        for number in (10, 9):
            picture(number).save(tmp_path / f"{number}.png")
        pages = [picture(level) for level in (20, 21)]
        pages[0].save(tmp_path / "20.tif", save_all=True, append_images=pages[1:])

    writer = threading.Thread(target=write)
    writer.start()
    assert sorted(levels(opened, 4)) == [9, 10, 20, 21]
    writer.join()
    before_ns = (tmp_path / "1.png").stat().st_mtime_ns
    picture(2).save(tmp_path / "1.png")  # written anew
    os.utime(tmp_path / "1.png", ns=(before_ns + 10**9, before_ns + 10**9))
    assert levels(opened, 1) == [2]


def test_watch_waits_for_a_file_that_is_still_being_written(tmp_path: Path) -> None:
    picture(1).save(tmp_path / "1.png")
    opened = camera(tmp_path, watch=True)
    noisy = np.random.default_rng(0).integers(0, 255, SHAPE, np.uint8)
    Image.fromarray(noisy).save(tmp_path / ".whole.png")
    whole = (tmp_path / ".whole.png").read_bytes()
    begun = threading.Event()

    def write() -> None:
        with (tmp_path / "2.png").open("wb", buffering=0) as file:
            file.write(whole[: len(whole) // 2])
            begun.set()
            time.sleep(0.3)  # longer than a file that is complete rests
            file.write(whole[len(whole) // 2 :])

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait(60.0)
    np.testing.assert_array_equal(opened.get_frame().pixels, noisy)
    writer.join()


def test_watch_gives_up_in_words(tmp_path: Path) -> None:
    picture(1).save(tmp_path / "1.png")
    opened = camera(tmp_path, watch=True, wait_s=0.2)
    with pytest.raises(DeviceTimeoutError, match="no new image came within 0.2 s"):
        opened.get_frame()
    (tmp_path / "2.png").write_bytes(b"half")
    with pytest.raises(DeviceTimeoutError, match=r"no new image that is whole \(.*2\.png"):
        opened.get_frame()
