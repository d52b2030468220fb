"""The bench file: its sections and their limits; every quantity has its unit in its name."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from drivers.camera.bayer import BayerPattern, BayerPlane, plane_shape
from drivers.validation_messages import explain
from labdiff.config.section import Section
from labdiff.config.toml_text import parse_toml, read_toml_file
from labdiff.errors import UserError
from mock_hardware.settings import MockSettings

Positive = Annotated[float, Field(gt=0.0)]
Pixels = Annotated[int, Field(ge=1, le=20_000)]
Shape = tuple[Pixels, Pixels]
LEAST_LEVEL = 64
"""Least count at which a camera may saturate: of fewer nothing can be measured."""


class SourceConfig(Section):
    """The laser beam, from its data sheet."""

    wavelength_nm: float = Field(ge=200.0, le=2000.0, description="vacuum wavelength, nm")
    wavelength_sigma_nm: float = Field(
        default=1.0, ge=0.0, le=100.0, description="standard deviation of the wavelength, nm"
    )
    waist_mm: float = Field(gt=0.0, le=50.0, description="1/e^2 intensity radius on the SLM, mm")


class CavityConfig(Section):
    """The fold between SLM and mirror."""

    z_gap_mm: float = Field(gt=0.0, le=1000.0, description="SLM to mirror, mm")
    patch_shape: Shape
    patch_top: int = Field(ge=0)
    patch_lefts: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)


class SlmConfig(Section):
    """The phase modulator that carries the layers."""

    driver: str
    shape: Shape
    pixel_pitch_um: float = Field(gt=0.0, le=100.0)
    pixel_pitch_sigma_um: float = Field(
        default=0.002, ge=0.0, le=10.0, description="standard deviation of the pitch, um"
    )
    bit_depth: Literal[8, 10] = 8
    address: str | None = None
    options: dict[str, Any] = Field(default={}, description="options of this driver")


class InputConfig(Section):
    """The input modulator, which encodes the image on the beam."""

    kind: Literal["slm_patch", "dmd"]
    driver: str = Field(default="mock", description="driver of a DMD; a patch needs none")
    address: str | None = None
    options: dict[str, Any] = Field(default={}, description="options of this driver")


class CameraConfig(Section):
    """The camera behind the relay."""

    driver: str
    shape: Shape
    pixel_pitch_um: float = Field(gt=0.0, le=100.0)
    bit_depth: int = Field(ge=8, le=16, description="bits of one count")
    exposure_ms: float = Field(gt=0.0, le=10_000.0)
    saturation_level: int = Field(
        default=0,
        ge=0,
        description="count from which a pixel is saturated, where counts end below the largest of "
        "bit_depth; 0 if they do not",
    )
    bayer_plane: Literal["", BayerPlane] = Field(
        default="",
        description="of a colour camera: the filter whose pixels are used, every second one of every "
        "second row; shape and pixel_pitch_um are the sensor's own",
    )
    bayer_pattern: Literal["", BayerPattern] = Field(
        default="",
        description="filters of the first two pixels, where the driver does not report them",
    )
    serial: str | None = None
    options: dict[str, Any] = Field(default={}, description="options of this driver")

    @property
    def used_shape(self) -> tuple[int, int]:
        """(height, width) of what the bench uses: the sensor, or one plane of a colour camera's."""
        return plane_shape(self.shape) if self.bayer_plane else self.shape

    @property
    def used_pitch_um(self) -> float:
        """Distance of the pixels that the bench uses: every second one of a colour camera."""
        return self.pixel_pitch_um * (2.0 if self.bayer_plane else 1.0)

    @model_validator(mode="after")
    def _simulated_cameras_have_no_filters(self) -> CameraConfig:
        if self.bayer_plane and self.driver == "mock":
            raise ValueError(
                f"camera.bayer_plane = {self.bayer_plane!r}: the simulated camera is monochrome; leave it "
                "out"
            )
        return self

    @model_validator(mode="after")
    def _counts_reach_the_saturation_level(self) -> CameraConfig:
        largest = 2**self.bit_depth - 1
        if self.saturation_level and not LEAST_LEVEL <= self.saturation_level <= largest:
            raise ValueError(
                f"camera.saturation_level = {self.saturation_level}: allowed with bit_depth = "
                f"{self.bit_depth} is {LEAST_LEVEL} ... {largest}, or 0 for the largest count"
            )
        return self


class RelayConfig(Section):
    """The imaging optics between the output plane and the camera."""

    magnification: float = Field(gt=0.0, le=100.0)
    numerical_aperture: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="numerical aperture towards the output plane; 0 if not known",
    )


class LaserConfig(Section):
    """The laser head."""

    driver: str
    power_mw: float = Field(ge=0.0, le=100_000.0)
    address: str | None = None
    guardian: bool = Field(
        default=True,
        description="whether a process of its own switches the laser off when labdiff is killed or frozen",
    )
    options: dict[str, Any] = Field(default={}, description="options of this driver")


class ShutterConfig(Section):
    """A shutter in front of the laser, which switches its light."""

    driver: str
    address: str | None = None
    options: dict[str, Any] = Field(default={}, description="options of this driver")


class MeterConfig(Section):
    """A power meter beside the bench, whose readings the window shows; no measurement needs it."""

    driver: str
    address: str | None = None
    options: dict[str, Any] = Field(default={}, description="options of this driver")


