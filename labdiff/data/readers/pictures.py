"""Read PNG and JPEG files of a folder or a zip, all at one size; sub-folders are classes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from labdiff.data.readers.raw import RawImages
from labdiff.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg")
TEST_FOLDERS = ("test", "val")


@dataclass(frozen=True, slots=True)
class _Picture:
    """place: path inside the folder or zip. shown: for messages."""

    place: PurePosixPath
    shown: str
    open: Callable[[], IO[bytes]]


def read_folder(folder: Path, size: int) -> RawImages:
    """Pictures (count, size, size). `train` and `test` (or `val`) in it hold training and test images.

    Raises UserError if there are none, or one is broken.
    """
    pictures = []
    for path in sorted(folder.rglob("*")):
        place = PurePosixPath(path.relative_to(folder).as_posix())
        if _is_picture(place) and path.is_file():
            pictures.append(_Picture(place, str(path), partial(_open, path)))
    if not pictures:
        raise UserError(f"{folder}: no PNG or JPEG images in it")
    return _read_all(pictures, str(folder), size)


def read_zip(path: Path, size: int, within: str = "") -> RawImages:
    """As `read_folder`, from a zip; of it only what lies in a folder `within`, such as "train/cat"."""
    start = f"/{within}/" if within else "/"
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if start in f"/{name}")
            pictures = [
                _Picture(
                    PurePosixPath(f"/{name}".partition(start)[2]),
                    f"{path}, {name}",
                    partial(archive.open, name),
                )
                for name in names
                if _is_picture(PurePosixPath(name))
            ]
            if not pictures:
                raise UserError(
                    f"{path}: no PNG or JPEG images in it{within and f', folder {within}'}"
                )
            return _read_all(pictures, str(path), size)
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not a readable zip file: {error}") from None


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _is_picture(place: PurePosixPath) -> bool:
    # macOS puts "._x.jpg" and "__MACOSX" beside what it packs.
    hidden = any(part.startswith((".", "__MACOSX")) for part in place.parts)
    return place.suffix.lower() in SUFFIXES and not hidden


def _read_all(pictures: list[_Picture], where: str, size: int) -> RawImages:
    pictures = _without_common_folder(pictures)
    tops = {p.place.parts[0] for p in pictures if len(p.place.parts) > 1}
    test_folder = next((name for name in TEST_FOLDERS if tops == {"train", name}), None)
    if test_folder is None:
        numbers, names = _classes(pictures, where)
        return RawImages(_stack(pictures, size), numbers, class_names=names)

    def below(top: str) -> list[_Picture]:
        return [
            _Picture(p.place.relative_to(top), p.shown, p.open)
            for p in pictures
            if p.place.parts[0] == top
        ]

    train, test = below("train"), below(test_folder)
    numbers, names = _classes([*train, *test], where)
    return RawImages(
        _stack(train, size), numbers[: len(train)], _stack(test, size), numbers[len(train) :], names
    )


def _without_common_folder(pictures: list[_Picture]) -> list[_Picture]:
    """Zips often hold one folder that holds everything; it is stripped if classes lie below it."""
    while True:
        tops = {p.place.parts[0] for p in pictures}
        if len(tops) != 1 or any(len(p.place.parts) < 3 for p in pictures):
            return pictures
        top = tops.pop()
        pictures = [_Picture(p.place.relative_to(top), p.shown, p.open) for p in pictures]


def _classes(pictures: list[_Picture], where: str) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    folders = [p.place.parts[0] if len(p.place.parts) > 1 else "" for p in pictures]
    if not any(folders):
        return np.zeros(len(pictures), np.int64), ()
    if not all(folders):
        loose = pictures[folders.index("")].shown
        raise UserError(
            f"{where}: images both in sub-folders, which are classes, and beside them ({loose}); "
            f"put each into a class, or all into one folder"
        )
    names = sorted(set(folders))
    if all(name.isdecimal() for name in names):
        # "3" is class 3, and "10" comes after "9".
        return np.array([int(folder) for folder in folders], np.int64), ()
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[folder] for folder in folders], np.int64), tuple(names)


def _stack(pictures: Iterable[_Picture], size: int) -> npt.NDArray[np.uint8]:
    return np.stack([_read(picture, size) for picture in pictures])


def _read(picture: _Picture, size: int) -> npt.NDArray[np.uint8]:
    try:
        with picture.open() as file, Image.open(file) as image:
            # A JPEG is decoded at a fraction of its size, here at least twice what is needed.
            image.draft("L", (2 * size, 2 * size))
            upright = ImageOps.exif_transpose(image)
            square = _grey(upright).crop(_middle(upright.size))
            return np.asarray(square.resize((size, size), Image.Resampling.BILINEAR), np.uint8)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UserError(f"{picture.shown}: not a readable image: {error}") from None


def _middle(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the largest square in the middle of (width, height)."""
    side = min(size)
    left, top = ((length - side) // 2 for length in size)
    return left, top, left + side, top + side


def _grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16 bits: Pillow would clip at 255 instead of scaling.
        return Image.fromarray((np.asarray(image).astype(np.float32) / 257.0).astype(np.uint8))
    return image.convert("L")
