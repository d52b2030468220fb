"""Load images by name or path, select classes, resize, and split into training and held-out images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from labdiff.data.catalogue import ALIASES, DATA_SETS, SELECTIONS, Selection, selection
from labdiff.data.content import Content, content_of, require_content
from labdiff.data.folder import required
from labdiff.data.readers.any_format import read
from labdiff.data.readers.raw import OPAQUE_ON, Background, Grey, Labels, RawImages, ReadOptions
from labdiff.errors import UserError

if TYPE_CHECKING:  # torch waits until there are images, so that `labdiff data list` is instant
    from torch import Tensor

FEWEST_HELD_OUT = 64
"""Least number of held-out images."""


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Grey images (count, H, W) in -1 ... 1 and their class numbers.

    Attributes:
        name: of the data set, or its path.
        train: (count, H, W) training images.
        test: (count, H, W) held-out images.
        train_labels: (count,) class numbers.
        test_labels: (count,) class numbers.
        source: description of where they come from and how many there are, for the report.
        class_names: by class number; empty if the source has no names.
        content: what the training images hold, in one line, and what was left aside.
        path: absolute path of the file or folder; None for images that come with a program.
    """

    name: str
    train: Tensor
    test: Tensor
    train_labels: Tensor
    test_labels: Tensor
    source: str
    class_names: tuple[str, ...] = ()
    content: str = ""
    path: Path | None = None

    @property
    def description(self) -> str:
        """Return one line: the set's name, and what its training images hold."""
        return f"data {self.name}: {self.content}"


