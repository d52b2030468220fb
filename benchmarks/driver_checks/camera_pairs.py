"""A frame shows what was displayed when it was asked for: pairs at full rate through every back end."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.claims import Claim, claim
from benchmarks.parts import Outcome, Setting
from tests.contracts.camera_scenes import PICTURES, SCENES, MissingLibrary, Scene

UNREAD = 97
"""Pairs after which an exposure is not read out: its frame may arrive when the next is asked for."""


def measure(setting: Setting) -> Outcome:
    """Count mismatches of every back end, and pairs a second (no bound: the back ends' own pace)."""
    pairs = setting.amount("pairs a back end", smoke=3, quick=100, full=10_000)
    claims: list[Claim] = []
    for name, scene in SCENES.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                with scene(Path(folder)) as opened:
                    wrong, per_s = mismatches(opened, pairs)
            except MissingLibrary as error:
                claims.append(claim(f"{name}: not run: {error}", 0, ">= 1"))
                continue
        claims += [
            claim(f"{name}: frames of another picture in {pairs} pairs", wrong, "<= 0"),
            claim(f"{name}: pairs a second", per_s, ">= 0"),
        ]
    return Outcome(claims)


def mismatches(scene: Scene, pairs: int) -> tuple[int, float]:
    """Return frames that do not show their picture, and pairs a second; no picture comes twice in a row."""
    rng = np.random.default_rng(1)
    number = wrong = 0
    started_s = time.perf_counter()
    for pair in range(pairs):
        number = (number + int(rng.integers(1, PICTURES))) % PICTURES
        if pair % UNREAD == UNREAD - 1:
            scene.camera.expose()
        scene.show(number)
        wrong += scene.seen(scene.camera.get_frame()) != number
    return wrong, pairs / (time.perf_counter() - started_s)
