"""Whether each frame that was used is of its pattern, by its pixels and not by its pattern number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.duty_checks.benches import Images, Task
from benchmarks.mock_checks.benches import lit, panel_of
from drivers.types import Frame
from labdiff.bench.mock_bench import mock_geometry
from mock_hardware.laboratory import MockLaboratory

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Used:
    """A batch as it was sent, and the frames that were taken for its answer."""

    inputs: Images
    layers: Images
    frames: list[Frame]


def wrong_frames(task: Task, batches: list[Used]) -> int:
    """Count frames that are more like another input of their batch, or the layers before, than their own.

    What each should show is measured in a second laboratory, device by device, without the bench.
    """
    dials = task.config.mock.model_copy(update={"clock": "virtual"})
    lab = lit(mock_geometry(task.config), dials)
    lab.laser.power_mw = task.config.laser.power_mw
    wrong = 0
    with lab.world.workers:
        before: Images | None = None
        for used in batches:
            lab.camera.roi = used.frames[0].roi
            lab.camera.exposure_ms = used.frames[0].exposure_ms
            candidates = _expected(lab, used.inputs, used.layers)
            if before is not None:
                candidates = np.concatenate([candidates, _expected(lab, used.inputs, before)])
            taken = _unit([frame.pixels for frame in used.frames])
            best = np.argmax(taken @ candidates.T, axis=1)
            wrong += int(np.sum(best != np.arange(len(used.frames))))
            before = used.layers
    return wrong


def _expected(lab: MockLaboratory, inputs: Images, layers: Images) -> Array:
    """Return frames (B, pixels) of inputs with layers, each with all the time that the devices declare."""
    frames = []
    for field in inputs:
        if lab.dmd is None:
            lab.slm.set_phase(panel_of(lab.world.geometry, np.concatenate([field[None], layers])))
        else:
            lab.slm.set_phase(panel_of(lab.world.geometry, layers))
            lab.dmd.show(field)
        lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)
        frames.append(lab.camera.get_frame())
    return _unit([frame.pixels for frame in frames])


def _unit(images: list[npt.NDArray[np.uint16]]) -> Array:
    """Return images as (B, pixels) of mean 0 and length 1."""
    flat = np.stack([image.ravel() for image in images]).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    result: Array = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    return result
