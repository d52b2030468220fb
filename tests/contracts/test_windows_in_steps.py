"""Micro-Manager adapters whose windows go in steps, which some round and others refuse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from drivers.types import Roi

pymmcore = pytest.importorskip("pymmcore", reason="pip install 'labdiff[micromanager]'")
adapters = pytest.importorskip("mm_test_adapters", reason="pip install mm-test-adapters")

SIDE, STEP = 512, 8
SetRoi = Callable[[str, int, int, int, int], None]


def rounds(take: SetRoi) -> SetRoi:
    """Take the next larger window in steps, as Hamamatsu's and IDS's adapters do."""

    def set_roi(label: str, left: int, top: int, width: int, height: int) -> None:
        right, bottom = (-(-end // STEP) * STEP for end in (left + width, top + height))
        left, top = left // STEP * STEP, top // STEP * STEP
        take(label, left, top, min(right, SIDE) - left, min(bottom, SIDE) - top)

    return set_roi


def refuses(take: SetRoi) -> SetRoi:
    """Refuse a window that is not in steps, as Spinnaker's adapter does."""

    def set_roi(label: str, left: int, top: int, width: int, height: int) -> None:
        if left % STEP or top % STEP or width % STEP or height % STEP:
            raise RuntimeError(f"Could not set ROI: {left} is no multiple of {STEP}")
        take(label, left, top, width, height)

    return set_roi


def never(take: SetRoi) -> SetRoi:
    """Refuse every window, as adapters of frame grabbers do."""

    def set_roi(label: str, left: int, top: int, width: int, height: int) -> None:
        raise RuntimeError("ROI is not supported")

    return set_roi


@pytest.mark.parametrize("habit", [rounds, refuses, never])
def test_a_larger_window_is_read_and_cut(
    habit: Callable[[SetRoi], SetRoi], monkeypatch: pytest.MonkeyPatch
) -> None:
    real: type = pymmcore.CMMCore

    class Core(real):  # type: ignore[misc]
        def setROI(self, label: str, left: int, top: int, width: int, height: int) -> None:
            habit(super().setROI)(label, left, top, width, height)

    monkeypatch.setattr(pymmcore, "CMMCore", Core)
    from drivers.camera.micromanager import MicroManagerCamera, MicroManagerOptions

    options = MicroManagerOptions(
        adapter="DemoCamera",
        device="DCam",
        folder=adapters.device_adapter_path(),
        properties=("PixelType=16bit", "BitDepth=12"),
    )
    camera = MicroManagerCamera("", 12, options)
    for asked in (Roi(101, 83, 57, 45), Roi(0, 0, SIDE, SIDE), Roi(500, 3, 12, 509)):
        camera.roi = asked
        frame = camera.get_frame()
        assert camera.roi == asked and frame.roi == asked
        assert frame.pixels.shape == asked.shape and np.ptp(frame.pixels) > 0
    camera.close()
