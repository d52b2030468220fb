"""Frames are computed side by side, and what they show does not depend on how."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from drivers.types import Frame
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings

GEOMETRY = MockGeometry(
    850.0, 9.2, (40, 120), (24, 24), 8, (4, 44, 84), 3.0, 0.1, "slm_patch", (40, 44), 3.45, 12, 0.6
)
SHOWN = 6
Pixels = npt.NDArray[np.uint16]


def frames_of(
    threads: int, seed: int = 3, act: Callable[[MockLaboratory], None] = lambda lab: None
) -> list[Frame]:
    """A frame of each of several patterns, none of them looked at yet."""
    lab = MockLaboratory.create(GEOMETRY, MockSettings(threads=threads), seed)
    lab.laser.emission = True
    lab.camera.exposure_ms = 2.0
    act(lab)
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(SHOWN):
        coarse = rng.uniform(0.0, np.pi, (5, 15))
        lab.slm.set_phase(coarse.repeat(8, 0).repeat(8, 1))
        lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)
        frames.append(lab.camera.get_frame())
    return frames


def pixels_of(frames: list[Frame], order: list[int]) -> list[Pixels]:
    """In the order of the frames, but looked at in another."""
    seen = {place: frames[place].pixels for place in order}
    return [seen[place] for place in range(len(frames))]


@pytest.fixture(scope="module")
def alone() -> list[Pixels]:
    """One thread, each frame in its turn."""
    return pixels_of(frames_of(threads=1), list(range(SHOWN)))


def test_the_patterns_give_different_frames(alone: list[Pixels]) -> None:
    for first in range(SHOWN):
        for second in range(first):
            apart = alone[first].astype(float) - alone[second]
            light = alone[first] - np.median(alone[first])
            assert np.abs(apart).sum() > 0.2 * np.abs(light).sum()


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 0, 5, 1, 4, 2]])
def test_frames_are_the_same_on_any_number_of_threads_and_in_any_order(
    alone: list[Pixels], threads: int, order: list[int]
) -> None:
    for frame, expected in zip(pixels_of(frames_of(threads), order), alone, strict=True):
        assert np.array_equal(frame, expected)


def test_a_frame_is_read_out_once() -> None:
    for frame in frames_of(threads=2):
        assert frame.pixels is frame.pixels


def test_what_a_frame_says_of_itself_does_not_depend_on_the_threads() -> None:
    for one, other in zip(frames_of(threads=1), frames_of(threads=4), strict=True):
        assert (one.sequence, one.pattern_id, one.timestamp_s, one.roi) == (
            other.sequence,
            other.pattern_id,
            other.timestamp_s,
            other.roi,
        )
        assert one.saturated_fraction == other.saturated_fraction


def test_torn_frames_are_the_same_on_any_number_of_threads() -> None:
    def tear(lab: MockLaboratory) -> None:
        lab.world.faults.add("torn", 3)
        lab.world.faults.add("duplicated", 5)

    one, other = frames_of(1, act=tear), frames_of(4, act=tear)
    assert one[2].pattern_id is None and one[4].sequence == one[3].sequence
    for frame, expected in zip(reversed(other), reversed(one), strict=True):
        assert np.array_equal(frame.pixels, expected.pixels)


def test_another_seed_gives_other_frames(alone: list[Pixels]) -> None:
    other = pixels_of(frames_of(threads=4, seed=4), list(range(SHOWN)))
    assert not any(np.array_equal(a, b) for a, b in zip(alone, other, strict=True))


def test_two_frames_of_one_pattern_differ_by_their_noise_alone() -> None:
    lab = MockLaboratory.create(GEOMETRY, MockSettings(threads=2).only("camera.shot_noise"), 1)
    lab.laser.emission = True
    lab.world.clock.sleep_s(lab.laser.timing.total_ms * 1e-3)
    first, second = (frame.pixels.astype(float) for frame in lab.camera.get_frames(2))
    variance = (first + second) / 2.0 / lab.world.truth.electrons_per_count
    assert not np.array_equal(first, second)
    # Each count is rounded as well: a twelfth for each frame.
    expected = (2.0 * variance + 1.0 / 6.0)[variance > 1.0].mean()
    found = np.square(first - second)[variance > 1.0]
    assert found.mean() == pytest.approx(expected, rel=4.0 * np.sqrt(2.0 / found.size))
