"""The figure of an alignment: a probe, what is missed in all probes, and where on the patches."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import h5py
import numpy as np

from calibration.alignment_found import AlignmentFound
from calibration.result import Verdict
from calibration.result_file import read_result, write_result

ONE, TILTS = np.ones(1), np.zeros((3, 2))
PROBE = np.random.default_rng(0).random((12, 14), np.float32)
FOUND = AlignmentFound(
    ("z_gap_percent",), ONE, 0.01 * ONE, ONE, TILTS, TILTS, np.eye(2), np.zeros(2), 1.0, 0.1,
    Verdict("fail", "missed", signs=("places on a patch",), causes=("panel pixels", "ghost")),
    probe_measured=PROBE, probe_before=0.5 * PROBE, probe_after=0.9 * PROBE,
)  # fmt: skip


def titles(found: AlignmentFound) -> list[str]:
    figure = found.figure((12, 14))
    assert figure is not None
    return [ax.get_title() for ax in figure.axes if ax.get_title()]


def test_the_residual_and_each_patch_have_a_picture() -> None:
    sure = np.zeros((3, 12, 14), np.float32)
    whole = dataclasses.replace(FOUND, residual_mean=PROBE - 0.5, patch_sureness=sure)
    assert titles(whole)[:5] == titles(FOUND)
    assert titles(whole)[5:] == [
        "missed in all, share",
        *(f"patch {number} wrong, deviations" for number in (1, 2, 3)),
    ]


def test_what_was_missed_is_stored_and_signs_are_not(tmp_path: Path) -> None:
    whole = dataclasses.replace(
        FOUND, residual_mean=PROBE, patch_sureness=np.ones((3, 12, 14), np.float32)
    )
    with h5py.File(tmp_path / "alignment.h5", "w") as file:
        write_result(file.create_group("result"), whole)
        back = read_result(file["result"])
    assert isinstance(back, AlignmentFound)
    assert np.array_equal(back.residual_mean, PROBE)
    assert back.patch_sureness.shape == (3, 12, 14)
    assert back.verdict == Verdict("fail", "missed")
