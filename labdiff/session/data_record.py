"""What a run stores of the data that it is trained on: enough to generate without it, and to know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labdiff.data.fingerprint import fingerprint
from labdiff.data.image_set import ImageSet
from labdiff.errors import UserError

DATA = "data."
"""Beginning of the names of a checkpoint's scalars that are of the data."""


@dataclass(frozen=True, slots=True)
class DataRecord:
    """The data of a training.

    Attributes:
        source: description of where the images come from and how many there are.
        path: absolute path of the file or folder; "" for data that comes with a program.
        sha256: checksum of its files; "" without a path.
        training_images: number of images that are trained on.
        classes: class numbers that can be prompted, in order; empty without prompts.
    """

    source: str
    path: str = ""
    sha256: str = ""
    training_images: int = 0
    classes: tuple[int, ...] = ()

    @classmethod
    def of(cls, images: ImageSet, classes: tuple[int, ...]) -> DataRecord:
        """Return the record of images and of the classes that can be prompted.

        Raises UserError if their files cannot be read any more.
        """
        path = images.path
        try:
            sha256 = "" if path is None else fingerprint(path)
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
        where = "" if path is None else str(path)
        return cls(images.source, where, sha256, len(images.train), classes)

    @classmethod
    def stored_in(cls, scalars: Mapping[str, float | int | str]) -> DataRecord | None:
        """Return the record of a checkpoint; None for one of format 1, which has none.

        Raises ValueError for one that is damaged.
        """
        if DATA + "source" not in scalars:
            return None
        return cls(
            str(scalars[DATA + "source"]),
            str(scalars.get(DATA + "path", "")),
            str(scalars.get(DATA + "sha256", "")),
            int(scalars.get(DATA + "training_images", 0)),
            class_numbers(str(scalars.get(DATA + "classes", ""))),
        )

    def scalars(self) -> dict[str, float | int | str]:
        """Return the record as scalars of a checkpoint."""
        return {
            DATA + "source": self.source,
            DATA + "path": self.path,
            DATA + "sha256": self.sha256,
            DATA + "training_images": self.training_images,
            DATA + "classes": ",".join(map(str, self.classes)),
        }

    def require_same(self, stored: DataRecord | None, name: str) -> None:
        """Refuse other data than that of a recorded run.

        Args:
            stored: the run's, None if it has none.
            name: of the run, for messages.

        Raises:
            UserError: if the files have changed, or are others.
        """
        if stored is None or stored.sha256 == self.sha256:
            return
        raise UserError(
            f"{name}: was trained on other pictures: {stored.path or stored.source} (SHA-256 "
            f"{stored.sha256[:12] or 'none'}); those of {self.path or self.source} "
            f"(SHA-256 {self.sha256[:12] or 'none'}) differ. Put them back, or train anew"
        )


def class_numbers(text: str) -> tuple[int, ...]:
    """Return the class numbers of a text such as "0,1,2". Raises ValueError for another text."""
    return tuple(int(part) for part in text.split(",") if part)
