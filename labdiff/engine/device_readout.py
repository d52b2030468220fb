"""Set and read the devices of a bench, for a window: requested beside actual values."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from calibration.archive import CalibrationArchive
from calibration.registration import Registration
from drivers.camera.gain import GainCamera, require_gain
from drivers.errors import DeviceError, DeviceStateError
from drivers.protocols import Camera
from drivers.slm.correction import CorrectableSlm
from drivers.types import Roi
from labdiff.bench.bench import Bench
from labdiff.config.bench import BenchConfig
from labdiff.engine.meter_reader import MeterReader
from labdiff.engine.status import (
    ADDED,
    CORRECTION,
    NOT_ADDED,
    BenchState,
    DeviceState,
    Setting,
    roi_label,
)
from labdiff.errors import UserError


class DeviceReadout:
    """Sets the devices of a bench and reads them.

    Args:
        bench: the open bench.
        config: its bench file.
        calibrations: folder of its calibrations.
        meter: of the power meter beside it; None without one.
    """

    def __init__(
        self,
        bench: Bench,
        config: BenchConfig,
        calibrations: Path,
        meter: MeterReader | None = None,
    ) -> None:
        self._meter = meter
        self._bench, self._config, self._calibrations = bench, config, calibrations
        self._exposure_ms = config.camera.exposure_ms
        self._power_mw = config.laser.power_mw

    def set_exposure(self, exposure_ms: float) -> None:
        """Set the camera's exposure time. Raises DeviceValueError with the limits if out of range."""
        self._bench.camera.exposure_ms = exposure_ms
        self._exposure_ms = exposure_ms

    def set_gain(self, gain_db: float) -> None:
        """Set the camera's gain. Raises DeviceValueError with the limits, or if it has none."""
        camera = self._bench.camera
        limits_db = camera.gain_range_db if isinstance(camera, GainCamera) else None
        require_gain(camera.name, gain_db, limits_db)
        if isinstance(camera, GainCamera):
            camera.gain_db = gain_db

    def set_correction(self, on: bool) -> None:
        """Add the flatness map of the SLM's maker or not. Raises DeviceStateError without a map."""
        slm = self._bench.slm
        if not isinstance(slm, CorrectableSlm) or slm.correction is None:
            raise DeviceStateError(
                f"{slm.name}: has no flatness map of its maker; name it in slm.options.correction"
            )
        slm.correction = on

    def set_power(self, power_mw: float) -> None:
        """Set the laser's power. Raises DeviceValueError with the limits if it is out of range."""
        self._bench.laser.power_mw = power_mw
        self._power_mw = power_mw

    def set_output_roi(self) -> None:
        """Set the camera's window around the calibrated output region. Raises UserError without one."""
        found = self._bench.registration
        if found is None:
            stored = CalibrationArchive(self._calibrations).latest(Registration.routine)
            if stored is not None and isinstance(stored.result, Registration):
                found = stored.result
        if found is None:
            raise UserError(
                f"{self._config.name}: no registration is stored, so the output region is not known; "
                "calibrate first"
            )
        self._bench.camera.roi = self._bench.output_window(found)

    def adopt_set_values(self) -> None:
        """Take the values that a job, or a search, has set as the requested ones."""
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
        if self._meter is not None:
            devices.append(self._meter.state())
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
            roi=self._roi(),
            patches=tuple(
                Roi(config.cavity.patch_top, left, *config.cavity.patch_shape)
                for left in config.cavity.patch_lefts
            ),
            input_patch=bench.dmd is None,
        )

    def _read(
        self, kind: str, driver: str, name: str, settings: Callable[[], tuple[Setting, ...]]
    ) -> DeviceState:
        try:
            return DeviceState(kind, driver, name, True, settings())
        except DeviceError as error:
            return DeviceState(kind, driver, name, False, (), str(error))

    def _roi(self) -> Roi | None:
        try:
            return self._bench.camera.roi
        except DeviceError:
            return None

    def _slm(self) -> tuple[Setting, ...]:
        slm = self._bench.slm
        added = slm.correction if isinstance(slm, CorrectableSlm) else None
        text = ADDED if added else NOT_ADDED
        correction = () if added is None else (Setting(CORRECTION, None, None, "", text=text),)
        return (
            *correction,
            Setting("settling", None, self._bench.display.settle_ms, "ms"),
            Setting("pixel pitch", None, slm.pixel_pitch_um, "µm"),
            Setting("bit depth", None, slm.bit_depth, "bits"),
        )

    def _camera(self) -> tuple[Setting, ...]:
        camera = self._bench.camera
        low, high = camera.exposure_range_ms
        return (
            Setting("exposure", self._exposure_ms, camera.exposure_ms, "ms", low, high),
            *self._gain(camera),
            Setting("ROI", None, None, "px", text=roi_label(camera.roi)),
            *self._binning(),
            Setting("bit depth", None, camera.bit_depth, "bits"),
            Setting("saturation", None, self._bench.full_scale_counts, "counts"),
        )

    def _gain(self, camera: Camera) -> tuple[Setting, ...]:
        limits_db = camera.gain_range_db if isinstance(camera, GainCamera) else None
        if limits_db is None or not isinstance(camera, GainCamera):
            return ()
        gain_db = camera.gain_db
        return (Setting("gain", gain_db, gain_db, "dB", *limits_db),)

    def _binning(self) -> tuple[Setting, ...]:
        """Return how many pixels are put together, where the driver has such an option."""
        binning = self._config.camera.options.get("binning")
        text = f"{binning} x {binning}, by the bench file"
        return () if binning is None else (Setting("binning", None, None, "", text=text),)

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
