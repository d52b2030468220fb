"""Download files: the only module that uses the internet, and only when the user asks for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

import pooch
import requests

from labdiff.atomic_write import try_writing
from labdiff.data.catalogue import Entry, RemoteFile
from labdiff.errors import UserError

TIMEOUT_S = 30.0
"""Longest time without an answer of the server."""
CHUNK_BYTES = 1 << 16
"""Number of bytes between two updates of the progress bar."""


class Bar(Protocol):
    """A progress bar as pooch uses it: `total` is set, then bytes are added."""

    total: int

    def update(self, count: int, /) -> object:
        """Add bytes."""

    def reset(self) -> object:
        """Reset the count to zero bytes."""

    def close(self) -> object:
        """Close the bar: the file is complete."""


Bars: TypeAlias = Callable[[RemoteFile], Bar]


def download(entry: Entry, folder: Path, bars: Bars) -> list[Path]:
    """Download an entry's files into a folder; files with the right checksum are not downloaded again.

    A file appears under its name only when it is complete and its SHA-256 is right.

    Args:
        entry: the data set or weights.
        folder: created if it does not exist.
        bars: makes the progress bar of a file.

    Returns:
        The files' paths.

    Raises:
        UserError: the folder cannot be written, or no address gives the right file.
    """
    pooch.get_logger().setLevel("ERROR")
    existed = folder.exists()
    try:
        try_writing(folder)  # now, and not when some minutes' bytes have come
        return [_get(file, folder, bars) for file in entry.files]
    except OSError as error:
        # A full disk, or a folder without permission; requests' own errors are caught in _get.
        raise UserError(f"{folder}: cannot be written: {error.strerror or error}") from None
    finally:
        if not existed:
            with contextlib.suppress(OSError):  # not empty: something arrived
                folder.rmdir()


def _get(file: RemoteFile, folder: Path, bars: Bars) -> Path:
    failures: dict[str, str] = {}
    for address in file.addresses:
        fetch = pooch.HTTPDownloader(
            progressbar=bars(file),
            chunk_size=CHUNK_BYTES,
            timeout=TIMEOUT_S,
            # Otherwise a server may unpack a .gz in transit, and the checksum is wrong.
            headers={"Accept-Encoding": "identity"},
        )
        try:
            return Path(
                pooch.retrieve(
                    address, f"sha256:{file.sha256}", file.name, folder, downloader=fetch
                )
            )
        except requests.exceptions.RequestException as error:
            failures[address] = _reason(error)
        except ValueError:
            failures[address] = f"its SHA-256 is not {file.sha256}; the download was deleted"
    raise UserError(
        f"{file.name} could not be downloaded from "
        f"{', nor from '.join(f'{address} ({why})' for address, why in failures.items())}. "
        f"Try again later, or get the file elsewhere and put it in {folder}"
    )


def _reason(error: requests.exceptions.RequestException) -> str:
    if isinstance(error, requests.exceptions.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.Timeout):
        return f"no answer within {TIMEOUT_S:g} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was lost; the incomplete download was deleted"
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate is not valid"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection; is there internet?"
    return str(error)
