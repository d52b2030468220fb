"""The bench that an engine has open, with all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drivers.types import Frame
from labdiff.bench.bench import Bench
from labdiff.bench.open import open_bench
from labdiff.bench.origin import archive_folder
from labdiff.config.bench import BenchConfig, bench_text, parse_bench
from labdiff.engine.commands import Connect
from labdiff.engine.device_readout import DeviceReadout
from labdiff.engine.meter_reader import MeterReader, meter_reader
from labdiff.errors import UserError


@dataclass(frozen=True, slots=True)
class OpenedBench:
    """An open bench. command: by which it was opened. calibrations: folder of its archive.

    meter: of the power meter beside it; None without one.
    """

    bench: Bench
    command: Connect
    calibrations: Path
    readout: DeviceReadout
    meter: MeterReader | None = None

    def close(self) -> None:
        """Leave the bench safe, and let go of everything."""
        self.bench.close()
        if self.meter is not None:
            self.meter.close()


def connect(command: Connect, show_frame: Callable[[Frame], None]) -> OpenedBench:
    """Open the bench that a command names; `show_frame` gets the last frame of every batch.

    Raises UserError for a bench file that is not understood, DeviceError for a device.
    """
    name, text = bench_text(command.bench)
    config: BenchConfig = parse_bench(text, name)
    if command.slm_address is not None:
        slm = config.slm.model_copy(update={"address": command.slm_address})
        config = config.model_copy(update={"slm": slm})
    bench = open_bench(config, command.seed)
    bench.on_frames = lambda frames: show_frame(frames[-1])
    is_mock = config.camera.driver == "mock"
    calibrations = command.calibrations or archive_folder(command.bench, is_mock, command.seed)
    try:
        meter = meter_reader(config, bench)
    except UserError:
        bench.close()
        raise
    readout = DeviceReadout(bench, config, calibrations, meter)
    return OpenedBench(bench, command, calibrations, readout, meter)
