"""What is set on a camera with GenICam's standard features (SFNC): format, window, exposure, trigger."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from drivers.camera.bit_packing import KNOWN, as_mono, bits_of
from drivers.camera.features import Features
from drivers.camera.gain import require_gain
from drivers.camera.window import ReadWindow, Steps
from drivers.errors import DeviceValueError
from drivers.types import CameraTiming, Roi

log = logging.getLogger(__name__)

COLOUR = (
    'To measure with the pixels of one colour set camera.bayer_plane = "green1" (or red, green2, blue) in '
    "the bench file; a monochrome camera gets more light"
)
"""What to do with a colour camera."""
NO_COLOUR = (
    "Leave camera.bayer_plane out: the camera is monochrome, or sends colours that are interpolated"
)
"""What to do where one colour's pixels are asked for and there is no format of them."""
TRIGGER_MS = 1.0
"""Time from the command until the exposure begins."""
READOUT_MS = 10.0
"""Read-out of a camera that does not report its frame rate."""
EXPOSURE = ("ExposureTime", "ExposureTimeAbs")
"""Names of the exposure in versions of the standard."""
FRAME_RATE = ("ResultingFrameRate", "ResultingFrameRateAbs", "AcquisitionFrameRate")
"""Names of the largest frame rate in versions of the standard."""
USER_SET = "Default"
"""Name of the settings that a camera has when it leaves the factory."""
FIXED: tuple[tuple[str, object], ...] = (
    ("AcquisitionMode", "Continuous"),
    ("ExposureMode", "Timed"),
    ("ExposureAuto", "Off"),
    ("GainAuto", "Off"),
    ("BlackLevelAuto", "Off"),
    ("BalanceWhiteAuto", "Off"),
    ("GammaEnable", False),
    ("Gamma", 1.0),
    ("LUTEnable", False),
    ("DigitalShift", 0),
    ("DecimationHorizontal", 1),
    ("DecimationVertical", 1),
    ("ReverseX", False),
    ("ReverseY", False),
    ("TestPattern", "Off"),
    ("TestImageSelector", "Off"),
    ("SharpnessEnable", False),
    ("SharpnessAuto", "Off"),
    ("DefectCorrectStaticEnable", False),
    ("AcquisitionFrameRateEnable", False),
)
"""Features that a measurement needs, where a camera has them, and their values, in the order of writing."""
FRAME_TRIGGERS = ("FrameStart", "ExposureStart")
"""Triggers that start one frame, by name; the first that there is is used."""


@dataclass(frozen=True, slots=True)
class SfncOptions:
    """The bench file's [camera.options] that all GenICam cameras share.

    pixel_format: a monochrome one by its GenICam name, such as "Mono12p"; "": the first that there is of
    the bench file's bit_depth. binning: pixels that are put together on each axis; shape and windows are
    then in binned pixels. gain_db: in the camera's own unit of Gain, mostly dB; below 0: the least that it
    takes. conversion_gain: a mode of cameras with several, by its name; "": as it is. user_set: settings
    that are loaded first, those of the factory; "": none, what a viewer left stays where it is not named
    here. trigger_line: input on which a modulator triggers exposures, such as "Line1"; "": none.
    timeout_ms: how long to wait for a frame, beyond its exposure.
    """

    pixel_format: str = ""
    binning: Annotated[int, Field(ge=1, le=8)] = 1
    gain_db: Annotated[float, Field(ge=-1.0, le=100.0)] = -1.0
    conversion_gain: str = ""
    user_set: str = USER_SET
    trigger_line: str = ""
    timeout_ms: Annotated[int, Field(ge=10, le=600_000)] = 2000


