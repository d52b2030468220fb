"""Every effect alone moves the frames; the same seed gives the same frames on any threads."""

from __future__ import annotations

import dataclasses
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from benchmarks.claims import claim
from benchmarks.mock_checks.benches import SMALL, block_phases, lit, nrmse, panel_of
from benchmarks.parts import Outcome, Setting
from drivers.errors import DeviceError
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings

InputKind = Literal["slm_patch", "dmd"]
RAISED = {"defects": 2e-3, "dropped": 1.0, "duplicated": 1.0, "torn": 1.0, "late": 1.0}
RAISED |= {"automatic_gain": 0.5, "lamp": 0.03, "mode_hop": 0.1, "wavelength_error": 0.02}
RAISED |= {"frames_late": 1, "dust": 8, "ghost": 0.1, "unmodulated": 0.1, "pitch_error": 0.02}
RAISED |= {"ripple": 0.1, "undeclared_slowdown": 20.0}
"""Dials whose default is too small (or 0) to meet one of a few frames."""


def frames(lab: MockLaboratory, geometry: MockGeometry) -> npt.NDArray[np.float32]:
    """Return five frames: three patterns a quarter of an hour apart, two exposures."""
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


def weakest_effect(every: int) -> tuple[str, float, int]:
    """Return name and NRMSE of the effect that moves the frames least, and the number of effects.

    every: 1 for all effects, n for each n-th.
    """
    moved = {}
    geometries = {kind: dataclasses.replace(SMALL, input_kind=kind) for kind in get_args(InputKind)}
    references = {
        kind: frames(lit(geometry, MockSettings().off()), geometry)
        for kind, geometry in geometries.items()
    }
    for section, name in list(MockSettings.effects())[::every]:
        kind = "dmd" if section == "dmd" else "slm_patch"
        geometry, reference = geometries[kind], references[kind]
        on = MockSettings().only(f"{section}.{name}")
        if name in RAISED:
            dials = getattr(on, section).model_copy(update={name: RAISED[name]})
            on = on.model_copy(update={section: dials})
        try:
            moved[f"{section}.{name}"] = nrmse(frames(lit(geometry, on), geometry), reference)
        except DeviceError:
            moved[f"{section}.{name}"] = 1.0
    weakest = min(moved, key=lambda key: moved[key])
    return weakest, moved[weakest], len(moved)


def differing_pixels() -> tuple[float, float]:
    """Count pixels that differ between numbers of threads; and the share that differs between two seeds."""

    def run(threads: int, seed: int) -> npt.NDArray[np.float32]:
        return frames(lit(SMALL, MockSettings(threads=threads), seed), SMALL)

    one = run(1, 3)
    several = max(float((run(threads, 3) != one).sum()) for threads in (1, 2, 4))
    return several, float((run(1, 4) != one).mean())


def measure(setting: Setting) -> Outcome:
    """Measure every effect alone, and whether frames are the same again."""
    every = setting.amount("effects, one in", smoke=8, quick=1, full=1)
    name, least, count = weakest_effect(every)
    several, seeds = differing_pixels()
    claims = [
        claim(
            f"{count} effects one by one: the weakest ({name}) moves frames, NRMSE",
            least,
            ">= 1e-4",
        ),
        claim("same seed on 1, 2 and 4 threads: pixels that differ", several, "<= 0"),
        claim("another seed: share of pixels that differ", seeds, ">= 0.5"),
    ]
    return Outcome(claims)
