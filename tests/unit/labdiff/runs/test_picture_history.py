"""Pictures along a run: bounded, evenly spread, whole after a resume, and what they were but for a byte."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from labdiff.errors import UserError
from labdiff.events import Checkpoint, Pictures, TrainingStep
from labdiff.runs.picture_history import (
    LONGEST_SIDE,
    MOST_MOMENTS,
    NAMES,
    decode,
    encode,
    read_history,
    shrink,
    spread,
)
from labdiff.runs.recorder import Recorder


def step(number: int, side: int = 6, pictures: bool = True) -> TrainingStep:
    chance = np.random.default_rng(number)
    drawn = [chance.normal(size=(side, side + 1)).astype(np.float32) for _ in NAMES]
    shown = Pictures(*drawn) if pictures else None
    return TrainingStep("online", number, 9999, number // 50, 0.2, 0.1, 0.02, pictures=shown)


def record(path: Path, steps: int, block: int = 7, every: int = 1) -> Recorder:
    recorder = Recorder(path, "", "{}", 0)
    go_on(recorder, range(steps), block, every)
    return recorder


def go_on(recorder: Recorder, steps: range, block: int = 7, every: int = 1) -> None:
    for number in steps:
        recorder(step(number, pictures=number % every == 0))
        if number % block == 0:
            recorder.flush()
    recorder.flush()


def test_pictures_come_back_with_their_step(tmp_path: Path) -> None:
    record(tmp_path / "run.h5", 60)
    found = read_history(tmp_path / "run.h5")
    assert found is not None and len(found) == 60
    np.testing.assert_array_equal(found.moments["step"], np.arange(60))
    np.testing.assert_array_equal(found.moments["layer_set"], np.arange(60) // 50)
    assert set(found.moments["method"]) == {b"online"}
    for name in NAMES:
        true = np.array([getattr(step(n).pictures, name) for n in range(60)])
        close = np.ptp(true, axis=(1, 2)).max() / 254.0 / 2.0 * 1.01
        got = np.array([found.picture(name, place) for place in range(60)])
        np.testing.assert_allclose(got, true, rtol=0.0, atol=close)
        assert found.limits(name) == pytest.approx(
            (np.median(true.min((1, 2))), np.median(true.max((1, 2))))
        )


@pytest.mark.parametrize("every", [1, 3])
def test_a_long_run_keeps_few_moments_from_its_first_step_to_its_last(
    tmp_path: Path, every: int
) -> None:
    steps = 7 * MOST_MOMENTS * every
    record(tmp_path / "run.h5", steps, block=151 * every, every=every)
    found = read_history(tmp_path / "run.h5")
    assert found is not None and MOST_MOMENTS / 3 < len(found) <= MOST_MOMENTS
    rows = found.moments["row"]
    assert rows[0] == 0 and rows[-1] == (steps - 1) // every * every
    stride = 2 ** round(np.log2(rows[1]))
    assert (np.abs(rows[:-1] - stride * np.arange(len(rows) - 1)) < every).all()
    last = int(rows[-1])
    true = step(last).pictures
    assert true is not None
    np.testing.assert_allclose(found.picture("camera", len(found) - 1), true.camera, atol=0.03)


def test_the_spread_is_bounded_whatever_the_rows() -> None:
    chance = np.random.default_rng(0)
    for _ in range(20):
        rows = np.unique(chance.integers(0, 10_000, chance.integers(1, 900))).tolist()
        kept, stride = spread(rows, 1)
        assert len(kept) <= MOST_MOMENTS and kept[0] == 0 and kept[-1] == len(rows) - 1
        assert (np.diff([rows[place] // stride for place in kept[:-1]]) >= 1).all()
        assert stride == 1 or len(spread(rows, stride // 2)[0]) <= MOST_MOMENTS
        again = spread([rows[place] for place in kept], stride)
        assert again == (list(range(len(kept))), stride)


def test_the_file_stays_small(tmp_path: Path) -> None:
    side, sizes = 120, []
    recorder = Recorder(tmp_path / "run.h5", "", "{}", 0)
    for number in range(5 * MOST_MOMENTS):
        recorder(step(number, side))
        if number % 25 == 24:
            recorder.flush()
            sizes.append(recorder.path.stat().st_size)
    full = MOST_MOMENTS * len(NAMES) * side * (side + 1)
    # The latest pictures are kept as they were, too.
    assert max(sizes) < 1.15 * full + 4 * len(NAMES) * side * (side + 1)


def test_a_resumed_run_cuts_off_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    recorder = record(tmp_path / "run.h5", 30, 20)
    recorder(Checkpoint({"phases": np.ones(3)}, {"stage": "online"}))
    go_on(recorder, range(30, 50), 20)
    recorder.close()
    again = Recorder(tmp_path / "run.h5", "", "{}", 0, resume=True)
    cut = read_history(tmp_path / "run.h5")
    assert cut is not None
    np.testing.assert_array_equal(cut.moments["row"], np.arange(30))
    go_on(again, range(30, 50), 20)
    record(tmp_path / "alone.h5", 50)
    one, other = (read_history(tmp_path / name) for name in ("run.h5", "alone.h5"))
    assert one is not None and other is not None
    for name in NAMES:
        np.testing.assert_array_equal(one.pictures[name], other.pictures[name])
    np.testing.assert_array_equal(one.moments, other.moments)


def test_a_run_resumed_from_before_its_first_picture_begins_anew(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run.h5", "", "{}", 0)
    recorder(step(0, pictures=False))
    recorder(Checkpoint({}, {"stage": "online"}))
    go_on(recorder, range(1, 9))
    recorder.close()
    again = Recorder(tmp_path / "run.h5", "", "{}", 0, resume=True)
    assert read_history(tmp_path / "run.h5") is None
    again(step(1, side=9))
    again.flush()
    found = read_history(tmp_path / "run.h5")
    assert found is not None and found.picture("camera", 0).shape == (9, 10)


def test_what_is_no_number_stays_none() -> None:
    picture = np.array([[1.0, np.nan], [3.0, np.inf]], np.float32)
    codes, low, high = encode(picture)
    np.testing.assert_allclose(decode(codes, low, high), [[1.0, np.nan], [3.0, np.nan]])
    nothing = encode(np.full((2, 2), np.nan))
    assert np.isnan(decode(*nothing)).all()
    assert (decode(*encode(np.full((2, 2), 5.0))) == 5.0).all()


def test_large_pictures_are_shrunk_by_means() -> None:
    rows, columns = np.mgrid[:400, :523].astype(np.float32)
    small = shrink(rows + 1000.0 * columns)
    assert small.shape == (100, 130) and max(small.shape) <= LONGEST_SIDE
    np.testing.assert_allclose(small[3, 5], 13.5 + 1000.0 * 21.5)
    assert shrink(rows[:5, :5]) is not None and shrink(rows[:5, :5]).shape == (5, 5)
    assert shrink(rows[:1]).shape == (1, 130)


def test_a_run_without_a_history_and_a_damaged_one(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    Recorder(path, "", "{}", 0)
    assert read_history(path) is None
    path.unlink()
    record(path, 3)
    with h5py.File(path, "r+") as file:
        file["entry/history/camera"].resize((2, 6, 7))
    with pytest.raises(UserError, match="history of pictures"):
        read_history(path)
