"""Links and paths that lead outside: of HDF5 files, zips, names of runs and of data."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from benchmarks.attack_checks.attempt import Attempt
from benchmarks.attack_checks.pages import ARTEFACTS, whole_run
from calibration.archive import CalibrationArchive
from labdiff.data.image_set import load_images
from labdiff.runs.reader import read_run
from labdiff.session.layer_file import read_layers

SECRET = 0.4242
"""Value in the file that a stranger's file points to."""
Link = Callable[[h5py.Group, str, Path], None]


def _external(group: h5py.Group, name: str, other: Path) -> None:
    group[name] = h5py.ExternalLink(str(other), "/secret")


def _through_soft(group: h5py.Group, name: str, other: Path) -> None:
    group["way"] = h5py.ExternalLink(str(other), "/")
    group[name] = h5py.SoftLink(f"{group.name}/way/secret")


def _virtual(group: h5py.Group, name: str, other: Path) -> None:
    shape = (2, 4, 100, 100) if "phases" in name else (4, 10, 10)
    layout = h5py.VirtualLayout(shape, dtype="f4")
    layout[...] = h5py.VirtualSource(str(other), "secret", shape=shape)
    group.create_virtual_dataset(name, layout)


def _raw(group: h5py.Group, name: str, other: Path) -> None:
    shape = (2, 4, 100, 100) if "phases" in name else (4, 10, 10)
    raw = other.with_suffix(".raw")
    group.create_dataset(name, shape, "f4", external=[(str(raw), 0, 4 * int(np.prod(shape)))])


def _to_itself(group: h5py.Group, name: str, other: Path) -> None:
    del other
    group[name] = h5py.SoftLink(f"{group.name}/{name}")


LINKS: dict[str, Link] = {
    "external link": _external,
    "soft link through an external one": _through_soft,
    "virtual data set": _virtual,
    "raw data in another file": _raw,
    "link to itself": _to_itself,
}


def _secret(folder: Path, shape: tuple[int, ...]) -> Path:
    """Write the file that is not to be read."""
    outside = folder / "outside"
    outside.mkdir()
    secret = np.full(shape, SECRET, np.float32)
    with h5py.File(outside / "secret.h5", "w") as file:
        file["secret"] = secret
    (outside / "secret.raw").write_bytes(secret.tobytes())
    return outside / "secret.h5"


def _linked_run(where: str, link: Link, folder: Path) -> Sequence[str]:
    path = folder / "run.h5"
    path.write_bytes(whole_run())
    with h5py.File(path, "r+") as file:
        shape = file[where].shape
        other = _secret(folder, shape)
        group, _, name = where.rpartition("/")
        del file[where]
        link(file[group], name, other)
    run = read_run(path)
    arrays = [*run.generated.values(), *run.checkpoint.values(), *run.pictures.values()]
    return ["the other file's values are here"] if any(map(_is_secret, arrays)) else []


def _linked_layers(link: Link, folder: Path) -> Sequence[str]:
    path = folder / "layers.h5"
    path.write_bytes((ARTEFACTS / "layers.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        places: list[str] = []
        file.visititems(
            lambda name, item: (
                places.append(name)
                if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" and item.ndim
                else None
            )
        )
        where = f"/{places[0]}"
        other = _secret(folder, file[where].shape)
        group, _, name = where.rpartition("/")
        del file[where]
        link(file[group or "/"], name, other)
    return ["the other file's values are here"] if "0.4242" in repr(read_layers(path)) else []


def _linked_archive(link: Link, folder: Path) -> Sequence[str]:
    path = folder / "20261129T191331825032Z-camera.h5"
    path.write_bytes((ARTEFACTS / "calibrations" / path.name).read_bytes())
    with h5py.File(path, "r+") as file:
        places: list[str] = []
        file.visititems(
            lambda name, item: places.append(name) if name.endswith("gain_electrons") else None
        )
        other = _secret(folder, ())
        group, _, name = f"/{places[0]}".rpartition("/")
        del file[places[0]]
        link(file[group or "/"], name, other)
    found = CalibrationArchive(folder).read(path)
    return ["the other file's value is here"] if "0.4242" in repr(found) else []


def _is_secret(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" and array.size > 0 and bool(np.allclose(array, SECRET))


def _picture(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 12)).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def _zip(name: str, link_to: str | None, folder: Path) -> Sequence[str]:
    """Read a zip with a name, or a link, that leads out of it."""
    inside = folder / "in"
    inside.mkdir()
    (folder / "outside.png").write_bytes(_picture(99))
    with zipfile.ZipFile(inside / "images.zip", "w") as archive:
        for number in range(8):
            archive.writestr(f"{number % 2}/{number}.png", _picture(number))
        entry = zipfile.ZipInfo(name.replace("FOLDER", folder.as_posix()))
        if link_to is not None:
            entry.create_system, entry.external_attr = 3, 0o120777 << 16
        archive.writestr(entry, _picture(98) if link_to is None else link_to)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    images = load_images(str(inside / "images.zip"), 12)
    count = len(images.train) + len(images.test)
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    signs = [] if after == before else [f"files changed: {after.keys() ^ before.keys()}"]
    return [*signs, "the link was followed"] if link_to and count > 8 else signs


def _linked_folder(folder: Path) -> Sequence[str]:
    """Read a run file that is a link to a device, as /dev/zero, which has no end."""
    path = folder / "run.h5"
    path.symlink_to("/dev/zero")
    read_run(path)
    return ["read"]


RUN_PLACES = ("/entry/generated/images", "/entry/checkpoint/odu.phases", "/entry/pictures/camera")
ATTEMPTS = [
    *(
        Attempt(f"run: {name} at {where}", partial(_linked_run, where, link))
        for name, link in LINKS.items()
        for where in RUN_PLACES[: 3 if name == "external link" else 1]
    ),
    *(Attempt(f"layers: {name}", partial(_linked_layers, link)) for name, link in LINKS.items()),
    *(
        Attempt(f"calibration: {name}", partial(_linked_archive, LINKS[name]))
        for name in ("external link", "soft link through an external one", "link to itself")
    ),
    *(
        Attempt(f"zip: {name} {link or ''}", partial(_zip, name, link))
        for name, link in (
            ("../../evil.png", None),
            ("FOLDER/evil.png", None),
            ("..\\..\\evil.png", None),
            ("C:\\evil.png", None),
            ("0/../../../evil.png", None),
            ("0/link.png", "../outside.png"),
            ("0/link.png", "/etc/passwd"),
        )
    ),
    Attempt("a run file that is a link to /dev/zero", _linked_folder),
]
