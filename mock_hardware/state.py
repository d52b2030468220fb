"""The state of a mock device as plain arrays and numbers, so that a resumed run continues on it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from drivers.types import Roi
from mock_hardware.deferred_frames import DeferredFrame, Readout

State: TypeAlias = dict[str, npt.NDArray[Any] | float | int | str]
"""Values by name; names of parts are joined by dots."""


class Stateful(Protocol):
    """A part whose state can be read and restored."""

    def state(self) -> State:
        """Return plain arrays and numbers by name."""
        ...

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        ...


def named(prefix: str, state: Mapping[str, Any]) -> State:
    """Return a part's state under the part's name."""
    return {f"{prefix}.{name}": value for name, value in state.items()}


def part(prefix: str, state: Mapping[str, Any]) -> State:
    """Return the state of the part of that name; empty if there is none."""
    start = f"{prefix}."
    return {
        name.removeprefix(start): value for name, value in state.items() if name.startswith(start)
    }


def frame_state(frame: DeferredFrame) -> State:
    """Return the state of a frame; wait for pixels that are still being computed."""
    roi = frame.roi
    state: State = {
        "pixels": frame.pixels,
        "exposure_ms": frame.exposure_ms,
        "timestamp_s": frame.timestamp_s,
        "sequence": frame.sequence,
        "saturated_fraction": frame.saturated_fraction,
        "roi": np.array([roi.top, roi.left, roi.height, roi.width]),
        "in_hand_s": frame.in_hand_s,
    }
    if frame.pattern_id is not None:
        state["pattern_id"] = frame.pattern_id
    return state


def frame_of(state: Mapping[str, Any]) -> DeferredFrame:
    """Return the frame whose state this is: the inverse of `frame_state`."""
    readout: Future[Readout] = Future()
    readout.set_result((np.array(state["pixels"]), float(state["saturated_fraction"])))
    return DeferredFrame(
        readout,
        exposure_ms=float(state["exposure_ms"]),
        timestamp_s=float(state["timestamp_s"]),
        sequence=int(state["sequence"]),
        pattern_id=int(state["pattern_id"]) if "pattern_id" in state else None,
        roi=Roi(*(int(edge) for edge in state["roi"])),
        in_hand_s=float(state["in_hand_s"]),
    )
