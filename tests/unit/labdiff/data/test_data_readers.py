from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from labdiff.data.readers.any_format import read
from labdiff.data.readers.raw import ReadOptions
from labdiff.errors import UserError


def idx(array: npt.NDArray[np.uint8]) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.tobytes()


def pixels(count: int, height: int = 5, width: int = 7, seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width), dtype=np.uint8)


def jpeg(level: int, size: tuple[int, int] = (16, 16)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (level, level, level)).save(file, "jpeg")
    return file.getvalue()


def write_flat(path: Path, level: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), level).save(path)


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_come_back_as_written(tmp_path: Path, packed: bool) -> None:
    train, test = pixels(20), pixels(6, seed=1)
    labels = np.arange(20, dtype=np.uint8) % 3
    for name, array in {
        "train-images-idx3-ubyte": train,
        "train-labels-idx1-ubyte": labels,
        "t10k-images-idx3-ubyte": test,
        "t10k-labels-idx1-ubyte": labels[:6],
    }.items():
        data = idx(array)
        (tmp_path / (f"{name}.gz" if packed else name)).write_bytes(
            gzip.compress(data) if packed else data
        )
    raw = read(tmp_path, ReadOptions(10))
    assert np.array_equal(raw.images, train)
    assert raw.test is not None and np.array_equal(raw.test, test)
    assert raw.test_labels is not None and raw.test_labels.tolist() == [0, 1, 2, 0, 1, 2]
    one = read(next(tmp_path.glob("t10k-images*")), ReadOptions(10))
    assert np.array_equal(one.images, test) and one.test is None


def test_broken_idx_files_are_named(tmp_path: Path) -> None:
    images = tmp_path / "train-images-idx3-ubyte"
    labels = tmp_path / "train-labels-idx1-ubyte"
    images.write_bytes(idx(pixels(4)))
    with pytest.raises(UserError, match=r"train-labels-idx1-ubyte\[.gz\] is missing"):
        read(tmp_path, ReadOptions(10))
    labels.write_bytes(idx(np.zeros(3, np.uint8)))
    with pytest.raises(UserError, match=r"train-labels.*shape \(3,\); expected 4 whole numbers"):
        read(tmp_path, ReadOptions(10))
    images.write_bytes(idx(pixels(4))[:-1])
    with pytest.raises(UserError, match=r"139 bytes of data; its header promises \(4, 5, 7\)"):
        read(tmp_path, ReadOptions(10))
    images.write_bytes(b"<html>")
    with pytest.raises(UserError, match="train-images.*not an idx file"):
        read(tmp_path, ReadOptions(10))
    images.unlink()
    images.with_name(images.name + ".gz").write_bytes(gzip.compress(idx(pixels(4)))[:50])
    with pytest.raises(UserError, match="ubyte.gz: cannot be read: Compressed file ended"):
        read(tmp_path, ReadOptions(10))


def test_npz_with_classes_names_and_test_images(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    names = np.array(["cat", "dog"])
    np.savez(path, images=pixels(4), labels=[0, 1, 0, 1], class_names=names)
    raw = read(path, ReadOptions(10))
    assert np.array_equal(raw.images, pixels(4))
    assert raw.labels.tolist() == [0, 1, 0, 1]
    assert raw.class_names == ("cat", "dog")
    np.savez(path, x_train=pixels(4), y_train=[0, 1, 0, 1], x_test=pixels(2), y_test=[1, 1])
    assert read(path, ReadOptions(10)).test_labels is not None
    # Test images without labels are of no use beside labelled ones.
    np.savez(path, x_train=pixels(4), y_train=[0, 1, 0, 1], x_test=pixels(2))
    assert read(path, ReadOptions(10)).test is None


def test_arrays_of_every_kind_mean_the_same_grey(tmp_path: Path) -> None:
    grey = pixels(3, 4, 4)
    expected = grey / 255.0
    for array in (
        grey,
        grey.reshape(3, 16),
        grey[..., None],
        np.repeat(grey[..., None], 3, axis=-1),
        grey.astype(np.int64),
        grey.astype(np.uint16) * 257,
        grey / 255.0,
    ):
        np.save(tmp_path / "a.npy", array)
        raw = read(tmp_path / "a.npy", ReadOptions(10))
        assert np.allclose(raw.images / raw.white, expected, atol=1e-6), (array.dtype, array.shape)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 10), np.uint8), "10 pixels a row make no square"),
        (np.zeros(4, np.uint8), r"shape \(4,\); expected \(count, height, width\)"),
        (np.zeros((0, 4, 4), np.uint8), "there are no images"),
        (np.full((4, 4, 4), -0.5), r"float64 values from -0.5 to -0.5; allowed are 0 ... 1"),
        (np.full((4, 4, 4), np.nan), "values from nan"),
        (np.full((4, 4, 4), 300), "int64 values from 300 to 300; allowed are 0 ... 255"),
        (np.array([["a", "b"]]), "not numbers"),
    ],
)
def test_arrays_that_are_no_images_are_refused(
    tmp_path: Path, array: npt.NDArray[np.generic], words: str
) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(UserError, match=words):
        read(tmp_path / "a.npy", ReadOptions(10))


