from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from labdiff.data import load_images
from labdiff.errors import UserError


def test_embedded_digits_are_split_without_overlap() -> None:
    images = load_images("digits", 10, (0, 1, 2), seed=4)
    assert images.train.shape[1:] == (10, 10)
    assert len(images.train) + len(images.test) == 537
    assert float(images.train.min()) >= -1.0
    assert float(images.train.max()) <= 1.0
    seen = {t.numpy().tobytes() for t in images.train}
    assert sum(t.numpy().tobytes() in seen for t in images.test) <= 1


def test_idx_files_are_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (100, 12, 12), dtype=np.uint8)
    header = bytes([0, 0, 8, 3]) + np.array(pixels.shape, ">u4").tobytes()
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + pixels.tobytes()))
    labels = np.zeros(100, np.uint8)
    header = bytes([0, 0, 8, 1]) + np.array(labels.shape, ">u4").tobytes()
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(header + labels.tobytes()))
    images = load_images("mnist", 12, (), tmp_path)
    assert len(images.train) + len(images.test) == 100
    assert float(images.train.max()) <= 1.0


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown; known are digits, mnist"):
        load_images("minst", 10)
    with pytest.raises(UserError, match="no data folder.*LABDIFF_DATA"):
        load_images("mnist", 10)
    with pytest.raises(UserError, match=r"mnist\.npz"):
        load_images("mnist", 10, (), tmp_path)
    (tmp_path / "mnist.npz").write_bytes(b"not an archive")
    with pytest.raises(UserError, match="not a readable npz"):
        load_images("mnist", 10, (), tmp_path)
    with pytest.raises(UserError, match="no class 12"):
        load_images("digits", 10, (1, 12))
