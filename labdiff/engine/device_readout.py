"""Set and read the devices of a bench, for a window: requested beside actual values."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from drivers.errors import DeviceError
from labdiff.bench.bench import Bench
from labdiff.config.bench import BenchConfig
from labdiff.engine.status import BenchState, DeviceState, Setting, roi_label


class DeviceReadout:
    """Sets the devices of a bench and reads them.

    Args:
        bench: the open bench.
        config: its bench file.
        calibrations: folder of its calibrations.
    """

    def __init__(self, bench: Bench, config: BenchConfig, calibrations: Path) -> None:
        self._bench, self._config, self._calibrations = bench, config, calibrations
        self._exposure_ms = config.camera.exposure_ms
        self._power_mw = config.laser.power_mw

    def set_exposure(self, exposure_ms: float) -> None:
        """Set the camera's exposure time. Raises DeviceValueError with the limits if out of range."""
        self._bench.camera.exposure_ms = exposure_ms
        self._exposure_ms = exposure_ms

    def set_power(self, power_mw: float) -> None:
        """Set the laser's power. Raises DeviceValueError with the limits if it is out of range."""
        self._bench.laser.power_mw = power_mw
        self._power_mw = power_mw

    def job_ended(self) -> None:
        """Take the values that a job has set as the requested ones."""
        # A device that does not answer is reported by `state`.
        with contextlib.suppress(DeviceError):
            self._exposure_ms = self._bench.camera.exposure_ms
        with contextlib.suppress(DeviceError):
            self._power_mw = self._bench.laser.power_mw

    def state(self, live: bool) -> BenchState:
        """Read all devices; one that does not answer is reported with the reason.

        live: whether the live view runs.
        """
        bench, config = self._bench, self._config
        devices = [
            self._read("slm", config.slm.driver, bench.slm.name, self._slm),
            self._read("camera", config.camera.driver, bench.camera.name, self._camera),
            self._read("laser", config.laser.driver, bench.laser.name, self._laser),
        ]
        if bench.dmd is not None:
            driver = config.input.driver
            settling = Setting("settling", None, bench.dmd.timing.total_ms, "ms")
            devices.insert(1, self._read("dmd", driver, bench.dmd.name, lambda: (settling,)))
        if config.shutter is not None:
            name = "in front of the laser, switched with it"
            devices.append(self._read("shutter", config.shutter.driver, name, self._shutter))
        try:
            emission = bench.laser.emission
        except DeviceError:
            emission = True  # unknown: the dangerous state is reported
        return BenchState(
            bench=config.name,
            devices=tuple(devices),
            emission=emission,
            live=live,
            sensor_shape=bench.camera.shape,
            bit_depth=bench.camera.bit_depth,
            full_scale_counts=bench.full_scale_counts,
            panel_shape=bench.slm.shape,
            patch_shape=config.cavity.patch_shape,
            pixel_pitch_um=config.slm.pixel_pitch_um,
            wavelength_nm=config.source.wavelength_nm,
            calibrations=str(self._calibrations),
            simulated=bench.simulated,
            input_shape=(0, 0) if bench.dmd is None else bench.dmd.shape,
        )

    def _read(
        self, kind: str, driver: str, name: str, settings: Callable[[], tuple[Setting, ...]]
    ) -> DeviceState:
        try:
            return DeviceState(kind, driver, name, True, settings())
        except DeviceError as error:
            return DeviceState(kind, driver, name, False, (), str(error))

    def _slm(self) -> tuple[Setting, ...]:
        slm = self._bench.slm
        return (
            Setting("settling", None, self._bench.display.settle_ms, "ms"),
            Setting("pixel pitch", None, slm.pixel_pitch_um, "µm"),
            Setting("bit depth", None, slm.bit_depth, "bits"),
        )

    def _camera(self) -> tuple[Setting, ...]:
        camera = self._bench.camera
        low, high = camera.exposure_range_ms
        roi = camera.roi
        return (
            Setting("exposure", self._exposure_ms, camera.exposure_ms, "ms", low, high),
            Setting("ROI", None, None, "px", text=roi_label(roi)),
            Setting("bit depth", None, camera.bit_depth, "bits"),
            Setting("saturation", None, self._bench.full_scale_counts, "counts"),
        )

    def _shutter(self) -> tuple[Setting, ...]:
        """Return its state: light comes out while it is open and the laser emits."""
        text = "open" if self._bench.laser.emission else "closed, or the laser is off"
        return (Setting("state", None, None, "", text=text),)

    def _laser(self) -> tuple[Setting, ...]:
        laser = self._bench.laser
        low, high = laser.power_range_mw
        return (
            Setting("power", self._power_mw, laser.power_mw, "mW", low, high),
            Setting("wavelength", None, laser.wavelength_nm, "nm"),
        )
