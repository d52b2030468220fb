"""Every effect alone moves the frames; the same seed gives the same frames on any threads."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from benchmarks.claims import Claim, claim
from benchmarks.mock_checks.benches import SMALL, block_phases, lit, nrmse, panel_of
from drivers.errors import DeviceError
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings

RAISED = {"defects": 2e-3, "dropped": 1.0, "duplicated": 1.0, "torn": 1.0, "late": 1.0}
"""Dials whose default is too small (or 0) to meet one of a few frames."""


def frames(lab: MockLaboratory, geometry: MockGeometry) -> npt.NDArray[np.float32]:
    """Five frames: three patterns a quarter of an hour apart, two exposures."""
    found = []
    for number in range(5):
        lab.world.clock.sleep_s(900.0)
        phases = block_phases(len(geometry.patch_lefts), geometry.patch_shape, 6, seed=number // 2)
        if lab.dmd is not None:
            cells = block_phases(1, geometry.patch_shape, 6, seed=7)[0] / (2.0 * np.pi)
            lab.dmd.show(cells)
        lab.slm.set_phase(panel_of(geometry, phases))
        lab.world.clock.sleep_s(0.1003)
        lab.camera.exposure_ms = 0.7 if number % 2 else 1.6
        found.append(lab.camera.get_frame().pixels.astype(np.float32))
    return np.stack(found)


def weakest_effect() -> tuple[str, float, int]:
    """Name and NRMSE of the effect that moves the frames least, and the number of effects."""
    moved = {}
    for section, name in MockSettings.effects():
        geometry = dataclasses.replace(SMALL, input_kind="dmd") if section == "dmd" else SMALL
        off, on = MockSettings().off(), MockSettings().only(f"{section}.{name}")
        if name in RAISED:
            dials = getattr(on, section).model_copy(update={name: RAISED[name]})
            on = on.model_copy(update={section: dials})
        reference = frames(lit(geometry, off), geometry)
        try:
            moved[f"{section}.{name}"] = nrmse(frames(lit(geometry, on), geometry), reference)
        except DeviceError:
            moved[f"{section}.{name}"] = 1.0
    weakest = min(moved, key=lambda key: moved[key])
    return weakest, moved[weakest], len(moved)


def differing_pixels() -> tuple[float, float]:
    """Pixels that differ between one and four threads, and share that differs between two seeds."""

    def run(threads: int, seed: int) -> npt.NDArray[np.float32]:
        return frames(lit(SMALL, MockSettings(threads=threads), seed), SMALL)

    one = run(1, 3)
    several = max(float((run(threads, 3) != one).sum()) for threads in (1, 2, 4))
    return several, float((run(1, 4) != one).mean())


def check(quick: bool) -> list[Claim]:
    """Effects and determinism."""
    name, least, count = weakest_effect()
    several, seeds = differing_pixels()
    return [
        claim(
            f"{count} effects one by one: the weakest ({name}) moves frames, NRMSE",
            least,
            ">= 1e-4",
        ),
        claim("same seed on 1, 2 and 4 threads: pixels that differ", several, "<= 0"),
        claim("another seed: share of pixels that differ", seeds, ">= 0.5"),
    ]
