"""Fixtures that several floors share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

# No window is needed to test windows; set before Qt is imported by anything.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Small arrays run faster on one thread, and the same everywhere; fixtures of modules too."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def still_one_thread() -> Iterator[None]:
    """Whatever a test sets ends with it."""
    yield
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests pass without the user's data files."""
    monkeypatch.delenv("LABDIFF_DATA", raising=False)
