from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing import shared_memory

import numpy as np
import pytest

from drivers.types import Frame, Roi
from gui.process.frame_ring import FrameRing, NumberedFrame
from tests.unit.gui.ring_writer import frame_of, write

SENSOR = (120, 160)
WHOLE = Roi(0, 0, *SENSOR)
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def ring() -> Iterator[FrameRing]:
    made = FrameRing.create(SENSOR, slots=4)
    yield made
    made.close()


def assert_whole(entry: NumberedFrame) -> None:
    """All of it is of one frame."""
    wanted = frame_of(entry.frame.sequence, entry.frame.roi)
    np.testing.assert_array_equal(entry.frame.pixels, wanted.pixels)
    for name in ("exposure_ms", "timestamp_s", "pattern_id", "saturated_fraction"):
        assert getattr(entry.frame, name) == getattr(wanted, name)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_frame_comes_back_as_it_was(ring: FrameRing, dtype: type) -> None:
    roi = Roi(7, 11, 30, 50)
    pixels = np.random.default_rng(0).integers(0, 255, roi.shape).astype(dtype)
    put = Frame(pixels, 2.5, 17.25, 41, None, 0.125, roi)
    assert ring.newest() is None
    assert ring.put(put) == 1
    got = ring.newest()
    assert got is not None and got.number == 1
    assert got.frame.pixels.dtype == dtype
    np.testing.assert_array_equal(got.frame.pixels, pixels)
    assert got.frame.roi == roi
    assert (got.frame.exposure_ms, got.frame.timestamp_s, got.frame.sequence) == (2.5, 17.25, 41)
    assert (got.frame.pattern_id, got.frame.saturated_fraction) == (None, 0.125)
    assert ring.newest() is None


def test_the_copy_is_the_readers_own(ring: FrameRing) -> None:
    ring.put(frame_of(1, WHOLE))
    got = ring.newest()
    assert got is not None
    for number in range(2, 9):
        ring.put(frame_of(number, WHOLE))
    assert_whole(got)


def test_the_newest_is_given_and_what_was_missed_shows_in_the_numbers(ring: FrameRing) -> None:
    for number in range(1, 4):
        ring.put(frame_of(number, WHOLE))
    first = ring.newest()
    for number in range(4, 14):
        ring.put(frame_of(number, WHOLE))
    second = ring.newest()
    assert first is not None and second is not None
    assert (first.number, second.number) == (3, 13)
    assert second.number - first.number - 1 == 9
    assert_whole(second)


def test_unread_gives_all_that_are_still_there_oldest_first(ring: FrameRing) -> None:
    for number in range(1, 4):
        ring.put(frame_of(number, WHOLE))
    assert [entry.number for entry in ring.unread()] == [1, 2, 3]
    assert ring.unread() == []
    for number in range(4, 14):
        ring.put(frame_of(number, WHOLE))
    late = ring.unread()
    assert [entry.number for entry in late] == [10, 11, 12, 13]
    for entry in late:
        assert_whole(entry)


def test_no_frame_of_another_process_is_torn(ring: FrameRing) -> None:
    count = 3000
    writer = SPAWN.Process(target=write, args=(ring.name, WHOLE, count))
    writer.start()
    seen: list[int] = []
    while not seen or seen[-1] < count:
        got = ring.newest()
        if got is not None:
            assert_whole(got)
            seen.append(got.number)
        assert got is not None or writer.exitcode in (None, 0)
    writer.join()
    assert writer.exitcode == 0
    assert seen == sorted(set(seen))


def test_a_writer_that_dies_in_the_middle_of_a_frame_leaves_the_last_whole_one(
    ring: FrameRing,
) -> None:
    writer = SPAWN.Process(target=write, args=(ring.name, WHOLE, 10, True))
    writer.start()
    writer.join()
    assert writer.exitcode == 9
    got = ring.newest()
    assert got is not None and got.number == 10
    assert_whole(got)
    assert ring.newest() is None
    after = FrameRing.attach(ring.name)
    assert after.put(frame_of(11, WHOLE)) == 11
    after.close()
    assert [entry.number for entry in ring.unread()] == [11]


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((3, 4), np.float32), "float32"),
        (np.zeros(12, np.uint16), r"\(12,\)"),
        (np.zeros((140, 160), np.uint16), "larger than the sensor"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_message(
    ring: FrameRing, pixels: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ring.put(Frame(pixels, 1.0, 0.0, 0, None, 0.0, WHOLE))
    assert ring.newest() is None


def test_foreign_memory_is_refused() -> None:
    memory = shared_memory.SharedMemory(create=True, size=8192)
    try:
        with pytest.raises(ValueError, match="no frames of ours"):
            FrameRing.attach(memory.name)
    finally:
        memory.close()
        memory.unlink()


def test_close_may_be_called_twice_and_removes_the_memory() -> None:
    made = FrameRing.create((4, 5))
    name = made.name
    made.close()
    made.close()
    with pytest.raises(FileNotFoundError):
        FrameRing.attach(name)
