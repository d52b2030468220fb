"""Files of every format, damaged at random: read or refused in one line, whatever was hit."""

from __future__ import annotations

import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.file_checks.case import Case, Reader
from benchmarks.file_checks.image_kinds import COUNT, as_bytes, labels
from benchmarks.file_checks.mutate import mutated
from benchmarks.file_checks.text_kinds import MOCK
from labdiff.session.layer_file import pretrained_path


def _picture(format_name: str) -> bytes:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(as_bytes(np.random.default_rng(0))[0])
    more = {} if format_name == "BMP" else {"exif": exif}
    image.save(file, format_name, **more)
    return file.getvalue()


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, as_bytes(np.random.default_rng(0))[:, ::2, ::2])
    return file.getvalue()


def _npz(**how: bool) -> bytes:
    file = io.BytesIO()
    write = np.savez_compressed if how.get("packed") else np.savez
    write(file, x_train=as_bytes(np.random.default_rng(0))[:, ::2, ::2], y_train=labels())
    return file.getvalue()


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(COUNT):
            archive.writestr(f"ds/{number % 2}/{number}.png", _small_png())
    return file.getvalue()


def _small_png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(file, "PNG")
    return file.getvalue()


def _idx() -> bytes:
    images = as_bytes(np.random.default_rng(0))[:, ::2, ::2]
    header = bytes([0, 0, 8, 3]) + np.array(images.shape, ">u4").tobytes()
    return header + images.tobytes()


FORMATS: dict[str, tuple[Reader, str, Callable[[], bytes]]] = {
    "TOML": ("bench", "bench.toml", MOCK.encode),
    "PNG": ("images", "set/000.png", lambda: _picture("PNG")),
    "JPEG": ("images", "set/000.jpg", lambda: _picture("JPEG")),
    "TIFF": ("images", "set/000.tif", lambda: _picture("TIFF")),
    "BMP": ("images", "set/000.bmp", lambda: _picture("BMP")),
    "npy": ("images", "set.npy", _npy),
    "npz": ("images", "set.npz", _npz),
    "npz, packed": ("images", "set.npz", lambda: _npz(packed=True)),
    "idx": ("images", "train-images-idx3-ubyte", _idx),
    "zip": ("images", "set.zip", _zip),
    "pattern": ("pattern", "p.png", lambda: _picture("PNG")),
    "layers": ("layers", "layers.h5", lambda: pretrained_path().read_bytes()),
}


def formats(artefacts: Path) -> dict[str, tuple[Reader, str, Callable[[], bytes]]]:
    """Return all formats, with the run file and the calibration archive of the artefacts."""
    run = artefacts / "whole.h5.xz"
    (archive,) = (artefacts / "calibrations").glob("*-alignment.h5")
    return FORMATS | {
        "run": ("run", "run.h5", lambda: lzma.decompress(run.read_bytes())),
        "archive": ("archive", "20260101T000000000000Z-alignment.h5", archive.read_bytes),
    }


def damaged_cases(folder: Path, artefacts: Path, first: int, count: int) -> list[Case]:
    """Write damaged files with the seeds `first` ..., the formats in turn."""
    known = formats(artefacts)
    whole = {name: make() for name, (_, _, make) in known.items()}
    labels_file = bytes([0, 0, 8, 1]) + np.array([COUNT], ">u4").tobytes() + bytes(COUNT)
    cases = []
    for seed in range(first, first + count):
        name = list(known)[seed % len(known)]
        reader, file_name, _ = known[name]
        path = folder / f"damaged{seed:06d}" / file_name
        path.parent.mkdir(parents=True)
        path.write_bytes(mutated(whole[name], seed))
        if name == "idx":
            (path.parent / "train-labels-idx1-ubyte").write_bytes(labels_file)
        if path.parent.name == "set":
            # One damaged picture among whole ones: a lone picture would be refused for that alone.
            for number in range(1, COUNT):
                (path.parent / f"{number:03d}.png").write_bytes(_small_png())
            path = path.parent
        cases.append(Case(name, reader, path, None))
    return cases
