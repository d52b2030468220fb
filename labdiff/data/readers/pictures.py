"""Read the picture files of a folder or a zip, all at one size; sub-folders are classes or splits."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
import numpy.typing as npt

from drivers.plain_text import plain_line
from labdiff.data.readers.picture import SUFFIXES, read_picture
from labdiff.data.readers.raw import MOST_CLASS_NUMBER, RawImages, ReadOptions
from labdiff.data.readers.splits import Placed, place
from labdiff.errors import UserError, reading

FORMATS = "PNG, JPEG, TIFF, BMP, GIF or WebP"
IGNORED = {".ds_store", "thumbs.db", "desktop.ini"}
"""Files that systems leave in folders, in small letters; they are not counted as passed over."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """place: path inside the folder or zip. shown: for messages."""

    place: PurePosixPath
    shown: str
    open: Callable[[], IO[bytes]]


def read_folder(folder: Path, options: ReadOptions) -> RawImages:
    """Return the pictures of a folder, (count, size, size), with their classes and splits.

    Raises:
        UserError: if there are none, one is broken, or the layout is not known.
    """
    pictures, others = [], []
    for path in _files(folder):
        inside = PurePosixPath(path.relative_to(folder).as_posix())
        if _is_picture(inside):
            pictures.append(_Picture(inside, str(path), partial(_open, path)))
        elif not _is_hidden(inside):
            others.append(path.suffix.lower() or path.name)
    if not pictures:
        raise UserError(f"{folder}: no {FORMATS} images in it")
    return _read_all(pictures, others, str(folder), options)


def read_zip(path: Path, options: ReadOptions) -> RawImages:
    """Return the pictures of a zip, as `read_folder`; only those in `options.within`, if it is given.

    Raises:
        UserError: if the zip is damaged or encrypted, or as `read_folder`.
    """
    within = options.within
    start = f"/{within}/" if within else "/"
    with reading(f"{path}: not a readable zip file", "a zip of pictures"):
        archive = zipfile.ZipFile(path)
    with archive:
        pictures, others = [], []
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            # Some packers on Windows write the separator that the standard forbids.
            name = info.filename.replace("\\", "/")
            inside = PurePosixPath(name)
            # A damaged zip may hold a member without a name.
            if not name or name.endswith("/") or start not in f"/{name}":
                continue
            if _is_picture(inside):
                if info.flag_bits & 1:
                    raise UserError(
                        f"{path}: not a readable zip file: it is encrypted; unpack it with its "
                        "password and give the folder"
                    )
                below = PurePosixPath(f"/{name}".partition(start)[2])
                shown = f"{path}, {plain_line(info.filename)}"
                pictures.append(_Picture(below, shown, partial(archive.open, info)))
            elif not _is_hidden(inside):
                others.append(inside.suffix.lower() or inside.name)
        if not pictures:
            where = f", folder {within}" if within else ""
            raise UserError(f"{path}: no {FORMATS} images in it{where}")
        return _read_all(pictures, others, str(path), options)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, also behind links, each folder once."""
    seen = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        for name in sorted(files):
            path = Path(root, name)
            if path.is_file():
                yield path


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _is_hidden(inside: PurePosixPath) -> bool:
    # macOS puts "._x.jpg" and "__MACOSX" beside what it packs.
    parts = any(part.startswith((".", "__MACOSX")) for part in inside.parts)
    return parts or inside.name.lower() in IGNORED


def _is_picture(inside: PurePosixPath) -> bool:
    return inside.suffix.lower() in SUFFIXES and not _is_hidden(inside)


def _read_all(
    pictures: list[_Picture], others: list[str], where: str, options: ReadOptions
) -> RawImages:
    placed = place([picture.place for picture in pictures], where)
    notes = []
    if others:
        kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(others).most_common(5))
        notes.append(f"{len(others)} files that are no pictures are passed over ({kinds})")
    train = [p for p in placed if p.split in (None, "train")]
    test = [p for p in placed if p.split == "test"] or [
        p for p in placed if p.split == "validation"
    ]
    if not train:
        raise UserError(f"{where}: test images alone; there is no train folder to learn from")
    aside = len(placed) - len(train) - len(test)
    if aside:
        notes.append(f"{aside} validation images are left aside")
    if test and _classless(test) and not _classless(train):
        notes.append(f"{len(test)} test images without classes are left aside")
        test = []
    numbers, names = _classes([*train, *test], pictures, where)
    images, scale = _stack([pictures[p.index] for p in train], options)
    held_out = _stack([pictures[p.index] for p in test], options)[0] if test else None
    return RawImages(
        images,
        numbers[: len(train)],
        held_out,
        numbers[len(train) :] if test else None,
        names,
        full_scale=scale,
        notes=tuple(notes),
    )


def _classless(placed: Sequence[Placed]) -> bool:
    return all(len(p.below.parts) == 1 for p in placed)


def _classes(
    placed: Sequence[Placed], pictures: Sequence[_Picture], where: str
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return class numbers of the pictures, and the classes' names unless the folders are numbered."""
    folders = [p.below.parts[0] if len(p.below.parts) > 1 else "" for p in placed]
    if not any(folders):
        return np.zeros(len(placed), np.int64), ()
    if not all(folders):
        loose = pictures[placed[folders.index("")].index].shown
        raise UserError(
            f"{where}: images both in sub-folders, which are classes, and beside them ({loose}); "
            f"put each into a class, or all into one folder"
        )
    names = sorted(set(folders))
    if all(name.isdecimal() and int(name) <= MOST_CLASS_NUMBER for name in names):
        # "3" is class 3, and "10" comes after "9"; a date is a name.
        return np.array([int(folder) for folder in folders], np.int64), ()
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[folder] for folder in folders], np.int64), tuple(map(plain_line, names))


def _stack(
    pictures: Sequence[_Picture], options: ReadOptions
) -> tuple[npt.NDArray[np.float32], int | None]:
    """Return pictures (count, size, size), 255 = white, and the largest count taken as white."""
    read = [_read(picture, options) for picture in pictures]
    scales = [scale for _, scale in read if scale is not None]
    return np.stack([pixels for pixels, _ in read]), max(scales, default=None)


def _read(picture: _Picture, options: ReadOptions) -> tuple[npt.NDArray[np.float32], int | None]:
    with reading(f"{picture.shown}: not a readable image", "a picture"), picture.open() as file:
        return read_picture(file, picture.shown, options)
