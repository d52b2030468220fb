"""Ray's token is a file for this account alone, whoever made it."""

from __future__ import annotations

import logging
import os
import stat
import threading
from pathlib import Path

import pytest

from labdiff.errors import UserError
from labdiff.workers.ray_token import keep_token_private, token_path

posix = pytest.mark.skipif(os.name != "posix", reason="Windows keeps a user's folder by itself")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_token_is_made_for_this_account_alone(
    home: Path, umask: int, caplog: pytest.LogCaptureFixture
) -> None:
    before = os.umask(umask)
    try:
        keep_token_private(create=True)
    finally:
        os.umask(before)
    token = home / ".ray" / "auth_token"
    assert (mode(token), mode(token.parent)) == (0o600, 0o700)
    assert len(token.read_text()) == 64
    assert [path.name for path in token.parent.iterdir()] == ["auth_token"]
    assert not caplog.records


@posix
@pytest.mark.parametrize(
    ("file_mode", "folder_mode"), [(0o644, 0o755), (0o666, 0o777), (0o600, 0o755)]
)
def test_a_wide_one_is_mended_once_and_stays_the_same(
    home: Path, file_mode: int, folder_mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    token = home / ".ray" / "auth_token"
    token.parent.mkdir()
    token.write_text("a" * 64)
    token.chmod(file_mode)
    token.parent.chmod(folder_mode)
    with caplog.at_level(logging.WARNING):
        keep_token_private(create=False)
        keep_token_private(create=True)
    assert (mode(token), mode(token.parent)) == (0o600, 0o700)
    assert token.read_text() == "a" * 64
    (record,) = caplog.records
    assert "\n" not in record.getMessage() and str(token.parent) in record.getMessage()
    assert ("delete it" in record.getMessage()) == (file_mode != 0o600)


@posix
def test_a_named_file_is_mended_and_the_folder_around_it_left(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(folder / "token"))
    keep_token_private(create=False)
    assert not (folder / "token").exists(), "a cluster's token is copied by hand"
    (folder / "token").touch(mode=0o644)
    keep_token_private(create=True)
    assert (mode(folder / "token"), mode(folder)) == (0o600, 0o755)
    assert len((folder / "token").read_text()) == 64, "an empty file is no token"


def test_a_token_in_a_variable_needs_no_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a" * 64)
    keep_token_private(create=True)
    assert token_path() is None and not any(home.iterdir())


def test_of_several_that_start_at_once_one_makes_it(home: Path) -> None:
    seen: list[str] = []

    def start() -> None:
        keep_token_private(create=True)
        seen.append((home / ".ray" / "auth_token").read_text())

    threads = [threading.Thread(target=start) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(seen) == 8 and len(set(seen)) == 1


def test_a_place_that_cannot_be_written_is_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(home / "file" / "token"))
    with pytest.raises(UserError, match="token cannot be kept"):
        keep_token_private(create=True)
