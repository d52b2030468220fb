"""Run an optical diffusion bench: calibrate it, train its layers, generate images by light.

    import labdiff

    with labdiff.open_bench("mock-small") as bench:
        calibrated = labdiff.calibrate(bench, progress=True)
        run = labdiff.train(bench, out="runs/a", progress=True)
    images = labdiff.generate(run)

docs/python.md introduces it by examples. A name is imported when it is first used, so that neither the
command line nor the window waits for what it does not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calibration.result import CalibrationError as CalibrationError
    from calibration.result import CalibrationResult as CalibrationResult
    from calibration.result import Verdict as Verdict
    from calibration.step import CalibrationStep as CalibrationStep
    from drivers.errors import DeviceError as DeviceError
    from labdiff.api.calibrating import Calibration as Calibration
    from labdiff.api.calibrating import calibrate as calibrate
    from labdiff.api.connecting import ConnectedEngine as ConnectedEngine
    from labdiff.api.connecting import connect as connect
    from labdiff.api.evaluating import Scores as Scores
    from labdiff.api.evaluating import evaluate as evaluate
    from labdiff.api.generating import Images as Images
    from labdiff.api.generating import generate as generate
    from labdiff.api.holograms import Hologram as Hologram
    from labdiff.api.holograms import hologram as hologram
    from labdiff.api.opening import open_bench as open_bench
    from labdiff.api.run import Run as Run
    from labdiff.api.run import read_run as read_run
    from labdiff.api.training import resume as resume
    from labdiff.api.training import train as train
    from labdiff.bench.bench import Bench as Bench
    from labdiff.calibrations.routine import Routine as Routine
    from labdiff.config.training import TrainingOptions as TrainingOptions
    from labdiff.errors import JobStoppedError as JobStoppedError
    from labdiff.errors import UserError as UserError
    from labdiff.holograms.options import HologramOptions as HologramOptions
    from labdiff.holograms.target import HologramSpots as HologramSpots
    from labdiff.session.calibrated_bench import CalibratedBench as CalibratedBench
    from twin.digital_twin import DigitalTwin as DigitalTwin

__version__ = "0.1.0"

_MODULES = {
    "open_bench": "labdiff.api.opening",
    "calibrate": "labdiff.api.calibrating",
    "train": "labdiff.api.training",
    "resume": "labdiff.api.training",
    "generate": "labdiff.api.generating",
    "evaluate": "labdiff.api.evaluating",
    "hologram": "labdiff.api.holograms",
    "read_run": "labdiff.api.run",
    "Bench": "labdiff.bench.bench",
    "CalibrationError": "calibration.result",
    "CalibrationResult": "calibration.result",
    "CalibrationStep": "calibration.step",
    "CalibratedBench": "labdiff.session.calibrated_bench",
    "Calibration": "labdiff.api.calibrating",
    "ConnectedEngine": "labdiff.api.connecting",
    "connect": "labdiff.api.connecting",
    "DeviceError": "drivers.errors",
    "DigitalTwin": "twin.digital_twin",
    "Hologram": "labdiff.api.holograms",
    "HologramOptions": "labdiff.holograms.options",
    "HologramSpots": "labdiff.holograms.target",
    "Images": "labdiff.api.generating",
    "JobStoppedError": "labdiff.errors",
    "Routine": "labdiff.calibrations.routine",
    "Run": "labdiff.api.run",
    "Scores": "labdiff.api.evaluating",
    "TrainingOptions": "labdiff.config.training",
    "UserError": "labdiff.errors",
    "Verdict": "calibration.result",
}
"""The module of each public name."""

__all__ = list(_MODULES)


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module 'labdiff' has no attribute {name!r}")
    found: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the public names, for completion in a shell."""
    return [*__all__, "__version__"]
