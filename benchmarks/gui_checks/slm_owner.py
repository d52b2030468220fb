"""A program with a magnified window that drives the SLM; the benchmark commands and kills it.

`slm_owner.py HEIGHT WIDTH`: lines "grey SEED", "phase SEED", "rate COUNT" on stdin, a JSON line each
back.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from drivers.settings import SlmSettings
from drivers.slm.level_encoding import VideoOptions
from drivers.slm.screen import Screen


def grey_levels(shape: tuple[int, int], seed: int) -> npt.NDArray[Any]:
    """Return every level, at random places; seed 0: a checkerboard of single pixels."""
    if seed == 0:
        return np.asarray(255 * (np.indices(shape).sum(0) % 2), np.uint8)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def phases(shape: tuple[int, int], seed: int) -> npt.NDArray[np.float32]:
    """Return phases of several turns in both directions."""
    return np.random.default_rng(seed).uniform(-20.0, 20.0, shape).astype(np.float32)


def main(shape: tuple[int, int]) -> None:
    """Open the SLM, then follow commands until killed."""
    app = QApplication(sys.argv[:1])
    window = QLabel("the GUI")
    window.resize(400, 300)
    window.show()
    # It shall have its final pixels before anybody looks at the desk.
    QTest.qWaitForWindowExposed(window, 60_000)
    window.repaint()
    app.sync()
    started_s = time.monotonic()
    screen = Screen.from_settings(SlmSettings(shape, 8.0, "panel", VideoOptions()))
    _tell(
        ratio=window.devicePixelRatio(),
        opened_s=time.monotonic() - started_s,
        how=screen.swap_method,
    )
    for line in sys.stdin:
        what, number = line.split()
        if what == "rate":
            _tell(**_rate(screen, shape, int(number)))
            continue
        asked_s = time.monotonic()
        if what == "grey":
            screen.set_grey(grey_levels(shape, int(number)))
        else:
            screen.set_phase(phases(shape, int(number)))
        swap = screen.last_swap
        assert swap is not None
        app.processEvents()
        _tell(pattern=swap.pattern, swap_ms=1e3 * (swap.time_s - asked_s))


def _rate(screen: Screen, shape: tuple[int, int], count: int) -> dict[str, Any]:
    """Measure how long phases, one after the other, take until they lie in the frame buffer."""
    some = [phases(shape, seed) for seed in range(4)]
    work_ms, swaps_s = [], []
    for index in range(count + 1):
        asked_s = time.monotonic()
        screen.set_phase(some[index % 4])
        swap = screen.last_swap
        assert swap is not None
        work_ms.append(1e3 * (swap.copied_s - asked_s))
        swaps_s.append(swap.time_s)
    return {
        "per_s": count / (swaps_s[-1] - swaps_s[0]),
        "work_ms": {str(q): float(np.percentile(work_ms, q)) for q in (1, 10, 50, 90, 99)},
    }


def _tell(**values: Any) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main((int(sys.argv[1]), int(sys.argv[2])))
