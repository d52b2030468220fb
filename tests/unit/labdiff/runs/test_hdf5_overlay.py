"""What was written to an overlay is read back, and the file below stays as it was until it is saved."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest

from labdiff.runs.hdf5_overlay import PAGE_BYTES, Overlay


@pytest.mark.parametrize("seed", range(5))
def test_any_acts_leave_what_a_file_in_memory_would_hold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    old = rng.bytes(int(rng.integers(0, 3 * PAGE_BYTES)))
    base, plain = io.BytesIO(old), io.BytesIO(old)
    overlay = Overlay(base)
    for _ in range(200):
        place = int(rng.integers(0, 4 * PAGE_BYTES))
        length = int(rng.choice([1, 100, PAGE_BYTES, 2 * PAGE_BYTES + 7]))
        overlay.seek(place)
        plain.seek(place)
        if rng.random() < 0.5:
            content = rng.bytes(length)
            assert overlay.write(content) == plain.write(content)
        else:
            assert overlay.read(length) == plain.read(length)
        assert overlay.tell() == plain.tell()
        assert overlay.seek(0, os.SEEK_END) == plain.seek(0, os.SEEK_END)
    saved = io.BytesIO()
    overlay.save(saved)
    assert saved.getvalue() == plain.getvalue()
    assert base.getvalue() == old


def test_what_is_cut_off_is_not_saved() -> None:
    overlay = Overlay(io.BytesIO(bytes(range(200)) * 1000))
    overlay.truncate(1234)
    saved = io.BytesIO()
    overlay.save(saved)
    assert saved.getvalue() == (bytes(range(200)) * 1000)[:1234]


def test_it_holds_what_was_changed_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(100 * PAGE_BYTES))
    with path.open("rb") as base:
        overlay = Overlay(base)
        overlay.seek(50 * PAGE_BYTES)
        overlay.write(b"changed")
        overlay.seek(0)
        overlay.write(bytes(3 * PAGE_BYTES))  # as it was
        assert overlay.pages == 1
