"""Read images from a file or folder of any known format."""

from __future__ import annotations

from pathlib import Path

from labdiff.data.readers.raw import RawImages, ReadOptions
from labdiff.errors import UserError

UNPACK = {
    ".gz": "unpack it",
    ".tar": "unpack it and give the folder",
    ".tgz": "unpack it and give the folder",
    ".7z": "unpack it and give the folder",
    ".rar": "unpack it and give the folder",
    ".mat": "store the array with numpy.save",
    ".csv": "store the pixels with numpy.save",
    ".parquet": "store the pictures as files",
    ".h5": "store the array with numpy.save",
    ".pkl": "store the array with numpy.save; pickles are not read",
    ".pt": "store the array with numpy.save; pickles are not read",
}
"""What to do with files that people have and that are not read."""


def read(path: Path, options: ReadOptions) -> RawImages:
    """Return the images and classes of a file or folder, whatever its format.

    Pictures, of which each may have its own size, come out at `options.size`; arrays as they are.

    Raises:
        UserError: if there is nothing there, or nothing that can be read; names the file and the remedy.
    """
    from labdiff.data.readers.idx import holds_idx, read_idx
    from labdiff.data.readers.npy import read_npy
    from labdiff.data.readers.npz import read_npz
    from labdiff.data.readers.picture import SUFFIXES
    from labdiff.data.readers.pictures import read_folder, read_zip

    if not path.exists():
        raise UserError(f"{path}: no such file or folder")
    if not path.is_dir() and not path.is_file():
        raise UserError(f"{path}: is no regular file or folder; give one that holds images")
    if holds_idx(path):
        return read_idx(path)
    if path.is_dir():
        return read_folder(path, options)
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return read_npz(path, options)
    if suffix == ".npy":
        return read_npy(path, options)
    if suffix == ".zip":
        return read_zip(path, options)
    remedy = (
        "one picture is no data set; give its folder" if suffix in SUFFIXES else UNPACK.get(suffix)
    )
    raise UserError(
        f"{path}: cannot be read as images; give a folder of PNG or JPEG files, a .zip of such, a .npz, "
        f"a .npy, or an idx file (...-images-idx3-ubyte[.gz])" + (f"; {remedy}" if remedy else "")
    )
