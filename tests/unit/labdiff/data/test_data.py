from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from labdiff.data.catalogue import DATA_SETS, for_training
from labdiff.data.contact_sheet import write_contact_sheet
from labdiff.data.folder import data_folder
from labdiff.data.image_set import load_images
from labdiff.errors import UserError


def write_npz(path: Path, train: int = 300, test: int = 0, classes: int = 3) -> None:
    """Each image's grey level, beside a white edge, tells which one it is; labels go round."""
    images = np.arange(train, dtype=np.uint16)[:, None, None] * np.ones((1, 6, 6), np.uint16)
    images[:, :, 0] = 65535
    arrays = {"x_train": images, "y_train": np.arange(train) % classes}
    if test:
        arrays["x_test"] = np.full((test, 6, 6), 65535, np.uint16)
        arrays["y_test"] = np.arange(test) % classes
    np.savez(path, **arrays)


def levels(images: torch.Tensor) -> list[int]:
    """Undo the scaling: which of `write_npz`'s images these are."""
    return [round(float(image[3, 3] + 1) / 2 * 65535) for image in images]


def test_embedded_digits_are_split_without_overlap() -> None:
    images = load_images("digits", 10, (0, 1, 2), seed=4)
    assert images.train.shape[1:] == (10, 10)
    assert len(images.train) + len(images.test) == 537
    assert float(images.train.min()) >= -1.0
    assert float(images.train.max()) <= 1.0
    seen = {t.numpy().tobytes() for t in images.train}
    assert sum(t.numpy().tobytes() in seen for t in images.test) <= 1


def test_digits_are_those_of_scikit_learn_and_it_is_named_where_they_are_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sklearn.datasets import load_digits

    images = load_images("digits", 8)
    mine = torch.cat([images.train, images.test]).flatten(1)
    theirs = torch.from_numpy(load_digits().data).float() / 8.0 - 1.0
    assert mine.sum(0).allclose(theirs.sum(0), atol=1e-2) and mine.shape == theirs.shape
    monkeypatch.setattr("labdiff.data.image_set.find_spec", lambda name: None)
    with pytest.raises(UserError, match="scikit-learn, which is not complete"):
        load_images("digits", 8)


def test_a_fifth_is_held_out_and_no_image_is_lost_or_doubled(tmp_path: Path) -> None:
    write_npz(tmp_path / "mnist.npz", train=400)
    images = load_images("mnist", 6, (), tmp_path, seed=1)
    assert (len(images.train), len(images.test)) == (320, 80)
    assert sorted(levels(images.train) + levels(images.test)) == list(range(400))
    assert images.train_labels.tolist() == [level % 3 for level in levels(images.train)]
    assert "320 for training, 80 held out" in images.source


def test_the_seed_alone_decides_the_order(tmp_path: Path) -> None:
    write_npz(tmp_path / "mnist.npz", test=20)
    first, again, other = (load_images("mnist", 6, (), tmp_path, seed) for seed in (1, 1, 2))
    assert levels(first.train) == levels(again.train) != levels(other.train)
    assert first.test_labels.tolist() == again.test_labels.tolist() != other.test_labels.tolist()


def test_own_test_images_are_the_held_out_ones(tmp_path: Path) -> None:
    write_npz(tmp_path / "fashion_mnist.npz", train=300, test=30)
    images = load_images("fashion", 6, (0, 2), tmp_path)
    assert (len(images.train), len(images.test)) == (200, 20)
    assert set(levels(images.test)) == {65535}
    assert set(images.test_labels.tolist()) == {0, 2}
    assert images.class_names[2] == "Pullover"
    assert "200 for training, 20 of its own test images held out" in images.source


def test_a_selection_has_its_classes_and_can_be_narrowed(tmp_path: Path) -> None:
    write_npz(tmp_path / "mnist.npz", classes=10)
    assert set(load_images("mnist-0-2", 6, (), tmp_path).train_labels.tolist()) == {0, 1, 2}
    write_npz(tmp_path / "mnist.npz", classes=3)
    assert set(load_images("mnist-0-2", 6, (1,), tmp_path).train_labels.tolist()) == {1}
    with pytest.raises(UserError, match="'mnist-0-2': no class 7; it has 0, 1, 2"):
        load_images("mnist-0-2", 6, (7,), tmp_path)