def load_images(
    name: str,
    size: int,
    classes: Sequence[int] = (),
    data_dir: Path | None = None,
    seed: int = 0,
    white: int | None = None,
    background: Background = OPAQUE_ON,
) -> ImageSet:
    """Load images at `size` x `size`, shuffled by `seed`; what is not square is cropped in the middle.

    Where the source has test images of its own they are held out, else 20 % of the images, at least 64.

    Example:
        images = load_images("mnist-0-2", 20)

    Args:
        name: a data set, a selection or an alias of the catalogue, or the path of a file or folder.
        size: side of the images, cells.
        classes: class numbers; all of the data set's or selection's if empty.
        data_dir: folder of data files; None for LABDIFF_DATA, or this user's.
        seed: of the shuffle.
        white: count that means white; None for the largest that the file's type can hold.
        background: what transparent pixels are laid on.

    Raises:
        UserError: for an unknown name, missing or wrong files, classes that are not there, or images
            from which nothing can be learnt.
    """
    import torch

    chosen = selection(name)
    path: Path | None = None
    if chosen is None:
        path = _path_of(name)
        options = ReadOptions(size, white, background)
        chosen, raw, place = Selection(name, name, (), size), read(path, options), str(path)
    elif chosen.data_set == "digits":
        raw, place = _embedded_digits(), "UCI digits in scikit-learn"
    else:
        entry = DATA_SETS[chosen.data_set]
        path = required(entry, data_dir)
        raw = read(path, ReadOptions(size, white, background, entry.within))
        place = f"{entry.name}, {path.name}"
    class_names = raw.class_names
    if chosen.data_set in DATA_SETS:
        class_names = DATA_SETS[chosen.data_set].class_names or class_names

    selected = _of_classes(name, raw, chosen.classes)
    selected = _of_classes(name, selected, classes)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(selected.images))
    if selected.test is not None and selected.test_labels is not None:
        test_order = rng.permutation(len(selected.test))
        test, test_labels = selected.test[test_order], selected.test_labels[test_order]
        held_out_note = f"{len(test)} of its own test images held out"
    else:
        count = len(order) if chosen.limit is None else min(len(order), chosen.limit)
        held_out = max(FEWEST_HELD_OUT, count // 5)
        if len(order) <= held_out:
            raise UserError(
                f"data set {name!r}: {len(order)} images are too few to hold {held_out} out"
            )
        test, test_labels = selected.images[order[:held_out]], selected.labels[order[:held_out]]
        order = order[held_out:]
        held_out_note = f"{held_out} held out"
    count, wanted = min(len(order), chosen.limit or len(order)), ""
    if chosen.limit is not None and count < chosen.limit:
        wanted = f" (of {chosen.limit} wanted; there are no more)"
    order = order[:count]
    train, train_labels = selected.images[order], selected.labels[order]
    content = content_of(train, train_labels, selected.white)
    require_content(content, name, selected.full_scale)
    return ImageSet(
        name=name,
        train=_scaled(train, selected.white, size),
        test=_scaled(test, selected.white, size),
        train_labels=torch.from_numpy(train_labels),
        test_labels=torch.from_numpy(test_labels),
        source=f"{place}; {count} for training{wanted}, {held_out_note}",
        class_names=class_names,
        content=_described(content, class_names, selected.notes),
        path=None if path is None else path.absolute(),
    )


def _described(content: Content, class_names: tuple[str, ...], notes: tuple[str, ...]) -> str:
    return "; ".join((content.describe(class_names), *notes))


def _path_of(name: str) -> Path:
    path = Path(name)
    if path.exists():
        return path
    if path.suffix or len(path.parts) > 1 or name.endswith(("/", "\\")):
        raise UserError(f"data set {name}: no such file or folder")
    known = ", ".join((*DATA_SETS, *SELECTIONS, *ALIASES))
    raise UserError(f"data set {name!r}: unknown; known are {known}, or give the path of your own")


def _of_classes(name: str, raw: RawImages, classes: Sequence[int]) -> RawImages:
    if not classes:
        return raw
    present = set(raw.labels.tolist())
    missing = sorted(set(classes) - present)
    if missing:
        has = ", ".join(map(str, sorted(present)))
        only = "; give no classes for all of it" if len(present) == 1 else ""
        raise UserError(f"data set {name!r}: no class {missing[0]}; it has {has}{only}")
    keep = np.isin(raw.labels, list(classes))
    images, labels = raw.images[keep], raw.labels[keep]
    if raw.test is None or raw.test_labels is None:
        return replace(raw, images=images, labels=labels)
    keep = np.isin(raw.test_labels, list(classes))
    if not keep.any():
        raise UserError(
            f"data set {name!r}: no test images of the classes {', '.join(map(str, classes))}"
        )
    test, test_labels = raw.test[keep], raw.test_labels[keep]
    return replace(raw, images=images, labels=labels, test=test, test_labels=test_labels)


def _scaled(images: Grey, white: float, size: int) -> Tensor:
    """Return the images (count, size, size) with black -1 and white 1.

    They are cropped to a square in the middle, and resized (bilinear, antialiased when they shrink).
    """
    import torch

    height, width = images.shape[1:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    images = images[:, top : top + side, left : left + side]
    grey = torch.from_numpy(images.astype(np.float32) / np.float32(white))[:, None]
    if side != size:
        grey = torch.nn.functional.interpolate(
            grey, (size, size), mode="bilinear", align_corners=False, antialias=side > size
        )
    return grey[:, 0] * 2.0 - 1.0


def _embedded_digits() -> RawImages:
    """Read the digits that come with scikit-learn, whose import would take over a second of CPU time.

    Raises UserError if scikit-learn is not installed as a folder, or without its data.
    """
    found = find_spec("sklearn")
    folders = (found.submodule_search_locations if found else None) or [""]
    path = Path(folders[0], "datasets", "data", "digits.csv.gz")
    if not path.is_file():
        raise UserError(
            "data digits: come with scikit-learn, which is not complete; install it again"
        )
    table = np.loadtxt(path, np.float32, delimiter=",")
    images = table[:, :-1].reshape(-1, 8, 8) / np.float32(16.0)
    labels: Labels = table[:, -1].astype(np.int64)
    return RawImages(images, labels, white=1.0, full_scale=None)
