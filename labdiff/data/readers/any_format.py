"""Read images from a file or folder of any known format."""

from __future__ import annotations

from pathlib import Path

from labdiff.data.readers.raw import RawImages
from labdiff.errors import UserError


def read(path: Path, size: int, within: str = "") -> RawImages:
    """Images and classes of a file or folder, whatever its format.

    Pictures, of which each may have its own size, come out at `size` x `size`; arrays as they are.
    within: in a zip, only pictures below this folder.
    Raises UserError if there is nothing there, or nothing that can be read.
    """
    from labdiff.data.readers.idx import holds_idx, read_idx
    from labdiff.data.readers.npy import read_npy
    from labdiff.data.readers.npz import read_npz
    from labdiff.data.readers.pictures import read_folder, read_zip

    if not path.exists():
        raise UserError(f"{path}: no such file or folder")
    if holds_idx(path):
        return read_idx(path)
    if path.is_dir():
        return read_folder(path, size)
    readers = {".npz": read_npz, ".npy": read_npy}
    if path.suffix in readers:
        return readers[path.suffix](path)
    if path.suffix == ".zip":
        return read_zip(path, size, within)
    raise UserError(
        f"{path}: cannot be read as images; give a folder of PNG or JPEG files, a .zip of such, a .npz, "
        f"a .npy, or an idx file (...-images-idx3-ubyte[.gz])"
    )
