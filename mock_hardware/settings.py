"""The settings of the mock bench: every effect with a realistic default, and 0 for off.

An *effect* is something that a perfect bench does not have; a *feature* is what the data sheet states (a
refresh rate, a bit packing) and stays when the effects are off. Most effects are standard deviations
from which the seed draws the hidden truth; the sources are in docs/mock-bench.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mock_hardware.fault_script import parse


def effect(default: float, description: str, most: float = 1e6) -> Any:
    """Declare a setting whose 0 switches the effect off.

    Args:
        default: of the setting.
        description: of the effect.
        most: largest value allowed.
    """
    return Field(
        default, ge=0.0, le=most, description=description, json_schema_extra={"effect": True}
    )


def feature(default: float, description: str, least: float = 0.0, most: float = 1e6) -> Any:
    """Declare a figure of the data sheet.

    Args:
        default: of the figure.
        description: of the figure.
        least: smallest value allowed.
        most: largest value allowed.
    """
    return Field(default, ge=least, le=most, description=description)


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MockSlmSettings(_Settings):
    """Liquid crystal on silicon."""

    stroke: float = feature(
        1.0, "full stroke, share of 2 pi: below 1 a panel for shorter waves", 0.3, 2.0
    )
    stroke_spread: float = effect(0.12, "full stroke beyond that, share, uniform from 0", 0.5)
    lut_bend: float = effect(0.04, "bend of the phase response, share of the stroke", 0.2)
    lut_variation: float = effect(0.01, "stroke over the panel, rms share", 0.2)
    backplane_rad: float = effect(0.15, "curvature of the backplane over a patch, rms rad", 20.0)
    crosstalk_px: float = effect(0.25, "fringing field: Gaussian blur of the phase, px", 3.0)
    fringing_growth: float = effect(
        0.0, "how much more a pixel follows its neighbours where they differ by 2 pi, share", 1.0
    )
    phase_noise_rad: float = effect(0.0, "phase error of each pixel by itself, rms rad", 3.0)
    dead_space: float = effect(0.06, "share of a pixel that does not modulate (zero order)", 0.5)
    dead_space_reflectance: float = feature(0.5, "intensity that the dead space reflects", 0.0, 1.0)
    reflection_loss: float = effect(0.05, "intensity lost at each bounce on the SLM", 0.9)
    flicker: float = effect(0.002, "ripple of the stroke, amplitude, share", 0.2)
    flicker_hz: float = feature(480.0, "frequency of the ripple", 1.0, 1e5)
    refresh_hz: float = feature(60.0, "refresh rate; a pattern waits for the next one", 1.0, 1e5)
    scan_ms: float = feature(8.0, "time in which a refresh runs down the panel (tearing)", 0.0, 1e3)
    rise_ms: float = feature(4.0, "10-90 % time of a full step upwards", 0.0, 1e3)
    fall_ms: float = feature(7.0, "10-90 % time of a full step downwards", 0.0, 1e3)
    small_step_slowdown: float = feature(
        0.3, "how much slower a vanishing step is, share", 0.0, 5.0
    )
    undeclared_slowdown: float = effect(
        0.0, "by how much steps take longer than the driver declares, share", 100.0
    )
    unmodulated: float = effect(
        0.0, "light in the polarisation that no patch modulates, share of the intensity", 0.9
    )
    pitch_error: float = effect(0.0, "pixel pitch against the data sheet, rms share", 0.3)
    dust: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="opaque grains on each patch, 4 px across",
        json_schema_extra={"effect": True},
    )


class MockBeamSettings(_Settings):
    """The laser beam on the input plane."""

    wavelength_error: float = effect(0.0, "wavelength against the data sheet, rms share", 0.1)
    tilt_mrad: float = effect(1.5, "angle of the beam, rms mrad", 50.0)
    offset_um: float = effect(30.0, "pointing on the input plane, rms um", 5e3)
    waist_error: float = effect(0.05, "waist against the data sheet, rms share", 0.5)
    ellipticity: float = effect(
        0.03, "half the difference of the waists in x and y, rms share", 0.5
    )
    structure: float = effect(0.03, "higher Hermite-Gauss modes (M2 > 1), rms amplitude", 0.5)
    window_ghost: float = effect(0.01, "amplitude reflected twice in a window: fringes", 0.5)


class MockCavitySettings(_Settings):
    """SLM and mirror."""

    gap_error: float = effect(0.015, "distance against the data sheet, rms share", 0.2)
    mirror_tilt_mrad: float = effect(1.0, "angle of the mirror, rms mrad", 50.0)
    bounce_tilt_mrad: float = effect(0.1, "further angle of each bounce, rms mrad", 10.0)
    mirror_loss: float = effect(0.02, "intensity lost at each bounce on the mirror", 0.9)
    mirror_edge: float = effect(
        0.03, "share of the first patch's width that the mirror's edge shades", 0.9
    )


class MockRelaySettings(_Settings):
    """The imaging optics between output plane and camera."""

    magnification_error: float = effect(0.01, "against the data sheet, rms share", 0.2)
    rotation_deg: float = effect(0.7, "rms degrees", 45.0)
    offset_px: float = effect(3.0, "rms camera pixels", 1e3)
    distortion: float = effect(0.001, "radial, at the corner of the patch, rms share", 0.1)
    defocus_mm: float = effect(0.05, "camera out of the output plane's image, rms mm", 20.0)
    aberration_rad: float = effect(0.1, "Zernike terms 5 ... 12 in the pupil, rms rad each", 10.0)
    ghost: float = effect(
        0.0, "intensity of a second image, from a window before the camera, share", 0.9
    )
    ghost_px: float = feature(9.0, "distance of the second image, camera pixels", 0.0, 1e3)
    stray: float = effect(
        0.0, "coherent light past all patterns, amplitude over that of the beam", 1.0
    )
    pupil_na: float = feature(0.05, "numerical aperture; 0: open", 0.0, 1.0)


class MockDmdSettings(_Settings):
    """The micro-mirror device (only with input.kind = "dmd")."""

    load_us: float = feature(43.2, "time to load a pattern", 0.0, 1e6)
    mirror_us: float = feature(8.0, "time in which the mirrors move", 0.0, 1e6)
    mirrors_per_superpixel: int = Field(
        default=256, ge=1, le=65536, description="binary mirrors a grey value"
    )
    diffraction_loss: float = effect(0.12, "intensity in other orders of the 12 degree blaze", 0.9)


class MockCameraSettings(_Settings):
    """Sensor, converter and driver."""

    shot_noise: bool = Field(
        default=True, description="photon statistics", json_schema_extra={"effect": True}
    )
    full_well_electrons: float = feature(10_000.0, "electrons at full scale", 10.0, 1e6)
    well: float = feature(
        2.0, "electrons that the well holds, in full scales of the converter", 0.05
    )
    converter_bits: int = Field(
        default=0,
        ge=0,
        le=16,
        description="bits of the converter, if fewer than the camera declares; 0: as many",
    )
    read_noise_electrons: float = effect(5.0, "rms electrons", 1e4)
    dark_electrons_per_s: float = effect(20.0, "dark current of a pixel", 1e6)
    pedestal: float = effect(0.02, "dark level, share of full scale", 0.5)
    offset_pattern_electrons: float = effect(3.0, "fixed pattern of the offset, rms electrons", 1e4)
    gain_pattern: float = effect(0.005, "fixed pattern of the gain, rms share", 0.5)
    defects: float = effect(2e-5, "share of pixels that are hot, and as many that are dead", 0.1)
    packing: Literal["right", "left"] = Field(
        default="right", description="where the bits sit in a 16-bit word"
    )
    shutter: Literal["global", "rolling"] = Field(default="global", description="kind of shutter")
    line_us: float = feature(5.0, "rolling shutter: delay from row to row", 0.0, 1e5)
    frames_per_s: float = feature(522.0, "greatest frame rate", 0.01, 1e6)
    readout_ms: float = feature(1.9, "exposure's end to the frame in hand", 0.0, 1e4)
    overlap: bool = Field(default=True, description="exposes while the frame before is read out")
    trigger_us: float = feature(20.0, "trigger to the start of the exposure", 0.0, 1e6)
    queue: int = Field(
        default=4, ge=1, le=1000, description="frames that the driver keeps in free run"
    )
    automatic_gain: float = effect(
        0.0, "how much of a frame's brightness automatic gain takes back, share", 1.0
    )
    frames_late: int = Field(
        default=0,
        ge=0,
        le=4,
        description="exposures by which the pixels that are handed out are old",
        json_schema_extra={"effect": True},
    )
    dust: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="opaque grains before the sensor, 5 px across",
        json_schema_extra={"effect": True},
    )
    lamp: float = effect(0.0, "light of a lamp in the room, share of full scale in 2 ms", 1.0)
    lamp_from_s: float = feature(0.0, "time at which the lamp is switched on")
    lamp_warm_up_s: float = feature(0.0, "time constant in which the lamp gets bright")


class MockDriftSettings(_Settings):
    """Ornstein-Uhlenbeck processes: stationary rms and correlation time."""

    beam_urad: float = effect(25.0, "beam pointing, rms of each axis", 1e5)
    mirror_urad: float = effect(25.0, "mirror angle, rms of each axis", 1e5)
    power: float = effect(0.01, "laser power, rms share", 0.5)
    ripple: float = effect(0.0, "ripple of the power, amplitude, share", 0.9)
    ripple_hz: float = feature(100.0, "frequency of that ripple", 0.01, 1e5)
    mode_hop: float = effect(0.0, "power lost in the laser's other mode, share", 0.9)
    mode_hop_s: float = feature(5.0, "mean time between two mode hops", 1e-3, 1e6)
    wavelength_nm: float = effect(0.01, "laser wavelength, rms", 10.0)
    temperature_k: float = effect(0.3, "temperature of the SLM, rms", 20.0)
    stroke_per_k: float = feature(-0.004, "stroke of the SLM against temperature, share", -0.1, 0.1)
    angle_minutes: float = feature(2.0, "correlation time of the angles", 1e-3, 1e5)
    laser_minutes: float = feature(2.0, "correlation time of power and wavelength", 1e-3, 1e5)
    temperature_minutes: float = feature(30.0, "correlation time of the temperature", 1e-3, 1e5)


class MockFaultSettings(_Settings):
    """What goes wrong, as a chance for each frame; scripts add to it (mock_hardware.fault_script)."""

    dropped: float = effect(0.0, "chance that a frame never comes", 1.0)
    duplicated: float = effect(0.0, "chance that the driver hands out the last frame again", 1.0)
    torn: float = effect(0.0, "chance that the lower half is of the frame before", 1.0)
    late: float = effect(0.0, "chance that a frame comes only after the driver's time-out", 1.0)
    knock_mrad: float = feature(1.0, "by how much a knocked mirror turns", 0.0, 50.0)
    script: tuple[str, ...] = Field(
        default=(), description='such as "unplugged@120", "slm_frozen@40-60"'
    )

    @field_validator("script")
    @classmethod
    def _lines_are_known(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        for line in lines:
            parse(line)
        return lines


UNMODELLED = {
    "slm": {"phase_noise_rad": 0.15, "fringing_growth": 0.2},
    "relay": {"stray": 0.08},
}
"""What "unmodelled" sets, by section, where it is off: the twin has no parameter for any of it."""


class MockSettings(_Settings):
    """All settings of a mock laboratory."""

    imperfections: Literal["random", "none", "unmodelled"] = Field(
        default="random",
        description='"random": drawn from the seed; "none": every effect off; "unmodelled": as "random", '
        "with effects that the twin has no parameter for",
    )
    clock: Literal["virtual", "real"] = Field(
        default="virtual", description='"virtual": instant; "real": waits as the devices would'
    )
    samples_per_pixel: int = Field(
        default=2, ge=1, le=8, description="samples of the light a pixel and axis (fidelity)"
    )
    steepest: float = Field(
        default=0.06,
        gt=0.0,
        le=1.0,
        description="sine of the steepest light followed in the cavity; 1: all (fidelity)",
    )
    threads: int = Field(
        default=0, ge=0, le=64, description="threads that compute light; 0: one a core"
    )
    slm: MockSlmSettings = MockSlmSettings()
    beam: MockBeamSettings = MockBeamSettings()
    cavity: MockCavitySettings = MockCavitySettings()
    relay: MockRelaySettings = MockRelaySettings()
    dmd: MockDmdSettings = MockDmdSettings()
    camera: MockCameraSettings = MockCameraSettings()
    drift: MockDriftSettings = MockDriftSettings()
    faults: MockFaultSettings = MockFaultSettings()

    @classmethod
    def effects(cls) -> Iterator[tuple[str, str]]:
        """Yield (section, name) of every effect."""
        for section, section_field in cls.model_fields.items():
            model = section_field.annotation
            if isinstance(model, type) and issubclass(model, _Settings):
                for name, field in model.model_fields.items():
                    extra = field.json_schema_extra
                    if isinstance(extra, dict) and extra.get("effect"):
                        yield section, name

    def off(self) -> MockSettings:
        """Return the same features, with every effect off."""
        return self.only()

    def only(self, *effects: str) -> MockSettings:
        """Return these settings with every effect off but those named "section.name"."""
        wanted = set(effects)
        unknown = wanted - {f"{section}.{name}" for section, name in self.effects()}
        if unknown:
            raise ValueError(f"no such effect: {', '.join(sorted(unknown))}")
        changes: dict[str, dict[str, object]] = {}
        for section, name in self.effects():
            if f"{section}.{name}" not in wanted:
                value = getattr(getattr(self, section), name)
                changes.setdefault(section, {})[name] = type(value)(0)
        parts = {s: getattr(self, s).model_copy(update=update) for s, update in changes.items()}
        return self.model_copy(update=parts)

    def effective(self) -> MockSettings:
        """Return these settings with what `imperfections` says of their effects."""
        match self.imperfections:
            case "none":
                return self.off()
            case "unmodelled":
                slm, relay = (
                    part.model_copy(
                        update={name: getattr(part, name) or value for name, value in own.items()}
                    )
                    for part, own in (
                        (self.slm, UNMODELLED["slm"]),
                        (self.relay, UNMODELLED["relay"]),
                    )
                )
                return self.model_copy(update={"slm": slm, "relay": relay})
            case _:
                return self
