from __future__ import annotations

import errno
import json
import multiprocessing
import threading
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image, ImageSequence

from drivers.types import Roi
from gui.live import hdf5_stack, tiff_stack
from gui.live.frame_metadata import RecordingMetadata
from gui.live.hdf5_stack import Hdf5Stack
from gui.live.recording import FORMATS, Recording
from gui.process.frame_ring import NumberedFrame
from tests.unit.gui.live_frames import SENSOR, entry_of
from tests.unit.gui.recording_child import record_and_die

METADATA = RecordingMetadata("two-layer bench", 12, 4095, *SENSOR, "2026-01-02T03:04:05+00:00")
KINDS = sorted(FORMATS)
ROOM_BYTES = 600_000
"""For some frames of the whole sensor, behind the front of an HDF5 file."""


def read(path: Path) -> tuple[list[np.ndarray], list[dict[str, Any]]]:
    """Frames and what stands beside each, by whichever library the format is for."""
    if path.suffix == ".tif":
        with Image.open(path) as file:
            pages = [
                (np.asarray(p), json.loads(p.tag_v2[270])) for p in ImageSequence.Iterator(file)
            ]
        return [page for page, _ in pages], [known for _, known in pages]
    with h5py.File(path) as file:
        entry = file["entry"]
        frames = list(entry["frames"][()])
        columns = {name: column[()] for name, column in entry["columns"].items()}
        known = [
            {**dict(entry.attrs), **{name: values[i] for name, values in columns.items()}}
            for i in range(len(frames))
        ]
        return frames, known