def test_unreadable_archives_are_named(tmp_path: Path) -> None:
    for name in ("mine.npz", "mine.npy", "mine.zip"):
        path = tmp_path / name
        path.write_bytes(b"not an archive")
        with pytest.raises(UserError, match=rf"{name}: not a readable {path.suffix[1:]} file"):
            read(path, ReadOptions(10))
    np.savez(tmp_path / "empty.npz", other=np.zeros(3))
    with pytest.raises(UserError, match="no images; found other, expected x_train or images"):
        read(tmp_path / "empty.npz", ReadOptions(10))
    np.savez(tmp_path / "short.npz", images=pixels(4), labels=[0.5, 1, 2, 3])
    with pytest.raises(UserError, match=r"short.npz, labels: float64.*expected 4 whole numbers"):
        read(tmp_path / "short.npz", ReadOptions(10))
    whole = (tmp_path / "short.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"cut.npz: not a readable npz"):
        read(tmp_path / "cut.npz", ReadOptions(10))
    (tmp_path / "film.mp4").write_bytes(b"")
    with pytest.raises(UserError, match=r"film.mp4: cannot be read as images; give a folder"):
        read(tmp_path / "film.mp4", ReadOptions(10))


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "object.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="not a readable npy file.*allow_pickle"):
        read(tmp_path / "object.npy", ReadOptions(10))


def test_sub_folders_are_classes(tmp_path: Path) -> None:
    for number, name in enumerate(("ant", "bee")):
        write_flat(tmp_path / name / "a.png", 100 + number)
        write_flat(tmp_path / name / "deeper" / "b.jpeg", 200 + number)
    (tmp_path / "ant" / "notes.txt").write_text("no image", encoding="utf-8")
    (tmp_path / "bee" / "._a.png").write_bytes(b"what macOS leaves")
    raw = read(tmp_path, ReadOptions(4))
    assert raw.images.shape == (4, 4, 4)
    assert raw.images[:, 0, 0].tolist() == [100, 200, 101, 201]
    assert raw.labels.tolist() == [0, 0, 1, 1]
    assert raw.class_names == ("ant", "bee")


def test_numbered_sub_folders_are_class_numbers(tmp_path: Path) -> None:
    for name in ("2", "10"):
        write_flat(tmp_path / name / "a.png", int(name))
    raw = read(tmp_path, ReadOptions(4))
    assert raw.labels.tolist() == raw.images[:, 0, 0].tolist()
    assert set(raw.labels.tolist()) == {2, 10}


@pytest.mark.parametrize("held_out", ["test", "val"])
def test_train_and_test_folders_are_no_classes(tmp_path: Path, held_out: str) -> None:
    for part, level in (("train", 10), (held_out, 20)):
        for name in ("ant", "bee"):
            write_flat(tmp_path / part / name / "a.png", level)
    raw = read(tmp_path, ReadOptions(4))
    assert raw.class_names == ("ant", "bee")
    assert raw.labels.tolist() == [0, 1]
    assert raw.test is not None and set(raw.test.ravel().tolist()) == {20}


def test_pictures_of_any_size_and_kind_become_grey_squares(tmp_path: Path) -> None:
    oblong = np.zeros((20, 60, 3), np.uint8)
    oblong[:, 20:40, 0] = 255
    Image.fromarray(oblong).save(tmp_path / "a_colour.png")
    Image.fromarray(np.full((9, 9), 32768, np.uint16)).save(tmp_path / "b_16_bits.png")
    portrait = Image.new("L", (40, 40))
    portrait.paste(255, (0, 0, 20, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: left is up
    portrait.save(tmp_path / "c_turned.jpg", exif=exif)
    red, sixteen_bits, turned = read(tmp_path, ReadOptions(10)).images
    assert set(red.ravel().tolist()) == {76}  # 0.299 of 255
    assert np.allclose(sixteen_bits, 32768 / 257.0)
    assert turned[:4].min() > 250 and turned[6:].max() < 5


def test_a_large_jpeg_shrinks_as_its_full_decoding_does(tmp_path: Path) -> None:
    y, x = np.mgrid[0:512, 0:512]
    wave = (127.5 + 120 * np.sin(x / 40) * np.cos(y / 30)).astype(np.uint8)
    Image.fromarray(wave).save(tmp_path / "wave.jpg", quality=95)
    whole = Image.fromarray(wave).resize((40, 40), Image.Resampling.BILINEAR)
    difference = read(tmp_path, ReadOptions(40)).images[0].astype(float) - np.asarray(whole, float)
    assert np.abs(difference).max() < 3


def test_one_folder_of_a_zip_as_afhq_packs_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "afhq.zip", "w") as archive:
        for place, level in (("train/cat", 10), ("train/dog", 20), ("val/cat", 30)):
            archive.writestr(f"afhq/{place}/", "")
            archive.writestr(f"afhq/{place}/pixabay_1.jpg", jpeg(level))
    cats = read(tmp_path / "afhq.zip", ReadOptions(4, within="train/cat"))
    assert cats.images[:, 0, 0].tolist() == [10]
    assert cats.class_names == ()
    # All of it: one folder round everything is no class.
    whole = read(tmp_path / "afhq.zip", ReadOptions(4))
    assert whole.class_names == ("cat", "dog")
    assert whole.images[:, 0, 0].tolist() == [10, 20]
    assert whole.test is not None and len(whole.test) == 1
    with pytest.raises(UserError, match="no PNG, JPEG.*images in it, folder train/wild"):
        read(tmp_path / "afhq.zip", ReadOptions(4, within="train/wild"))


def test_pictures_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere: no such file or folder"):
        read(tmp_path / "nowhere", ReadOptions(4))
    with pytest.raises(UserError, match="no PNG, JPEG, TIFF, BMP, GIF or WebP images in it"):
        read(tmp_path, ReadOptions(4))
    write_flat(tmp_path / "ant" / "good.png", 3)
    broken = tmp_path / "ant" / "broken.jpg"
    for content in (b"", b"not a picture", jpeg(40, (200, 200))[:600]):
        broken.write_bytes(content)
        with pytest.raises(UserError, match=r"broken.jpg: not a readable image"):
            read(tmp_path, ReadOptions(4))
    broken.unlink()
    write_flat(tmp_path / "loose.png", 3)
    with pytest.raises(UserError, match=r"sub-folders.*and beside them.*loose.png"):
        read(tmp_path, ReadOptions(4))


def test_members_of_strange_names_are_passed_over_or_named_in_one_line(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("L", (4, 4), 7).save(picture, "PNG")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("0/a.png", "1/b.png", "b\x1eb\n.png", "Z/.."):
            archive.writestr(name, picture.getvalue())
    content = (tmp_path / "a.zip").read_bytes()
    # A member without a name, as damage makes it: the length of the name is 0, the rest is a comment.
    nameless = content.replace(b"\x04\x00\x00\x00\x00\x00", b"\x00\x00\x00\x00\x04\x00")
    (tmp_path / "nameless.zip").write_bytes(nameless)
    for name in ("a.zip", "nameless.zip"):
        with pytest.raises(UserError) as refused:
            read(tmp_path / name, ReadOptions(4))
        (line,) = str(refused.value).splitlines()
        assert name in line
    np.savez(tmp_path / "b.npz", **{"x\n\x1ey": pixels(3)})
    with pytest.raises(UserError) as refused:
        read(tmp_path / "b.npz", ReadOptions(4))
    assert str(refused.value).splitlines() == [
        f"{tmp_path / 'b.npz'}: no images; found x y, expected x_train or images"
    ]
