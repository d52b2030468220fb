"""HDF5 files of strangers: no lock is taken, no link followed, and each value is checked when read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from calibration.hdf5_heaps import SIGNATURE
from calibration.hdf5_reading import (
    StrangeFileError,
    find_array,
    names,
    open_hdf5,
    read_array,
    read_group,
    read_number,
    read_shaped,
    read_text,
    read_texts,
    read_values,
    refuse_links,
)


def written(path: Path, write: Callable[[h5py.File], object]) -> Path:
    with h5py.File(path, "w") as file:
        write(file)
    return path


def test_a_file_that_another_process_has_locked_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.h5", lambda file: file.attrs.update(name="x"))
    holder = (
        "import h5py, sys; file = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        with open_hdf5(path) as file:
            assert read_text(file, "name") == "x"
        child.communicate("\n")


def test_a_file_that_this_program_has_open_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.h5", lambda file: file.attrs.update(name="x"))
    with h5py.File(path), open_hdf5(path) as file:
        assert read_text(file, "name") == "x"


def _external(file: h5py.File) -> None:
    file["far"] = h5py.ExternalLink("secret.h5", "/numbers")


def _soft(file: h5py.File) -> None:
    file["near"] = np.arange(3.0)
    file["far"] = h5py.SoftLink("/near")


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource("secret.h5", "numbers", (3,))
    file.create_virtual_dataset("far", layout)


def _stored_outside(file: h5py.File) -> None:
    file.create_dataset("far", (3,), "f8", external=[("secret.bin", 0, 24)])


@pytest.mark.parametrize("link", [_external, _soft, _virtual, _stored_outside])
def test_what_lies_elsewhere_is_not_read_and_not_changed(
    tmp_path: Path, link: Callable[[h5py.File], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "secret.h5", lambda file: file.update({"numbers": np.arange(3.0)}))
    (tmp_path / "secret.bin").write_bytes(np.arange(3.0).tobytes())
    with open_hdf5(written(tmp_path / "a.h5", link)) as file:
        with pytest.raises(StrangeFileError, match=r"/far: .*(not followed|not read)"):
            read_array(file, "far")
        with pytest.raises(StrangeFileError, match=r"/far: .*(not followed|not changed)"):
            refuse_links(file)


def test_names_leave_links_out(tmp_path: Path) -> None:
    with open_hdf5(written(tmp_path / "a.h5", _soft)) as file:
        assert names(file) == ["near"]


def test_arrays_that_are_too_large_or_empty_promises_are_refused(tmp_path: Path) -> None:
    def huge(file: h5py.File) -> None:
        file.create_dataset("huge", (10**12,), "f8", chunks=(1000,))
        file.create_dataset("promise", (10**8,), "f8", chunks=(1000,))
        file.create_dataset("zeros", data=np.zeros(3_000_000), compression="gzip")
        file.attrs.create("list", np.zeros(1000))

    with open_hdf5(written(tmp_path / "a.h5", huge)) as file:
        with pytest.raises(StrangeFileError, match="/huge: .*are not read"):
            read_array(file, "huge")
        with pytest.raises(StrangeFileError, match="/promise: .*the file holds 0"):
            read_array(file, "promise")
        # Parts of an array of any size are read.
        assert find_array(file, "huge")[5] == 0.0
        with pytest.raises(StrangeFileError, match="/zeros"):
            read_array(file, "zeros")
        with pytest.raises(StrangeFileError, match="/list: .*expected a number"):
            read_values(file)


def test_types_and_shapes_are_checked(tmp_path: Path) -> None:
    def mixed(file: h5py.File) -> None:
        file["matrix"] = np.eye(3)
        file["words"] = np.array(["a", "b"], dtype=h5py.string_dtype())
        file["empty"] = h5py.Empty("f8")
        file.create_group("group")
        file.attrs.update(number=3, text="x", flag=True)

    with open_hdf5(written(tmp_path / "a.h5", mixed)) as file:
        assert read_shaped(file, "matrix", (None, 3)).shape == (3, 3)
        assert read_texts(file, "words") == ("a", "b")
        assert read_values(file) == {"number": 3, "text": "x", "flag": 1}
        refused: list[Callable[[], object]] = [
            lambda: read_shaped(file, "matrix", (2, 2)),
            lambda: read_array(file, "words"),
            lambda: read_array(file, "empty"),
            lambda: read_array(file, "group"),
            lambda: read_array(file, "missing"),
            lambda: read_group(file, "matrix"),
            lambda: read_texts(file, "matrix"),
            lambda: read_number(file, "text"),
            lambda: read_text(file, "number"),
        ]
        for read in refused:
            with pytest.raises(StrangeFileError, match=r"^/\w+: "):
                read()


def test_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    def damaged(file: h5py.File) -> None:
        file.attrs.create("text", b"a\xd8b", dtype=h5py.string_dtype())
        h5py.h5g.create(file.id, b"gr\xd8p")
        file.create_group("group")

    with open_hdf5(written(tmp_path / "a.h5", damaged)) as file:
        assert read_text(file, "text") == "a\ufffdb"
        assert names(file) == ["group"]


def free_space(content: bytes) -> int:
    """Where the heap of a small file has its free space, which HDF5 passes over by its size."""
    place = content.index(SIGNATURE) + 16
    while content[place : place + 2] != b"\0\0":
        size = int.from_bytes(content[place + 8 : place + 16], "little")
        place += 16 + (size + 7) // 8 * 8
    return place


def test_a_file_that_hdf5_never_gets_through_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.h5", lambda file: file.attrs.update(name="x"))
    content = bytearray(path.read_bytes())
    place = free_space(bytes(content))
    content[place + 8 : place + 16] = bytes(8)
    path.write_bytes(content)
    with pytest.raises(StrangeFileError, match="never return"), open_hdf5(path) as file:
        read_text(file, "name")


def test_what_only_looks_like_such_damage_is_read(tmp_path: Path) -> None:
    old = np.frombuffer(SIGNATURE + (4096).to_bytes(8, "little") + bytes(100), np.uint8)

    def with_old_heap(file: h5py.File) -> None:
        file.attrs["name"] = "x"
        file["freed"] = old

    with open_hdf5(written(tmp_path / "a.h5", with_old_heap)) as file:
        assert read_text(file, "name") == "x"


def test_a_text_that_says_it_is_longer_than_the_file_is_refused_before_memory_is_taken(
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "a.h5", lambda file: file.create_dataset("t", data=["ab", "cde"]))
    with h5py.File(path) as file:
        start = file["t"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[start + 16 : start + 20] = (1 << 30).to_bytes(4, "little")
    path.write_bytes(content)
    with open_hdf5(path) as file, pytest.raises(StrangeFileError, match=r"t\[1\]: a text of 1,073"):
        read_texts(file, "t")


def test_a_text_attribute_whose_kind_is_damaged_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.h5", lambda file: file.attrs.update(name="x"))
    content = bytearray(path.read_bytes())
    # Class 9 (of variable length) in version 1, then 1: a text (HDF5 file format 4.0, IV.A.2.d).
    place = content.index(b"\x19\x01\x01\x00")
    content[place + 1] ^= 0x04
    path.write_bytes(content)
    with open_hdf5(path) as file, pytest.raises(StrangeFileError, match="/name: is a list"):
        read_text(file, "name")