@pytest.mark.parametrize(
    ("count", "train", "held_out", "words"),
    [
        (24_100, 20_000, 4_000, "20000 for training, 4000 held out"),
        (500, 400, 100, r"400 for training \(of 20000 wanted; there are no more\), 100 held out"),
    ],
)
def test_a_limit_counts_training_images(
    tmp_path: Path, count: int, train: int, held_out: int, words: str
) -> None:
    np.savez(
        tmp_path / "quickdraw_clock.npz",
        clock=np.tile(np.uint8([[0, 255], [255, 0]]), (count, 1, 1)),
    )
    images = load_images("clock-20000", 2, (), tmp_path)
    assert (len(images.train), len(images.test)) == (train, held_out)
    assert re.search(words, images.source)


def test_what_to_train_on_if_the_user_does_not_say() -> None:
    assert (for_training("digits").classes, for_training("digits").image_size) == ((0, 1, 2), 10)
    assert for_training("fashion").classes == (0, 1, 2)
    assert (for_training("cat-40").classes, for_training("cat-40").image_size) == ((), 40)
    assert for_training("my/images").classes == ()


def test_an_oblong_image_is_cropped_in_the_middle(tmp_path: Path) -> None:
    oblong = np.zeros((100, 4, 8), np.uint8)
    oblong[:, :, 2:6] = 255
    np.save(tmp_path / "mine.npy", oblong)
    images = load_images(str(tmp_path / "mine.npy"), 4)
    assert float(images.train.min()) == 1.0


def test_resizing_keeps_grey_levels(tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 30, dtype=np.float32)
    np.save(tmp_path / "ramp.npy", np.tile(ramp, (100, 30, 1)))
    images = load_images(str(tmp_path / "ramp.npy"), 10)
    centres = (np.arange(10) + 0.5) * 3 - 0.5
    expected = np.interp(centres, np.arange(30), ramp) * 2 - 1
    # Away from the border, where the filter is cut off, a ramp stays the same ramp.
    assert np.allclose(images.train[0, 5, 1:-1], expected[1:-1], atol=1e-5)


def test_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_folder().parent.name.lower() in ("labdiff", "cache")
    monkeypatch.setenv("LABDIFF_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    assert data_folder(tmp_path / "other") == tmp_path / "other"


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'minst': unknown; known are digits, mnist.*mnist-0-2"):
        load_images("minst", 10)
    with pytest.raises(UserError, match=r"mnist\.npz.*labdiff data get mnist.*LABDIFF_DATA"):
        load_images("mnist", 10, (), tmp_path)
    with pytest.raises(UserError, match="folder does not exist"):
        load_images("mnist", 10, (), tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"nowhere.*no such file or folder"):
        load_images(str(tmp_path / "nowhere"), 10)
    with pytest.raises(UserError, match="no class 12; it has 0, 1"):
        load_images("digits", 10, (1, 12))
    write_npz(tmp_path / "quickdraw_clock.npz", classes=1)
    with pytest.raises(UserError, match="no class 1; it has 0; give no classes for all of it"):
        load_images("clock", 10, (0, 1, 2), tmp_path)
    write_npz(tmp_path / "mnist.npz", train=60)
    with pytest.raises(UserError, match="60 images are too few to hold 64 out"):
        load_images("mnist", 10, (), tmp_path)
    write_npz(tmp_path / "mnist.npz", train=300, test=1)
    with pytest.raises(UserError, match="no test images of the classes 2"):
        load_images("mnist", 10, (2,), tmp_path)


def test_idx_files_without_a_folder_of_their_own_are_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"")
    with pytest.raises(UserError, match="could be of any data set.*move them to .*fashion_mnist"):
        load_images("fashion", 10, (), tmp_path)


def test_a_contact_sheet_has_a_row_a_class(tmp_path: Path) -> None:
    from PIL import Image

    images = load_images("digits", 8, (0, 1, 2))
    sheet = write_contact_sheet(images.train, images.train_labels, tmp_path / "sheet.png")
    with Image.open(sheet) as picture:
        width, height = picture.size
    assert (width - 4) // 12 == (height - 4) // 3 == 68
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
    with pytest.raises(UserError, match="cannot be written"):
        write_contact_sheet(images.train, images.train_labels, tmp_path / "no" / "sheet.png")


def test_every_download_is_named_and_checked() -> None:
    for entry in DATA_SETS.values():
        assert entry.licence
        for file in entry.files:
            assert len(file.sha256) == 64
            assert int(file.sha256, 16) > 0
            assert file.addresses
