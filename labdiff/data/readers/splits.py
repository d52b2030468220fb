"""Recognise which folders of a set of pictures are splits (train, validation, test) and which classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from labdiff.errors import UserError

Split = Literal["train", "validation", "test"]

SPELLINGS: dict[str, Split] = {
    **dict.fromkeys(("train", "training", "trn", "trainset"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "valset"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "testset", "eval", "evaluation", "holdout"), "test"),
}
"""How people write the name of a split, in small letters, without digits and signs."""
FILLERS = {
    "set",
    "data",
    "images",
    "image",
    "imgs",
    "img",
    "split",
    "seg",
    "x",
    "pictures",
    "folder",
}
"""Words that stand beside a split's name in a folder's name and mean nothing more."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One picture: its split, and the path of its class folder and name below it."""

    index: int
    split: Split | None
    below: PurePosixPath


def split_of(folder: str) -> Split | None:
    """Return the split that a folder's name means; None if it is no name of a split."""
    words = [word for word in re.split(r"[^a-z]+", folder.lower()) if word]
    named = [SPELLINGS[word] for word in words if word in SPELLINGS]
    rest = [word for word in words if word not in SPELLINGS and word not in FILLERS]
    return named[0] if len(named) == 1 and not rest else None


def place(paths: Sequence[PurePosixPath], where: str) -> list[Placed]:
    """Return the split and the class path of every picture.

    Folders round everything are passed through. Splits may stand above the classes (train/cat/1.png)
    or below them (cat/train/1.png).

    Args:
        paths: of the pictures, inside the folder or zip.
        where: the folder or zip, for messages.

    Raises:
        UserError: if splits and other folders stand beside each other, with the layout as understood.
    """
    paths = _without_common_folder(list(paths))
    for level in (0, 1):
        names = {path.parts[level] for path in paths if len(path.parts) > level + 1}
        splits = {name: split_of(name) for name in names}
        known = {name for name, split in splits.items() if split is not None}
        deep = all(len(path.parts) > level + 1 for path in paths)
        # A lone "test" or "val" may well be a class or a folder like any other.
        if "train" not in splits.values() and len(known) < 2:
            continue
        if known != names or not deep:
            others = sorted(names - known) or [
                str(next(p for p in paths if len(p.parts) <= level + 1))
            ]
            raise UserError(
                f"{where}: {', '.join(sorted(known))} read as splits, beside {', '.join(others[:5])}; "
                "put everything into splits (train, test), or nothing; classes are folders in them"
            )
        return [
            Placed(i, splits[path.parts[level]], PurePosixPath(*_without(path.parts, level)))
            for i, path in enumerate(paths)
        ]
    return [Placed(i, None, path) for i, path in enumerate(paths)]


def _without(parts: tuple[str, ...], level: int) -> tuple[str, ...]:
    return parts[:level] + parts[level + 1 :]


def _without_common_folder(paths: list[PurePosixPath]) -> list[PurePosixPath]:
    """Strip folders that hold everything, as zips often have, if folders lie below them."""
    while True:
        tops = {path.parts[0] for path in paths}
        if len(tops) != 1 or any(len(path.parts) < 3 for path in paths):
            return paths
        top = tops.pop()
        paths = [path.relative_to(top) for path in paths]
