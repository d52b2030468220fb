"""Data sets as people have them: layouts, types, ranges, archives, and what looks like one."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from benchmarks.file_checks.case import Kind, Right

COUNT = 90
Shapes = npt.NDArray[np.float64]
Generator = np.random.Generator


def shapes(rng: Generator, side: int = 16) -> Shapes:
    """Return white disks and bars on black, (COUNT, side, side), 0 ... 1."""
    y, x = np.mgrid[:side, :side]
    images = np.zeros((COUNT, side, side))
    for number, image in enumerate(images):
        cy, cx = side * rng.uniform(0.3, 0.7, 2)
        image[:] = (abs(x - cx) < 2) if number % 2 else ((y - cy) ** 2 + (x - cx) ** 2 < 12)
    return images


def labels() -> npt.NDArray[np.int64]:
    """Return the class numbers of the shapes."""
    return np.arange(COUNT) % 2


def as_bytes(rng: Generator) -> npt.NDArray[np.uint8]:
    """Return the shapes as bytes."""
    return (shapes(rng) * 255).astype(np.uint8)


def png(image: npt.NDArray[Any], **how: Any) -> bytes:
    """Return a picture as a PNG file's bytes."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", **how)
    return file.getvalue()


def save_all(folder: Path, images: npt.NDArray[Any], suffix: str = ".png") -> None:
    """Write pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"im{number:04d}{suffix}")


def classes(
    folder: Path, images: npt.NDArray[Any], names: tuple[str, str] = ("disk", "bar")
) -> None:
    """Write pictures into a folder a class."""
    for number, name in enumerate(names):
        save_all(folder / name, images[number::2])


def _splits(folder: Path, rng: Generator, parts: tuple[str, ...]) -> Path:
    for part in parts:
        classes(folder / part, as_bytes(rng))
    return folder


def _scaled(
    folder: Path, rng: Generator, dtype: type[np.generic], white: float, offset: float = 0.0
) -> Path:
    images = (shapes(rng) * (white - offset) + offset).astype(dtype)
    np.savez(folder / "set.npz", x_train=images, y_train=labels())
    return folder / "set.npz"


def _pictures_of(folder: Path, rng: Generator, dtype: type[np.generic], white: float) -> Path:
    save_all(folder / "set", (shapes(rng) * white).astype(dtype))
    return folder / "set"


def _suffix(folder: Path, rng: Generator, suffix: str) -> Path:
    save_all(folder / "set", as_bytes(rng), suffix)
    return folder / "set"


def _npz(folder: Path, rng: Generator, **arrays: Any) -> Path:
    both: dict[str, Any] = {"x_train": as_bytes(rng), "y_train": labels()} | arrays
    np.savez(folder / "set.npz", **both)
    return folder / "set.npz"


def _shape(folder: Path, rng: Generator, shape: tuple[int, ...]) -> Path:
    np.save(folder / "set.npy", rng.integers(0, 256, shape, np.uint8))
    return folder / "set.npy"


def _transparent(folder: Path, rng: Generator) -> Path:
    ink = np.zeros((COUNT, 16, 16, 4), np.uint8)
    ink[..., 3] = as_bytes(rng)
    save_all(folder / "set", ink)
    return folder / "set"


def _white_on_transparent(folder: Path, rng: Generator) -> Path:
    ink = np.full((COUNT, 16, 16, 4), 255, np.uint8)
    ink[..., 3] = as_bytes(rng)
    save_all(folder / "set", ink)
    return folder / "set"


def _zip(folder: Path, rng: Generator, separator: str = "/", extra: bytes | None = None) -> Path:
    path = folder / "set.zip"
    members = [
        (separator.join(("ds", "bar" if i % 2 else "disk", f"im{i}.png")), png(image))
        for i, image in enumerate(as_bytes(rng))
    ]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
        if extra is not None:
            archive.writestr("__MACOSX/ds/._im0.png", extra)
    return path


def _flagged(make: Callable[[Path, Generator], Path], folder: Path, rng: Generator) -> Path:
    """Set the flag of encryption in every header of a zip."""
    path = make(folder, rng)
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = -1
        while (place := raw.find(mark, place + 1)) >= 0:
            raw[place + offset] |= 1
    path.write_bytes(raw)
    return path


def _cut(make: Callable[[Path, Generator], Path], folder: Path, rng: Generator) -> Path:
    path = make(folder, rng)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * rng.uniform(0.2, 0.8))])
    return path


def _idx(
    folder: Path, rng: Generator, name: str = "{part}-{what}-idx{n}-ubyte", pack: bool = False
) -> Path:
    images = as_bytes(rng)
    for part, count in (("train", COUNT), ("t10k", 20)):
        for what, array in (
            ("images", images[:count]),
            ("labels", labels()[:count].astype(np.uint8)),
        ):
            path = folder / name.format(part=part, what=what, n=array.ndim)
            path.parent.mkdir(parents=True, exist_ok=True)
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            content = header + array.tobytes()
            path.write_bytes(gzip.compress(content) if pack else content)
    return folder


def _idx_shape(folder: Path, rng: Generator) -> Path:
    _idx(folder, rng)
    header = bytes([0, 0, 8, 3]) + np.array([2**31, 2**31, 4], ">u4").tobytes()
    (folder / "train-images-idx3-ubyte").write_bytes(header)
    return folder


def _header(folder: Path, text: str) -> Path:
    header = text.encode()
    header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
    start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
    (folder / "set.npy").write_bytes(start + header + bytes(200))
    return folder / "set.npy"


def _bomb(folder: Path, rng: Generator) -> Path:
    del rng
    array = np.zeros(1, np.uint8)
    content = io.BytesIO()
    np.save(content, array)
    header = content.getvalue().replace(b"(1,)", b"(3000000000,)").ljust(128)
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", header + bytes(30_000_000))
    return folder / "bomb.npz"


def _exif(folder: Path, rng: Generator, block: bytes) -> Path:
    save_all(folder / "set", as_bytes(rng))
    file = io.BytesIO()
    Image.fromarray(as_bytes(rng)[0]).save(file, "JPEG")
    jpeg = file.getvalue()
    marked = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]
    (folder / "set" / "im9000.jpg").write_bytes(marked)
    return folder / "set"


def _one_of(folder: Path, rng: Generator, name: str, content: bytes) -> Path:
    save_all(folder / "set", as_bytes(rng))
    (folder / "set" / name).write_bytes(content)
    return folder / "set"


def _beside(folder: Path, rng: Generator) -> Path:
    classes(folder / "train", as_bytes(rng))
    classes(folder / "other", as_bytes(rng))
    return folder


def _test_alone(folder: Path, rng: Generator) -> Path:
    classes(folder / "train", as_bytes(rng))
    save_all(folder / "test", as_bytes(rng)[:5])
    return folder


def _text_chunk(folder: Path, rng: Generator) -> Path:
    """Write a picture with a compressed text that unpacks to a hundred megabytes."""
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "x" * 100_000_000, zip=True)
    save_all(folder / "set", as_bytes(rng))
    (folder / "set" / "im9000.png").write_bytes(png(as_bytes(rng)[0], pnginfo=info))
    return folder / "set"


def _written(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def _images(name: str, right: Right, make: Callable[..., Path], *args: Any, **more: Any) -> Kind:
    return Kind(f"images: {name}", "images", right, partial(_with_rng, make, args, more))


def _with_rng(
    make: Callable[..., Path],
    args: tuple[Any, ...],
    more: dict[str, Any],
    folder: Path,
    rng: Generator,
) -> Path:
    return make(folder, rng, *args, **more)


def _no_rng(make: Callable[..., Path]) -> Callable[..., Path]:
    return lambda folder, rng, *args: make(folder, *args)


SPLITS = (
    ("train", "val", "test"),
    ("training", "testing"),
    ("Train", "Test"),
    ("train", "valid"),
    ("training_set", "test_set"),
    ("seg_train", "seg_test"),
)
KINDS = (
    *(_images(f"splits {' '.join(parts)}", "read", _splits, parts) for parts in SPLITS),
    _images("splits beside classes", "refused", _beside),
    _images("test images without classes", "read", _test_alone),
    _images("bytes", "read", _scaled, np.uint8, 255),
    _images("bytes 0 and 1", "refused", _scaled, np.uint8, 1),
    _images("bytes 0 to 16", "refused", _scaled, np.uint8, 16),
    _images("16 bits", "read", _scaled, np.uint16, 65535),
    _images("12 bits in 16", "refused", _scaled, np.uint16, 4095),
    _images("10 bits in 16 with an offset", "refused", _scaled, np.uint16, 1023, 40),
    _images("8 bits in 16", "refused", _scaled, np.uint16, 255),
    _images("12 bits, signed", "refused", _scaled, np.int16, 4095),
    _images("whole numbers 0 and 1", "refused", _scaled, np.int64, 1),
    _images("floats 0 to 1", "read", _scaled, np.float32, 1),
    _images("floats 0 to 255", "refused", _scaled, np.float32, 255),
    _images("floats -1 to 1", "refused", _scaled, np.float32, 1, -1),
    _images("floats, almost black", "refused", _scaled, np.float32, 0.05),
    _images("complex numbers", "refused", _scaled, np.complex64, 1),
    _images("truth values", "read", _scaled, np.bool_, 1),
    _images("PNG masks 0 and 1", "refused", _pictures_of, np.uint8, 1),
    _images("16-bit PNG of a 12-bit camera", "refused", _pictures_of, np.uint16, 4095),
    _images("16-bit PNG, full", "read", _pictures_of, np.uint16, 65535),
    _images("PNG, all black", "refused", _pictures_of, np.uint8, 0),
    _images("black on transparent", "read", _transparent),
    _images("white on transparent", "refused", _white_on_transparent),
    *(_images(f"only {s}", "read", _suffix, s) for s in (".tif", ".bmp", ".gif", ".webp", ".jpg")),
    _images("one colour photo", "refused", _shape, (48, 64, 3)),
    _images("height, width, count", "refused", _shape, (20, 20, 90)),
    _images("rows that make no square", "refused", _shape, (90, 250)),
    _images("one number", "refused", _shape, ()),
    _images("five dimensions", "refused", _shape, (90, 1, 8, 8, 3)),
    _images("channels first", "read", _shape, (90, 3, 8, 8)),
    _images("no images", "refused", _shape, (0, 8, 8)),
    _images("labels in a column", "read", _npz, y_train=labels()[:, None]),
    _images("labels as names", "read", _npz, y_train=np.where(labels(), "bar", "disk")),
    _images("labels as rows of one 1", "read", _npz, y_train=np.eye(2)[labels()]),
    _images("negative labels", "refused", _npz, y_train=-labels() - 1),
    _images("labels that are dates", "refused", _npz, y_train=labels() + 20240131),
    _images("labels too few", "refused", _npz, y_train=labels()[:50]),
    _images("labels in halves", "refused", _npz, y_train=labels() / 2),
    _images("one class name for two", "refused", _npz, class_names=np.array(["disk"])),
    _images("a class name alone", "refused", _npz, class_names=np.array("disk")),
    _images("objects", "refused", _npz, x_train=np.array([{}] * COUNT, object)),
    _images("not a number among floats", "refused", _npz, x_train=np.full((COUNT, 4, 4), np.nan)),
    _images("zip", "read", _zip),
    _images("zip with backslashes", "read", _zip, "\\"),
    _images("zip from macOS", "read", _zip, "/", b"junk"),
    _images("zip, encrypted", "refused", partial(_flagged, _zip)),
    _images("npz, encrypted", "refused", partial(_flagged, _npz)),
    _images("zip, cut", "refused", partial(_cut, _zip)),
    _images("npz, cut", "refused", partial(_cut, _npz)),
    _images("npz that promises 3 GB", "refused", _bomb),
    _images("idx", "read", _idx),
    _images("idx, gzipped", "read", _idx, "{part}-{what}-idx{n}-ubyte.gz", True),
    _images("idx, gzipped by name alone", "read", _idx, "{part}-{what}-idx{n}-ubyte.gz"),
    _images("idx with dots", "read", _idx, "{part}-{what}.idx{n}-ubyte"),
    _images(
        "idx in folders", "read", _idx, "{part}-{what}-idx{n}-ubyte/{part}-{what}-idx{n}-ubyte"
    ),
    _images("idx of EMNIST", "read", _idx, "emnist-letters-{part}-{what}-idx{n}-ubyte"),
    _images("idx whose shape wraps round", "refused", _idx_shape),
    _images(
        "header of 10^12 bytes",
        "refused",
        _no_rng(_header),
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000, 28, 28), }",
    ),
    _images("header cut", "refused", _no_rng(_header), "{'descr': '|u1', 'shape': (10, 28"),
    _images(
        "header of long numbers", "refused", _no_rng(_header), "{'descr': '|u1', 'shape': (90L, 2L"
    ),
    _images("header nested", "refused", _no_rng(_header), "(" * 5000),
    _images("EXIF cut", "read", _exif, b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(range(200))),
    _images("EXIF twice", "read", _exif, b"Exif\0\0Exif\0\0II*\0\x08\0\0\0\x01\0"),
    _images("EXIF of random bytes", "read", _exif, b"Exif\0\0" + bytes(range(255, 0, -1))),
    _images("a web page called .jpg", "refused", _one_of, "im9000.jpg", b"<html>404</html>"),
    _images("an empty picture", "refused", _one_of, "im9000.png", b""),
    _images("notes and tables beside pictures", "read", _one_of, "notes.csv", b"a,b\n1,2\n"),
    _images("what systems leave", "read", _one_of, "Thumbs.db", b"\0" * 100),
    _images("a text of 100 MB in a PNG", "refused", _text_chunk),
    _images("a table", "refused", _no_rng(_written), "mnist_train.csv", b"label,p0\n3,0\n"),
    _images("MATLAB 7.3", "refused", _no_rng(_written), "data.mat", b"MATLAB 7.3 MAT-file"),
    _images("parquet", "refused", _no_rng(_written), "train.parquet", b"PAR1junkPAR1"),
    _images("a pickle called .npy", "refused", _no_rng(_written), "set.npy", b"\x80\x04}\x94."),
    _images("an empty .npy", "refused", _no_rng(_written), "set.npy", b""),
    _images("an empty .npz", "refused", _no_rng(_written), "set.npz", b""),
    _images(
        "one picture",
        "refused",
        _no_rng(_written),
        "one.png",
        png(np.eye(16, dtype=np.uint8) * 255),
    ),
)
