"""The folder of this user's running programs: in a shared place it is nobody else's."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from drivers.errors import DeviceNotFoundError
from drivers.own_process import runtime_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has a folder for each user")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folder would be made, in a shared folder of the test's own."""
    for name in ("LABDIFF_RUNTIME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"labdiff-{os.getuid()}"


@pytest.mark.parametrize("before", [None, 0o777, 0o755, 0o700])
def test_it_is_closed_to_others(place: Path, before: int | None) -> None:
    if before is not None:
        place.mkdir()
        place.chmod(before)
    assert runtime_folder() == place
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_a_link_that_somebody_laid_is_not_followed(place: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DeviceNotFoundError, match="it is a link"):
        runtime_folder()
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o755


def test_a_named_folder_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "named").mkdir()
    (tmp_path / "named").chmod(0o755)
    monkeypatch.setenv("LABDIFF_RUNTIME", str(tmp_path / "named"))
    assert stat.S_IMODE(runtime_folder().stat().st_mode) == 0o755
