"""A bench that a run file or a layer file names: its devices are driven only where that is wanted.

The file may be somebody else's, and an address in it another device here. It is compared with the bench
file that is named here; without one, it has to be a bench that this user has opened on this computer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibration.archive import CalibrationArchive
from calibration.result import CalibrationError
from labdiff.config.bench import BenchConfig, BenchFile, read_bench_file
from labdiff.config.user_folder import add_line, read_lines
from labdiff.errors import UserError

FILE = "benches.txt"
"""File of the benches that this user has opened here, one SHA-256 a line, in the user's folder."""
SIMULATED = ("mock", "none")
"""Drivers that reach no device."""
MOST_SHOWN = 3
"""Number of differences between two benches that are named."""


class BenchNotConfirmedError(UserError):
    """Raised before a bench of a file is opened that was never opened here; a person may say yes."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What was said here about the bench of a file.

    bench: the bench file here, which has to be the same; None if none was named. confirmed: whether a
    person has said yes to its devices.
    """

    bench: str | BenchFile | None = None
    confirmed: bool = False


NOTHING_SAID = Consent()
"""Neither a bench file was named, nor was anybody asked."""


def require_consent(name: str, text: str, config: BenchConfig, consent: Consent) -> None:
    """Refuse to open the bench of a file that differs from the one here, or is not known here.

    Args:
        name: of the file, for messages.
        text: of its bench.
        config: the same, read.
        consent: what was said about it.

    Raises:
        UserError: if it differs from the bench that was named here; names what differs.
        BenchNotConfirmedError: if none was named, and it was never opened here; names its devices.
    """
    if consent.bench is not None:
        here = read_bench_file(consent.bench)
        differences = _differences(config, here.config)
        if differences:
            shown = "; ".join(differences[:MOST_SHOWN])
            more = f"; and {len(differences) - MOST_SHOWN} more" if differences[MOST_SHOWN:] else ""
            raise UserError(f"{name}: its bench differs from {here.source}: {shown}{more}")
        return
    devices = _devices(config)
    if not devices or consent.confirmed or _digest(text) in read_lines(FILE):
        return
    raise BenchNotConfirmedError(
        f"{name}: its bench was never opened on this computer and drives {', '.join(devices)}. Name the "
        "bench file here, to be compared with it, as --bench FILE; or say --yes to drive these devices"
    )


def remember(text: str, config: BenchConfig) -> None:
    """Remember that this user has opened a bench of real devices here, if that can be written down."""
    if not _devices(config):
        return
    try:
        add_line(FILE, _digest(text))
    except OSError:
        return


def own_calibrations(folder: Path | None, text: str) -> Path | None:
    """Return the calibration folder that a run names, if it is its bench's; None if it is another's.

    Args:
        folder: as the run names it; None if it names none.
        text: of the run's bench: calibrations hold its checksum.
    """
    if folder is None:
        return None
    named_so = folder.parent.name == "calibration" or folder.suffix == ".calibration"
    try:
        files = sorted(folder.glob("*Z-*.h5"), reverse=True)
    except OSError:
        return None
    if not files:
        return folder if named_so else None
    archive, wanted = CalibrationArchive(folder), _digest(text)
    for path in files:
        try:
            if archive.read(path).provenance.bench_sha256 == wanted:
                return folder
        except CalibrationError:
            continue
    return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _devices(config: BenchConfig) -> list[str]:
    """Return what a bench drives, as "laser scpi at TCPIP::..."; nothing if all is simulated."""
    devices = [
        ("laser", config.laser.driver, config.laser.address),
        ("slm", config.slm.driver, config.slm.address),
        ("camera", config.camera.driver, config.camera.serial),
    ]
    if config.input.kind == "dmd":
        devices.append(("dmd", config.input.driver, config.input.address))
    return [
        f"{kind} {driver}" + (f" at {place}" if place else "")
        for kind, driver, place in devices
        if driver not in SIMULATED
    ]


def _differences(one: BenchConfig, other: BenchConfig) -> list[str]:
    """Return the keys of two bench files whose values differ, with both values."""
    first, second = dict(_flat(one.model_dump())), dict(_flat(other.model_dump()))
    return [
        f"{key} = {first.get(key)!r}, here {second.get(key)!r}"
        for key in {**first, **second}
        if key != "name" and first.get(key) != second.get(key)
    ]


def _flat(nested: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in nested.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, value