class RetriesConfig(Section):
    """How often a call is repeated when a device does not answer, and a device opened again."""

    tries: int = Field(default=4, ge=1, le=20, description="number of times that a call is made")
    first_wait_ms: float = Field(
        default=100.0, ge=0.0, le=60_000.0, description="wait before the second try"
    )
    growth: float = Field(
        default=2.0, ge=1.0, le=10.0, description="factor by which each further wait is longer"
    )
    longest_wait_ms: float = Field(default=10_000.0, ge=0.0, le=600_000.0)
    reconnects: int = Field(
        default=5, ge=0, le=100, description="number of times that a device is opened again"
    )
    reconnect_wait_ms: float = Field(
        default=1000.0, ge=0.0, le=600_000.0, description="wait before it is first opened again"
    )
    relight: bool = Field(
        default=True, description="whether a reconnected laser that was on is switched on again"
    )


class WatchdogConfig(Section):
    """What is monitored while frames are taken."""

    laser_every_ms: float = Field(
        default=50.0,
        ge=0.0,
        le=60_000.0,
        description="time between two checks that the laser emits",
    )
    saturated_share: float = Field(
        default=0.2,
        gt=0.0,
        le=1.0,
        description="fraction of the light on saturated pixels beyond which a frame is rejected",
    )


class CalibrationConfig(Section):
    """How many frames the calibration routines take."""

    thorough: bool = Field(
        default=False,
        description="whether each routine takes all the frames that it may take, and does not end as soon "
        "as its result is good enough",
    )


class BenchConfig(Section):
    """One bench file."""

    name: str
    source: SourceConfig
    cavity: CavityConfig
    slm: SlmConfig
    input: InputConfig
    camera: CameraConfig
    relay: RelayConfig
    laser: LaserConfig
    shutter: ShutterConfig | None = None
    meter: MeterConfig | None = None
    retries: RetriesConfig = RetriesConfig()
    watchdog: WatchdogConfig = WatchdogConfig()
    calibration: CalibrationConfig = CalibrationConfig()
    mock: MockSettings = MockSettings()

    @model_validator(mode="after")
    def _patches_lie_on_the_panel(self) -> BenchConfig:
        height, width = self.slm.shape
        patch_height, patch_width = self.cavity.patch_shape
        lefts = self.cavity.patch_lefts
        if self.cavity.patch_top + patch_height > height:
            raise ValueError(
                f"cavity.patch_top: {self.cavity.patch_top} + {patch_height} rows end below the "
                f"panel of {height} rows; allowed is 0 ... {height - patch_height}"
            )
        for left in lefts:
            if left + patch_width > width:
                raise ValueError(
                    f"cavity.patch_lefts: {left} + {patch_width} columns end right of the panel "
                    f"of {width} columns; allowed is 0 ... {width - patch_width}"
                )
        for first, second in zip(sorted(lefts), sorted(lefts)[1:], strict=False):
            if second - first < patch_width:
                raise ValueError(
                    f"cavity.patch_lefts: the patches at {first} and {second} overlap; "
                    f"they must be at least {patch_width} columns apart"
                )
        if self.layers < 1:
            raise ValueError('cavity.patch_lefts: with input.kind = "slm_patch" at least two')
        return self

    @property
    def layers(self) -> int:
        """Number of modulation layers N: all patches but the one that writes the input."""
        return len(self.cavity.patch_lefts) - (1 if self.input.kind == "slm_patch" else 0)

    @property
    def gap_mm(self) -> float:
        """Path between two patches: to the mirror and back."""
        return 2.0 * self.cavity.z_gap_mm


SHIPPED = ("mock", "mock-small", "mock-paper")
"""Names of the benches that are shipped; all are simulated."""


@dataclass(frozen=True, slots=True)
class BenchFile:
    """A bench file that was read; plain values, so that it crosses to another process.

    source: A path, the name of a shipped bench, or the address of a served one. text: TOML.
    """

    source: str
    text: str
    config: BenchConfig


def read_bench_file(bench: str | BenchFile) -> BenchFile:
    """Return the bench file of a path or of a shipped bench; one that was read already as it is.

    Raises UserError that names file, key, value and what is allowed.
    """
    if isinstance(bench, BenchFile):
        return bench
    name, text = bench_text(bench)
    return BenchFile(bench, text, parse_bench(text, name))


def bench_text(path_or_name: str) -> tuple[str, str]:
    """Return the name for messages and the TOML text of a bench file or of a shipped bench.

    Raises:
        UserError: If there is neither.
    """
    if path_or_name in SHIPPED:
        text = resources.files("labdiff").joinpath("config", "benches", f"{path_or_name}.toml")
        return f"shipped bench {path_or_name!r}", text.read_text(encoding="utf-8")
    path = Path(path_or_name)
    if not path.exists():
        raise UserError(
            f"{path}: no such bench file. Write one with 'labdiff init {path}', or name a shipped "
            f"bench: {', '.join(SHIPPED)}."
        )
    return str(path), read_toml_file(path, "a bench file")


def load_bench(path_or_name: str) -> BenchConfig:
    """Read and check a bench file.

    Raises:
        UserError: For a mistake; the message names file, key, value and what is allowed.
    """
    return read_bench_file(path_or_name).config


def parse_bench(text: str, name: str) -> BenchConfig:
    """Check the text of a bench file.

    Args:
        text: The TOML.
        name: What messages call it.

    Raises:
        UserError: For a mistake; the message names file, key, value and what is allowed.
    """
    try:
        return BenchConfig.model_validate(parse_toml(text, name))
    except ValidationError as error:
        raise UserError(explain(error, name, BenchConfig)) from None
