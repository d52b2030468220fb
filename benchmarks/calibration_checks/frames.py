"""Frames of a whole calibration that ends routines early, beside one that takes all frames."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from benchmarks.calibrated import Calibrated, calibrate, opened
from benchmarks.calibration_checks.healthy_benches import healthy_bench_text
from benchmarks.calibration_checks.truth import Checked, check, unseen_nrmse
from benchmarks.claims import Claim, claim
from benchmarks.parts import Outcome, Setting
from calibration.archive import CalibrationArchive
from calibration.result import CalibrationError
from drivers.errors import DeviceError
from labdiff.errors import UserError
from labdiff.sweep.bench_overrides import override_values

FIRST_SEED = 500
"""Seeds below are for building."""
SEQUENTIAL = ("dark level", "camera", "phase response", "alignment")
"""Routines that end as soon as their result is good enough."""


@dataclass(slots=True)
class FramesFound:
    """Figures of one bench. nrmse: of unseen frames; with all frames: the same where nothing ends early.

    refused: why a routine failed on this healthy bench. by_routine: frames of each.
    """

    seed: int
    refused: str = ""
    frames: int = 0
    by_routine: dict[str, int] = field(default_factory=dict)
    nrmse: float = 0.0
    all_frames: int = 0
    all_by_routine: dict[str, int] = field(default_factory=dict)
    nrmse_with_all: float = 0.0
    checked: dict[str, Checked] = field(default_factory=dict)

    @property
    def early(self) -> bool:
        """Return whether every routine that may end early has done so."""
        return all(self.by_routine[name] < self.all_by_routine[name] for name in SEQUENTIAL)


def measure(setting: Setting) -> Outcome:
    """Calibrate random benches as usual, and with all frames."""
    text = healthy_bench_text(setting)
    found = []
    for number in setting.benches(10):
        found.append(one_bench(text, FIRST_SEED + number))
        last = found[-1]
        setting.say(
            f"bench {last.seed}: {last.frames} frames, NRMSE {last.nrmse:.4f}; with all "
            f"{last.all_frames}: {last.nrmse_with_all:.4f} {last.refused}"
        )
    return Outcome(claims_of(found), {"benches": [asdict(each) for each in found]})


def one_bench(text: str, seed: int) -> FramesFound:
    """Return the figures of one bench."""
    found = FramesFound(seed)
    thorough = override_values(text, {"calibration.thorough": True})
    try:
        known = calibrate(text, seed)
        found.frames, found.by_routine = known.frames, _by_routine(known)
        with opened(known) as calibrated:
            found.checked = check(calibrated, known.found, known.alignment_s)
            found.nrmse = unseen_nrmse(calibrated)
        with_all = calibrate(thorough, seed)
        found.all_frames, found.all_by_routine = with_all.frames, _by_routine(with_all)
        with opened(with_all) as calibrated:
            found.nrmse_with_all = unseen_nrmse(calibrated)
    except (CalibrationError, DeviceError, UserError) as error:
        found.refused = str(error)
    return found


def _by_routine(known: Calibrated) -> dict[str, int]:
    archive = CalibrationArchive(known.archive)
    stored = {name: archive.latest(name) for name in known.found}
    return {name: each.provenance.frames for name, each in stored.items() if each is not None}


def claims_of(found: list[FramesFound]) -> list[Claim]:
    """Return the claims about the frames of calibrations."""
    good = [each for each in found if not each.refused]
    early = [each for each in good if each.early]
    more = np.array([each.nrmse - each.nrmse_with_all for each in good])
    error = float(more.std(ddof=1) / np.sqrt(len(more))) if len(more) > 1 else float(abs(more[0]))
    stated = [c for each in good for c in each.checked.values() if np.isfinite(c.sigma)]
    within = float(np.mean([abs(c.error) <= 2.0 * c.sigma for c in stated]))
    benches = f"{len(found)} benches"
    return [
        claim(
            f"frames of a whole calibration, {benches}, median",
            float(np.median([each.frames for each in good])),
            "<= 120",
        ),
        claim(
            f"frames of the {len(early)} benches that ended early, worst",
            max((each.frames for each in early), default=0),
            "<= 120",
        ),
        claim("benches that ended early, share", len(early) / len(found), ">= 0.5"),
        claim(
            "NRMSE of unseen frames beyond that with all frames, mean over its standard error",
            float(more.mean()) / max(error, 1e-9),
            "<= 2",
        ),
        claim("true values within two stated deviations: at least", within, ">= 0.90"),
        claim("true values within two stated deviations: at most", within, "<= 0.99"),
        claim("healthy benches refused", len(found) - len(good), "<= 0"),
    ]
