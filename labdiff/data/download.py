"""Get files from the internet: the only place in the project that uses it, and only when asked to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

import pooch
import requests

from labdiff.data.catalogue import Entry, RemoteFile
from labdiff.errors import UserError

TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 16


class Bar(Protocol):
    """What pooch tells of a download: `total` is set, then bytes are added."""

    total: int

    def update(self, count: int, /) -> object:
        """Add bytes."""

    def reset(self) -> object:
        """Back to zero bytes."""

    def close(self) -> object:
        """The file is complete."""


Bars: TypeAlias = Callable[[RemoteFile], Bar]


def download(entry: Entry, folder: Path, bars: Bars) -> list[Path]:
    """Get an entry's files into `folder`; those that are there with the right checksum are left.

    A file appears under its name only when it is complete and its SHA-256 is right.
    Raises UserError if the folder cannot be written or no address gives the right file.
    """
    pooch.get_logger().setLevel("ERROR")
    existed = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_get(file, folder, bars) for file in entry.files]
    except OSError as error:
        # The full disk, the folder without permission; requests' own errors are caught closer.
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
            # Else a server may unpack a .gz on the way, and the checksum is wrong.
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
            failures[address] = f"its SHA-256 is not {file.sha256}; what came is not kept"
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
        return "the connection broke off; the part that came is not kept"
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate is not valid"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection; is there internet?"
    return str(error)
