"""Measure something of your own as a calibration: with a verdict, stored with all that it rests on."""

from dataclasses import dataclass

import numpy as np

import labdiff
from calibration.registration import Registration
from labdiff.job import Job


@dataclass(frozen=True, slots=True)
class Steadiness(labdiff.CalibrationResult):
    """Brightness (frames,) of one pattern, about 1.0, and its rms deviation as a share."""

    routine = "steadiness"
    title = "How steady the light is"
    brightness: np.ndarray
    noise: float
    verdict: labdiff.Verdict


def measure(calibrated: labdiff.CalibratedBench) -> Job[Steadiness]:
    """Take frames of the flat SLM; each yield reports one and lets Ctrl-C stop the job."""
    flat, brightness = calibrated.bench.layout.flat(), np.empty(20)
    for index in range(20):
        brightness[index] = calibrated.bench.measure(flat[:1], flat[1:]).intensity.mean()
        yield labdiff.CalibrationStep("steadiness", index, 20, "a frame of the flat SLM")
    noise = float(brightness.std() / brightness.mean())
    reason, remedy = f"the light varies by {noise:.2%} rms", "Let the laser warm up."
    verdict = labdiff.Verdict("pass" if noise < 0.02 else "fail", reason, remedy)
    return Steadiness(brightness, noise, verdict)


# An `apply` beside `measure` puts a result to use: on the bench, or as a prior of the twin.
steadiness = labdiff.Routine(Steadiness, measure, depends_on=(Registration,))
with labdiff.open_bench("mock-small") as bench:
    calibration = labdiff.calibrate(bench, needed_only=True, progress=True)
    found = calibration.measure(steadiness, progress=True)
print(f"{found.verdict.reason}; results stored: {len(calibration.history(steadiness))}")
