"""A laboratory that is opened anew and restored answers as the old one would have."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import h5py
import numpy as np
import pytest

from drivers.errors import DeviceError
from drivers.types import Frame, Roi
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings
from mock_hardware.state import State

SLM_GEOMETRY = MockGeometry(
    850.0, 9.2, (40, 120), (24, 24), 8, (4, 44, 84), 3.0, 0.1, "slm_patch", (40, 44), 3.45, 12, 0.6
)
DMD_GEOMETRY = dataclasses.replace(SLM_GEOMETRY, input_kind="dmd")
STEPS = 60


def opened(geometry: MockGeometry, shutter: str = "global") -> MockLaboratory:
    """With every imperfection, drift as of years, and frames that often go wrong."""
    settings = MockSettings.model_validate(
        {
            "threads": 1,
            "camera": {"shutter": shutter},
            "drift": {"angle_minutes": 0.01, "laser_minutes": 0.01},
            "faults": {
                "dropped": 0.05,
                "duplicated": 0.2,
                "torn": 0.2,
                "late": 0.1,
                "script": [
                    "slm_frozen@7-9",
                    "saturated@12",
                    "slm_timeout@5-6",
                    "laser_unplugged@14",
                ],
            },
        }
    )
    return MockLaboratory.create(geometry, settings, 5)


def script(geometry: MockGeometry, seed: int) -> list[Callable[[MockLaboratory], Frame | None]]:
    """Calls in a random order, each on its own: settings, patterns, waiting, frames."""
    rng = np.random.default_rng(seed)
    tables = np.cumsum(rng.uniform(0.0, 0.05, (3, 256)), axis=1)
    acts: list[Callable[[MockLaboratory], Frame | None]] = []

    def choose(choice: int, number: float) -> Callable[[MockLaboratory], Frame | None]:
        pattern = np.random.default_rng(int(1e6 * number)).uniform(0.0, 7.0, geometry.panel_shape)
        roi = Roi(int(9 * number), 3, 20, 30 + int(9 * number))

        def act(lab: MockLaboratory) -> Frame | None:
            match choice:
                case 0:
                    lab.camera.exposure_ms = 0.5 + number
                case 1:
                    lab.camera.roi = roi
                case 2:
                    lab.camera.trigger = ("software", "hardware", "free_run")[int(3 * number)]
                case 3:
                    lab.laser.emission = number < 0.8
                case 4:
                    lab.laser.power_mw = 5.0 + 10.0 * number
                case 5:
                    lab.slm.set_lut(tables[int(3 * number)] if number > 0.3 else None)
                case 6 | 7 | 8:
                    lab.slm.set_phase(pattern)
                case 9 if number < 0.2:
                    lab.laser.reopen()
                case 9 if lab.dmd is not None and number < 0.5:
                    lab.dmd.show(pattern[:24, :24] / 7.0)
                case 9 | 10 if lab.dmd is not None:
                    lab.dmd.show_sequence(pattern[:3, None, :24] / np.full((24, 1), 7.0), 4.0)
                case 9 | 10 | 11:
                    lab.world.clock.sleep_s(0.02 * number)
                case _:
                    return lab.camera.get_frame()
            return None

        return act

    for _ in range(STEPS):
        acts.append(choose(int(rng.integers(0, 18)), float(rng.random())))
    return acts


def told(lab: MockLaboratory, act: Callable[[MockLaboratory], Frame | None]) -> list[object]:
    """All that the caller could notice."""
    try:
        frame = act(lab)
        seen: list[object] = [
            lab.world.clock.now_s(),
            lab.slm.reported_pattern,
            lab.power_meter.read_mw(),
        ]
    except DeviceError as error:
        return [str(error), lab.world.clock.now_s()]
    if frame is not None:
        seen += [getattr(frame, field.name) for field in dataclasses.fields(Frame)]
    return seen


def through_a_file(state: State) -> State:
    """As it comes back from HDF5."""
    with h5py.File(io.BytesIO(), "w") as file:
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                file[name] = value
            else:
                file.attrs[name] = value
        return {**{k: v[()] for k, v in file.items()}, **dict(file.attrs.items())}


@pytest.mark.parametrize("shutter", ["global", "rolling"])
@pytest.mark.parametrize("geometry", [SLM_GEOMETRY, DMD_GEOMETRY], ids=["slm", "dmd"])
def test_interrupted_anywhere_it_goes_on_to_the_bit(geometry: MockGeometry, shutter: str) -> None:
    for seed in range(6):
        acts = script(geometry, seed)
        cut = int(np.random.default_rng(100 + seed).integers(1, STEPS - 10))
        whole, before = opened(geometry, shutter), opened(geometry, shutter)
        for act in acts[:cut]:
            told(whole, act)
            told(before, act)
        state = before.state()
        assert state is not None
        after = opened(geometry, shutter)
        after.laser.emission = True  # what opening a bench does, is undone
        after.world.clock.sleep_s(0.005)
        after.restore(through_a_file(state))
        for act in acts[cut:]:
            for mine, theirs in zip(told(after, act), told(whole, act), strict=True):
                np.testing.assert_array_equal(mine, theirs)


def test_to_ask_for_the_state_changes_nothing() -> None:
    acts = script(SLM_GEOMETRY, 3)
    asked, left_alone = opened(SLM_GEOMETRY), opened(SLM_GEOMETRY)
    for act in acts:
        asked.state()
        for mine, theirs in zip(told(asked, act), told(left_alone, act), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_frames_are_among_what_is_compared() -> None:
    lab = opened(SLM_GEOMETRY)
    taken = [told(lab, act) for act in script(SLM_GEOMETRY, 0)]
    assert sum(len(seen) > 3 for seen in taken) > 5


def test_real_time_cannot_be_set_back() -> None:
    lab = MockLaboratory.create(SLM_GEOMETRY, MockSettings(clock="real", threads=1), 0)
    assert lab.state() is None
