"""Layouts of folders, zips and archives as people have them."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from labdiff.data.readers.any_format import read
from labdiff.data.readers.raw import RawImages, ReadOptions
from labdiff.data.readers.splits import split_of
from labdiff.errors import UserError

OPTIONS = ReadOptions(4)


def save(path: Path, level: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), level).save(path)


def levels(images: npt.NDArray[np.generic] | None) -> list[int]:
    assert images is not None
    return [round(float(image[0, 0])) for image in images]


def split_folders(root: Path, *parts: str) -> RawImages:
    for number, part in enumerate(parts):
        for klass in ("ant", "bee"):
            save(root / part / klass / "a.png", 10 * (number + 1))
    return read(root, OPTIONS)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("Train", "Test"),
        ("TRAINING", "testing"),
        ("training_set", "test_set"),
        ("train_images", "test_images"),
        ("seg_train", "seg_test"),
        ("train", "valid"),
        ("train", "dev"),
        ("train-data", "eval"),
    ],
)
def test_splits_are_known_in_the_spellings_people_use(
    tmp_path: Path, train: str, test: str
) -> None:
    raw = split_folders(tmp_path, train, test)
    assert raw.class_names == ("ant", "bee")
    assert levels(raw.images) == [10, 10] and levels(raw.test) == [20, 20]


def test_of_three_splits_the_validation_images_are_left_aside_and_counted(tmp_path: Path) -> None:
    raw = split_folders(tmp_path, "train", "val", "test")
    assert levels(raw.images) == [10, 10] and levels(raw.test) == [30, 30]
    assert raw.notes == ("2 validation images are left aside",)


def test_splits_below_the_classes(tmp_path: Path) -> None:
    for klass, level in (("ant", 10), ("bee", 20)):
        save(tmp_path / klass / "train" / "a.png", level)
        save(tmp_path / klass / "test" / "b.png", level + 5)
    raw = read(tmp_path, OPTIONS)
    assert levels(raw.images) == [10, 20] and levels(raw.test) == [15, 25]
    assert raw.class_names == ("ant", "bee") and raw.labels.tolist() == [0, 1]


def test_test_images_without_classes_are_left_aside(tmp_path: Path) -> None:
    split_folders(tmp_path, "train")
    save(tmp_path / "test" / "1.png", 99)
    raw = read(tmp_path, OPTIONS)
    assert raw.test is None and "1 test images without classes are left aside" in raw.notes


def test_splits_beside_classes_are_refused(tmp_path: Path) -> None:
    split_folders(tmp_path, "train")
    save(tmp_path / "wasp" / "1.png", 99)
    with pytest.raises(UserError, match="train read as splits, beside wasp"):
        read(tmp_path, OPTIONS)


@pytest.mark.parametrize(
    "name", ["trained", "retrain", "contest", "latest", "value", "class train", "a"]
)
def test_other_names_are_no_splits(name: str) -> None:
    assert split_of(name) is None


def test_dates_are_names_of_classes(tmp_path: Path) -> None:
    for name in ("20240131", "20240201"):
        save(tmp_path / name / "a.png", 9)
    raw = read(tmp_path, OPTIONS)
    assert raw.labels.tolist() == [0, 1] and raw.class_names == ("20240131", "20240201")


def test_every_kind_of_picture_is_read_and_the_rest_is_counted(tmp_path: Path) -> None:
    for number, kind in enumerate(("png", "tif", "bmp", "gif", "webp", "jpg")):
        Image.new("L", (8, 8), 40 * number).save(tmp_path / f"{number}.{kind}")
    for name in ("notes.txt", "labels.csv", "more.csv", "Thumbs.db", ".DS_Store"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    raw = read(tmp_path, OPTIONS)
    assert np.allclose(levels(raw.images), [0, 40, 80, 120, 160, 200], atol=3)
    assert raw.notes == ("3 files that are no pictures are passed over (2 .csv, 1 .txt)",)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    save(tmp_path / "elsewhere" / "a.png", 50)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "ant").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "loop").symlink_to(tmp_path / "set")
    assert levels(read(tmp_path / "set", OPTIONS).images) == [50]


def test_backslashes_in_a_zip_separate_folders(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("L", (8, 8), 30).save(file, "png")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("set/ant/1.png", file.getvalue())
        archive.writestr("set/bee/1.png", file.getvalue())
    content = (tmp_path / "a.zip").read_bytes()
    for name in (b"set/ant/1.png", b"set/bee/1.png"):
        content = content.replace(name, name.replace(b"/", b"\\"))
    (tmp_path / "a.zip").write_bytes(content)
    assert read(tmp_path / "a.zip", OPTIONS).class_names == ("ant", "bee")


def test_medmnist_and_labels_in_a_column_and_as_names(tmp_path: Path) -> None:
    images = np.arange(6, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)
    column = np.array([[0], [1]] * 3, np.uint8)
    np.savez(
        tmp_path / "medmnist.npz",
        train_images=images,
        train_labels=column,
        val_images=images[:2],
        val_labels=column[:2],
        test_images=images[:3],
        test_labels=column[:3],
    )
    raw = read(tmp_path / "medmnist.npz", OPTIONS)
    assert raw.labels.tolist() == [0, 1] * 3 and levels(raw.test) == [0, 1, 2]
    assert raw.notes == ("2 validation images (val_images) are left aside",)
    for labels in (["bee", "ant"] * 3, np.eye(2)[[1, 0] * 3]):
        np.savez(tmp_path / "names.npz", X_train=images, y_train=labels)
        assert read(tmp_path / "names.npz", OPTIONS).labels.tolist() == [1, 0] * 3


@pytest.mark.parametrize(
    "pattern",
    [
        "{split}-{what}-idx{n}-ubyte",
        "{split}-{what}.idx{n}-ubyte",
        "{split}-{what}-idx{n}-ubyte/{split}-{what}-idx{n}-ubyte",
        "emnist-letters-{split}-{what}-idx{n}-ubyte.gz",
    ],
)
def test_idx_files_under_the_names_that_unpackers_and_mirrors_give(
    tmp_path: Path, pattern: str
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 3), np.uint8)
    for split, count in (("train", 4), ("test" if "emnist" in pattern else "t10k", 2)):
        for what, array in (
            ("images", images[:count]),
            ("labels", np.arange(count, dtype=np.uint8)),
        ):
            path = tmp_path / pattern.format(split=split, what=what, n=array.ndim)
            path.parent.mkdir(exist_ok=True)
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            content = header + array.tobytes()
            path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    raw = read(tmp_path, OPTIONS)
    expected = images.swapaxes(1, 2) if "emnist" in pattern else images
    assert np.array_equal(raw.images, expected)
    assert raw.test is not None and np.array_equal(raw.test, expected[:2])


def test_headers_that_promise_more_than_there_is_are_refused_before_reading(tmp_path: Path) -> None:
    def npy(shape: str) -> bytes:
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
        header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
        return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(100)

    (tmp_path / "huge.npy").write_bytes(npy("(1000000000, 28, 28)"))
    with pytest.raises(UserError, match="promises 784,000,000,000 bytes.*holds 100"):
        read(tmp_path / "huge.npy", OPTIONS)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("x_train.npy", npy("(1000000000, 28, 28)"))
    with pytest.raises(UserError, match=r"bomb.npz, x_train: its header promises"):
        read(tmp_path / "bomb.npz", OPTIONS)
    wrapped = bytes([0, 0, 8, 3]) + np.array([2**31, 2**31, 4], ">u4").tobytes()
    (tmp_path / "train-images-idx3-ubyte").write_bytes(wrapped)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 0]))
    with pytest.raises(UserError, match="0 bytes of data; its header promises"):
        read(tmp_path, OPTIONS)


def test_a_damaged_exif_block_costs_no_picture(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("L", (8, 8), 90).save(file, "jpeg")
    jpeg = file.getvalue()
    block = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(range(200))
    marked = jpeg[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + jpeg[2:]
    (tmp_path / "a.jpg").write_bytes(marked)
    assert levels(read(tmp_path, OPTIONS).images) == [90]