def assert_frames(path: Path, entries: list[NumberedFrame]) -> None:
    frames, known = read(path)
    assert len(frames) == len(entries)
    for found, about, entry in zip(frames, known, entries, strict=True):
        frame = entry.frame
        np.testing.assert_array_equal(found, frame.pixels)
        assert found.dtype == frame.pixels.dtype
        assert about["bench"] == "two-layer bench"
        assert (about["bit_depth"], about["maximum_counts"]) == (12, 4095)
        assert about["exposure_ms"] == frame.exposure_ms
        assert about["timestamp_s"] == frame.timestamp_s
        assert (about["number"], about["sequence"]) == (entry.number, frame.sequence)
        assert about["pattern_id"] == (-1 if frame.pattern_id is None else frame.pattern_id)
        roi = Roi(*(int(about[f"roi_{name}"]) for name in ("top", "left", "height", "width")))
        assert roi == frame.roi


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 3), (40, 60), (300, 400)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_whole_after_every_frame(
    tmp_path: Path, kind: str, shape: tuple[int, int], dtype: type
) -> None:
    path = tmp_path / f"frames{FORMATS[kind].suffix}"
    entries = [entry_of(n, Roi(3, 4, *shape), dtype) for n in range(1, 8)]
    stack = FORMATS[kind](path, METADATA, entries[0])
    assert_frames(path, entries[:1])
    for count, entry in enumerate(entries[1:], 2):
        stack.append(entry)
        read(path)
        stack.publish()
        assert_frames(path, entries[:count])
    stack.close()
    assert_frames(path, entries)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_leaves_what_was_published(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"frames{FORMATS[kind].suffix}"
    spawn = multiprocessing.get_context("spawn")
    child = spawn.Process(target=record_and_die, args=(path, kind, 5, 2))
    child.start()
    child.join()
    assert child.exitcode == 9
    frames, known = read(path)
    assert len(frames) >= 5
    for number, (frame, about) in enumerate(zip(frames, known, strict=True), 1):
        np.testing.assert_array_equal(frame, entry_of(number).frame.pixels)
        assert about["number"] == number


@pytest.mark.parametrize("kind", KINDS)
def test_a_recording_keeps_all_and_counts_what_the_ring_missed(tmp_path: Path, kind: str) -> None:
    recording = Recording(tmp_path / "new", "live", kind, METADATA)
    entries = [entry_of(n) for n in (1, 2, 3, 7, 8)]
    for entry in entries:
        recording.add(entry)
    recording.stop()
    assert recording.join(30.0)
    state = recording.state
    assert (state.over, state.written, state.dropped, state.problem) == (True, 5, 3, "")
    assert "5 frames" in state.message and "3 dropped" in state.message
    assert_frames(tmp_path / "new" / f"live{FORMATS[kind].suffix}", entries)


@pytest.mark.parametrize("kind", KINDS)
def test_another_region_goes_on_in_another_file(tmp_path: Path, kind: str) -> None:
    recording = Recording(tmp_path, "live", kind, METADATA)
    first, second = [entry_of(1), entry_of(2)], [entry_of(3, Roi(0, 0, 8, 9))]
    for entry in first + second:
        recording.add(entry)
    recording.stop()
    assert recording.join(30.0)
    suffix = FORMATS[kind].suffix
    assert_frames(tmp_path / f"live{suffix}", first)
    assert_frames(tmp_path / f"live-2{suffix}", second)
    assert recording.state.path == tmp_path / f"live-2{suffix}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_file_goes_on_in_another(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5_stack, "MOST_FRAMES", 4)
    monkeypatch.setattr(tiff_stack, "MOST_BYTES", 30_000)
    recording = Recording(tmp_path, "live", kind, METADATA)
    entries = [entry_of(n) for n in range(1, 11)]
    for entry in entries:
        recording.add(entry)
    recording.stop()
    assert recording.join(30.0)
    paths = sorted(tmp_path.iterdir(), key=lambda path: (len(path.name), path.name))
    assert len(paths) >= 3
    numbers = [int(known["number"]) for path in paths for known in read(path)[1]]
    assert numbers == list(range(1, 11))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("room_bytes", [100, ROOM_BYTES])
def test_a_full_disk_is_reported_and_spoils_nothing(
    tmp_path: Path, kind: str, room_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = hdf5_stack.write_all

    def limited(file: Any, offset: int, data: Any) -> None:
        content = bytes(memoryview(data).cast("B"))
        plain(file, offset, content[: max(0, room_bytes - offset)])
        if offset + len(content) > room_bytes:
            raise OSError(errno.ENOSPC, "No space left on device")

    for module in (hdf5_stack, tiff_stack):
        monkeypatch.setattr(module, "write_all", limited)
    large = Roi(0, 0, *SENSOR)
    recording = Recording(tmp_path, "live", kind, METADATA)
    for number in range(1, 31):
        recording.add(entry_of(number, large))
    recording.stop()
    assert recording.join(30.0)
    state = recording.state
    assert "The disk is full" in state.message
    assert state.dropped > 0
    path = tmp_path / f"live{FORMATS[kind].suffix}"
    if state.written:
        assert_frames(path, [entry_of(n, large) for n in range(1, state.written + 1)])
    else:
        assert not path.exists()
    assert (state.written > 0) == (room_bytes == ROOM_BYTES)


def test_frames_that_wait_take_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame_bytes = entry_of(1).frame.pixels.nbytes
    stuck = threading.Event()
    plain = Hdf5Stack.append

    def slow(stack: Hdf5Stack, entry: NumberedFrame) -> None:
        assert stuck.wait(30.0)
        plain(stack, entry)

    monkeypatch.setattr(Hdf5Stack, "append", slow)
    recording = Recording(tmp_path, "live", "HDF5", METADATA, waiting_bytes=3 * frame_bytes)
    for number in range(1, 31):
        recording.add(entry_of(number))
    assert recording.state.dropped >= 25
    stuck.set()
    recording.stop()
    assert recording.join(30.0)
    state = recording.state
    assert state.written + state.dropped == 30
    assert state.written >= 3


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    recording = Recording(tmp_path / "file", "live", "HDF5", METADATA)
    recording.add(entry_of(1))
    recording.stop()
    assert recording.join(30.0)
    assert recording.state.problem.startswith("It has ended")


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "live.h5").write_bytes(b"mine")
    recording = Recording(tmp_path, "live", "HDF5", METADATA, most=1)
    recording.add(entry_of(1))
    assert recording.join(30.0)
    assert "exists" in recording.state.problem
    assert (tmp_path / "live.h5").read_bytes() == b"mine"
