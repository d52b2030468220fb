"""Each fault of a frame, against the same bench without it."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.errors import DeviceDisconnectedError, DeviceError, DeviceTimeoutError
from drivers.types import Frame, Roi
from mock_hardware.camera import TIMEOUT_MS
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings

GEOMETRY = MockGeometry(
    850.0, 9.2, (40, 80), (24, 24), 8, (4, 44), 3.0, 0.1, "slm_patch", (41, 44), 3.45, 12, 0.6
)
HALF = GEOMETRY.camera_shape[0] // 2
STRIPES = np.tile(np.where(np.arange(80) // 4 % 2, 2.5, 0.0), (40, 1))


def laboratory(*script: str, settings: MockSettings | None = None) -> MockLaboratory:
    """Noise and all, so that no two frames are the same by chance."""
    settings = settings or MockSettings(threads=1)
    faults = settings.faults.model_copy(update={"script": script})
    lab = MockLaboratory.create(GEOMETRY, settings.model_copy(update={"faults": faults}), seed=1)
    lab.laser.emission = True
    lab.world.clock.sleep_s(lab.laser.timing.total_ms * 1e-3)
    return lab


def take(lab: MockLaboratory, count: int) -> list[Frame | type[DeviceError]]:
    """Ask so often; the kind of the error where there is no frame."""
    answers: list[Frame | type[DeviceError]] = []
    for _ in range(count):
        try:
            answers.append(lab.camera.get_frame())
        except DeviceError as error:
            answers.append(type(error))
    return answers


def good(answer: Frame | type[DeviceError]) -> Frame:
    assert isinstance(answer, Frame)
    return answer


def sequences(answers: list[Frame | type[DeviceError]]) -> list[object]:
    return [answer.sequence if isinstance(answer, Frame) else answer for answer in answers]


def same(one: Frame, other: Frame) -> bool:
    return one.sequence == other.sequence and np.array_equal(one.pixels, other.pixels)


@pytest.fixture
def sound() -> list[Frame]:
    """What the bench shows without a fault."""
    frames = laboratory().camera.get_frames(4)
    assert not np.array_equal(frames[0].pixels, frames[1].pixels), "the noise differs"
    return frames


def test_a_dropped_frame_never_comes_and_its_number_is_missing(sound: list[Frame]) -> None:
    lab = laboratory("dropped@2")
    answers = take(lab, 3)
    assert sequences(answers) == [1, DeviceTimeoutError, 3]
    assert same(good(answers[0]), sound[0])


def test_a_timeout_costs_its_time_and_no_frame() -> None:
    lab = laboratory("timeout@2")
    lab.camera.get_frame()
    asked_s = lab.world.clock.now_s()
    with pytest.raises(DeviceTimeoutError, match=f"{TIMEOUT_MS:.0f} ms"):
        lab.camera.get_frame()
    assert lab.world.clock.now_s() == pytest.approx(asked_s + TIMEOUT_MS * 1e-3)
    assert sequences(take(lab, 2)) == [2, 3]


def test_a_dropped_frame_is_missed_only_after_the_time_out() -> None:
    lab = laboratory("dropped@1")
    asked_s, timing = lab.world.clock.now_s(), lab.camera.timing
    take(lab, 1)
    waited_s = lab.world.clock.now_s() - asked_s
    assert waited_s == pytest.approx((timing.total_ms + TIMEOUT_MS) * 1e-3)


def test_a_duplicated_frame_is_the_one_before_once_more(sound: list[Frame]) -> None:
    answers = take(laboratory("duplicated@2"), 4)
    assert sequences(answers) == [1, 1, 3, 4]
    for answer, number in zip(answers, (0, 0, 2, 3), strict=True):
        assert same(good(answer), sound[number])


def test_a_duplicated_frame_is_named_after_the_pattern_that_it_shows() -> None:
    lab = laboratory("duplicated@2")
    lab.camera.get_frame()
    pattern = lab.slm.set_phase(STRIPES)
    lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)
    old, new = lab.camera.get_frames(2)
    assert (old.pattern_id, new.pattern_id) == (0, pattern)


def test_a_torn_frame_has_the_lower_half_of_the_frame_before(sound: list[Frame]) -> None:
    answers = take(laboratory("torn@2-3"), 4)
    assert sequences(answers) == [1, 2, 3, 4]
    for number in (1, 2):
        torn = good(answers[number])
        assert np.array_equal(torn.pixels[:HALF], sound[number].pixels[:HALF])
        assert np.array_equal(torn.pixels[HALF:], sound[number - 1].pixels[HALF:])
        assert torn.pattern_id is None
        assert torn.timestamp_s == sound[number].timestamp_s
        assert torn.exposure_ms == sound[number].exposure_ms
    assert same(good(answers[3]), sound[3])


def test_a_torn_frame_counts_the_saturated_pixels_that_it_shows() -> None:
    lab = laboratory("torn@2")
    lab.camera.exposure_ms = 20.0
    whole = lab.camera.get_frame()
    lab.laser.power_mw = 0.0
    torn = lab.camera.get_frame()
    largest = 2**GEOMETRY.camera_bit_depth - 1
    assert torn.saturated_fraction == pytest.approx(np.mean(torn.pixels == largest))
    assert 0.0 < torn.saturated_fraction < whole.saturated_fraction


@pytest.mark.parametrize("fault", ["torn", "duplicated"])
def test_the_first_frame_has_none_before_it(fault: str, sound: list[Frame]) -> None:
    frame = laboratory(f"{fault}@1").camera.get_frame()
    assert same(frame, sound[0])
    assert frame.pattern_id == 0


def test_a_frame_is_not_torn_with_one_of_another_window() -> None:
    lab = laboratory("torn@2")
    lab.camera.get_frame()
    lab.camera.roi = Roi(4, 4, 20, 20)
    frame = lab.camera.get_frame()
    assert frame.pixels.shape == (20, 20) and frame.pattern_id == 0


def test_a_late_frame_is_found_by_the_next_caller(sound: list[Frame]) -> None:
    lab = laboratory("late@2")
    assert sequences(take(lab, 2)) == [1, DeviceTimeoutError]
    asked_s = lab.world.clock.now_s()
    late, fresh = lab.camera.get_frames(2)
    assert same(late, sound[1])
    assert late.timestamp_s < asked_s - TIMEOUT_MS * 1e-3, "stale"
    assert fresh.sequence == 3 and fresh.timestamp_s >= asked_s


def test_a_late_frame_is_named_after_the_pattern_that_it_shows() -> None:
    lab = laboratory("late@1")
    take(lab, 1)
    pattern = lab.slm.set_phase(STRIPES)
    lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)
    late, fresh = lab.camera.get_frames(2)
    assert (late.pattern_id, fresh.pattern_id) == (0, pattern)


def test_an_unplugged_camera_is_gone_for_the_requests_of_the_script(sound: list[Frame]) -> None:
    lab = laboratory("unplugged@2-3")
    answers = take(lab, 4)
    gone = DeviceDisconnectedError
    assert sequences(answers) == [1, gone, gone, 2]
    assert same(good(answers[0]), sound[0])
    assert sequences(take(laboratory("unplugged@2-"), 5)) == [1, gone, gone, gone, gone]


def test_too_much_light_is_a_thousand_times_the_light() -> None:
    perfect = MockSettings(threads=1).off()
    lab = laboratory("saturated@2", settings=perfect)
    lab.laser.power_mw = 30.0
    expected = lab.camera.get_frame()
    lab.laser.power_mw = 0.03
    bright, dim = lab.camera.get_frames(2)
    assert 0.0 < expected.saturated_fraction < 1.0
    assert np.abs(bright.pixels.astype(float) - expected.pixels).max() <= 1.0
    assert dim.pixels.max() <= expected.pixels.max() / 500.0, "the frame after is sound"


def test_too_much_light_saturates_the_frame_that_it_meets(sound: list[Frame]) -> None:
    answers = take(laboratory("saturated@2"), 3)
    assert good(answers[1]).saturated_fraction > 0.5
    for number in (0, 2):
        assert same(good(answers[number]), sound[number])
        assert sound[number].saturated_fraction < 0.01


def test_a_blocked_beam_gives_a_dark_frame_of_a_laser_that_emits(sound: list[Frame]) -> None:
    lab = laboratory("beam_blocked@2")
    before, blocked, after = lab.camera.get_frames(3)
    lab.laser.power_mw = 0.0
    dark = lab.camera.get_frame()
    lab.laser.power_mw = 10.0
    assert lab.laser.emission and lab.power_meter.read_mw() > 5.0
    levels = [frame.pixels.astype(float).mean() for frame in (blocked, dark)]
    noise = dark.pixels.astype(float).std() / np.sqrt(dark.pixels.size)
    assert abs(levels[0] - levels[1]) < 6.0 * noise
    assert same(before, sound[0]) and same(after, sound[2])
    assert blocked.pattern_id == 0


def test_a_frozen_panel_keeps_its_pattern_and_the_frame_says_so() -> None:
    lab = laboratory("slm_frozen@2-3", settings=MockSettings(threads=1).off())
    flat = lab.camera.get_frame()
    shown, frames = [], []
    for _ in range(3):
        shown.append(lab.slm.set_phase(STRIPES))
        lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)
        frames.append(lab.camera.get_frame())
    assert shown == [1, 2, 3]
    assert [frame.pattern_id for frame in frames] == [0, 0, 3]
    assert np.array_equal(frames[0].pixels, flat.pixels)
    assert np.array_equal(frames[1].pixels, flat.pixels)
    assert not np.array_equal(frames[2].pixels, flat.pixels)


def test_faults_count_requests_also_those_that_got_no_frame() -> None:
    lab = laboratory("timeout@1-2", "unplugged@3")
    answers = take(lab, 4)
    assert sequences(answers) == [
        DeviceTimeoutError,
        DeviceTimeoutError,
        DeviceDisconnectedError,
        1,
    ]
    assert lab.camera.requests == 4


def test_faults_by_chance_meet_the_same_frames_of_the_same_seed() -> None:
    settings = MockSettings.model_validate(
        {"threads": 1, "faults": {"dropped": 0.3, "duplicated": 0.2}}
    )
    first, again = (sequences(take(laboratory(settings=settings), 40)) for _ in range(2))
    assert first == again
    assert 0 < first.count(DeviceTimeoutError) < 40