class SfncSettings:
    """Sets what a measurement needs at once. Raises DeviceValueError for what the camera cannot.

    shape: (height, width) of the sensor, after binning. pixel_format: as it is sent. has_trigger: exposures
    can be started; else the camera runs by itself. timing: as it is with these settings. changed: what was
    otherwise before, a line each.
    """

    def __init__(
        self,
        name: str,
        features: Features,
        bit_depth: int,
        options: SfncOptions,
        one_colour: bool = False,
    ) -> None:
        self._name, self._features, self._options = name, features, options
        self._one_colour = one_colour
        found = {feature: features.read(feature) for feature in (*dict(FIXED), "Gain")}
        self._load_user_set()
        for feature, value in FIXED:
            features.try_write(value, feature)
        self._choose_gain()
        self._balance()
        self._bin()
        self.pixel_format = self._choose_format(bit_depth)
        self.has_trigger = self._choose_trigger()
        self._steps = self._axis("Height", "OffsetY"), self._axis("Width", "OffsetX")
        self.shape = (self._steps[0].length, self._steps[1].length)
        self.use_window(Roi(0, 0, *self.shape))
        self.note_timing()
        self.changed = tuple(
            f"{feature}: was {before}, is {features.read(feature)}"
            for feature, before in found.items()
            if before is not None and before != features.read(feature)
        )
        for line in self.changed:
            log.info("%s: %s", name, line)

    @property
    def temperature_c(self) -> float | None:
        """Of sensor or board; None if the camera does not measure it."""
        found = self._features.read("DeviceTemperature", "TemperatureAbs")
        return None if found is None else float(found)

    @property
    def exposure_range_ms(self) -> tuple[float, float]:
        """Shortest and longest exposure; both the frame's time if the camera's is not settable."""
        low, high = self._features.smallest(*EXPOSURE), self._features.largest(*EXPOSURE)
        if low is None or high is None:
            return self.exposure_ms, self.exposure_ms
        return float(low) / 1e3, float(high) / 1e3

    @property
    def gain_range_db(self) -> tuple[float, float] | None:
        """Least and greatest gain; None if it cannot be set in dB."""
        low, high = self._features.smallest("Gain"), self._features.largest("Gain")
        if low is None or high is None or not float(low) < float(high):
            return None
        return float(low), float(high)

    @property
    def gain_db(self) -> float | None:
        """The gain that is applied; None if it cannot be set in dB."""
        found = self._features.read("Gain")
        return None if found is None or self.gain_range_db is None else float(found)

    def set_gain(self, value_db: float) -> None:
        """Set the gain. Raises DeviceValueError beyond its limits, or without one."""
        require_gain(self._name, value_db, self.gain_range_db)
        self._features.write(value_db, "Gain")

    def set_exposure(self, value_ms: float) -> None:
        """Set it."""
        low, high = self.exposure_range_ms
        if not low * (1.0 - 1e-9) <= value_ms <= high * (1.0 + 1e-9):
            raise DeviceValueError(
                f"{self._name}: exposure {value_ms} ms; allowed is {low:g} ... {high:g} ms"
            )
        self._features.write(value_ms * 1e3, *EXPOSURE)
        self.note_timing()

    def use_window(self, asked: Roi) -> None:
        """Let the camera read out the smallest window that it can around this one."""
        self.window = ReadWindow.around(asked, *self._steps)
        features, read = self._features, self.window.read
        for offset, first, length, size in (
            ("OffsetX", read.left, "Width", read.width),
            ("OffsetY", read.top, "Height", read.height),
        ):
            if features.read(offset) is not None:
                features.write(0, offset)
                features.write(size, length)
                features.write(first, offset)
        self.note_timing()

    def trigger_by(self, source: str) -> None:
        """Let this start exposures: "Software", or a line."""
        self._arm(source)

    def note_timing(self) -> None:
        """Read what the camera reports of it; once, because each reading is a packet there and back."""
        features = self._features
        rate = features.read(*FRAME_RATE)
        frame_ms = 1e3 / float(rate) if rate else READOUT_MS
        exposure_us = features.read(*EXPOSURE)
        self.exposure_ms = frame_ms if exposure_us is None else float(exposure_us) / 1e3
        readout_us = features.read("SensorReadoutTime")
        readout_ms = READOUT_MS if readout_us is None else float(readout_us) / 1e3
        total_ms = self.exposure_ms + readout_ms
        # A line may trigger while the frame before is read out; the software waits for it.
        period_ms = frame_ms if self._options.trigger_line else TRIGGER_MS + total_ms
        period_ms = max(period_ms, self.exposure_ms, readout_ms)
        self.timing = CameraTiming(TRIGGER_MS, total_ms, readout_ms, period_ms)

    def _bin(self) -> None:
        for feature in ("BinningHorizontal", "BinningVertical"):
            if self._one_colour and self._options.binning > 1:
                raise DeviceValueError(
                    f"{self._name}: binning = {self._options.binning} mixes colours; leave it out beside "
                    "camera.bayer_plane"
                )
            taken = self._features.try_write(self._options.binning, feature)
            if not taken and self._options.binning > 1:
                raise DeviceValueError(
                    f"{self._name}: binning = {self._options.binning}; its {feature} goes "
                    f"to {self._features.largest(feature) or 1}"
                )

    def _choose_format(self, bit_depth: int) -> str:
        features, wanted = self._features, self._options.pixel_format
        choices = features.choices("PixelFormat")
        there = [
            name
            for mono in KNOWN
            for name in choices
            if as_mono(name) == mono and (name != mono) == self._one_colour
        ]
        all_of_it = ", ".join(choices) or "none that it names"
        has = f"it has {', '.join(there)}"
        if not there and self._one_colour:
            has = f"it has no format of a colour camera's own counts: {all_of_it}. {NO_COLOUR}"
        elif not there:
            has = f"it has only colours: {all_of_it}. {COLOUR}"
        if wanted and wanted not in there:
            raise DeviceValueError(f"{self._name}: pixel_format = {wanted!r}; {has}")
        fitting = [n for n in there if bits_of(n) == bit_depth and wanted in ("", n)]
        for name in fitting:
            if features.try_write(name, "PixelFormat"):
                return name
        asked = f"bit_depth = {bit_depth} {wanted}".rstrip()
        raise DeviceValueError(f"{self._name}: {asked}: {has}")

    def _choose_trigger(self) -> bool:
        """Set one frame for each trigger; what else may be triggered is not.

        Returns whether the camera has a software trigger.
        """
        features, line = self._features, self._options.trigger_line
        selectors = features.choices("TriggerSelector")
        for selector in selectors:
            if features.try_write(selector, "TriggerSelector"):
                features.try_write("Off", "TriggerMode")
        wanted = [name for name in FRAME_TRIGGERS if name in selectors]
        if selectors and not (wanted and features.try_write(wanted[0], "TriggerSelector")):
            raise DeviceValueError(
                f"{self._name}: none of its triggers starts a frame: it has {', '.join(selectors)}, and "
                f"needed is {' or '.join(FRAME_TRIGGERS)}"
            )
        sources = features.choices("TriggerSource")
        if line and line not in sources:
            raise DeviceValueError(
                f"{self._name}: trigger_line = {line!r}; it has {', '.join(sources) or 'none'}"
            )
        return self._arm("Software")

    def _arm(self, source: str) -> bool:
        """Let a source start frames; the source is only written while the trigger is off."""
        features = self._features
        features.try_write("Off", "TriggerMode")
        chosen = features.try_write(source, "TriggerSource")
        features.try_write("RisingEdge", "TriggerActivation")
        features.try_write(0.0, "TriggerDelay", "TriggerDelayAbs")
        if not chosen:
            return False
        return features.try_write("On", "TriggerMode")

    def _load_user_set(self) -> None:
        """Load the settings of the factory, where the camera has them; what a viewer left is gone then."""
        features, wanted = self._features, self._options.user_set
        sets = features.choices("UserSetSelector")
        if not wanted or (wanted == USER_SET and wanted not in sets):
            return
        if wanted not in sets:
            raise DeviceValueError(
                f"{self._name}: user_set = {wanted!r}; it has {', '.join(sets) or 'none'}"
            )
        if features.try_write(wanted, "UserSetSelector"):
            try:
                features.execute("UserSetLoad")
            except features.errors as error:
                log.warning("%s: does not load its user set %s: %s", self._name, wanted, error)

    def _choose_gain(self) -> None:
        features, wanted = self._features, self._options.gain_db
        modes = features.choices("ConversionGain")
        mode = self._options.conversion_gain
        if mode and not features.try_write(mode, "ConversionGain"):
            raise DeviceValueError(
                f"{self._name}: conversion_gain = {mode!r}; it has {', '.join(modes) or 'none'}"
            )
        least = features.smallest("Gain", "GainRaw")
        value = wanted if wanted >= 0.0 else float(least or 0.0)
        taken = features.try_write(value, "Gain", "GainRaw")
        if not taken and wanted >= 0.0:
            raise DeviceValueError(
                f"{self._name}: gain_db = {wanted:g}; its gain goes from {least} to "
                f"{features.largest('Gain', 'GainRaw')}"
            )

    def _balance(self) -> None:
        """Give all colours the same gain."""
        features = self._features
        for colour in features.choices("BalanceRatioSelector"):
            if features.try_write(colour, "BalanceRatioSelector"):
                features.try_write(1.0, "BalanceRatio")

    def _axis(self, length: str, offset: str) -> Steps:
        features = self._features
        if features.read(offset) is None:
            # What cannot be moved is read whole, and cut here.
            return Steps(int(features.read(length)), offset_step=0)
        features.write(0, offset)
        longest, least = int(features.largest(length)), int(features.smallest(length))
        features.write(least, length)
        offset_step = int(features.step(offset) or 1)
        return Steps(longest, least, int(features.step(length) or 1), offset_step)
