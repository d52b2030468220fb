"""The scripts that make the pictures of the documentation run, and make what is shown there."""

import importlib
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.unit.house.prose import ROOT


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the folder of the scripts on Python's path, as running one of them does."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    return ROOT / "docs"


def test_every_picture_of_the_mock_bench_has_a_record(scripts: Path) -> None:
    mock_pictures = importlib.import_module("mock_pictures")
    page = (scripts / "mock-bench.md").read_text(encoding="utf-8")
    embedded = re.findall(r"\(images/mock/([\w-]+)\.png\)", page)
    assert sorted(embedded) == sorted(picture.name for picture in mock_pictures.PICTURES)


def test_a_picture_is_made_anew(scripts: Path, tmp_path: Path) -> None:
    importlib.import_module("mock_pictures").main(["slm", "--to", str(tmp_path)])
    with Image.open(tmp_path / "slm.png") as made:
        size = made.size
    with Image.open(scripts / "images" / "mock" / "slm.png") as shown:
        assert size == shown.size


def test_the_script_of_the_window_is_imported(scripts: Path) -> None:
    pictures = importlib.import_module("gui_pictures").PICTURES
    assert pictures == scripts / "images" / "gui"
