"""The bench file and the training options: strict, every unit in a name."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from drivers.config import explain
from labdiff.diffusion.policy import TimeAwarePolicy
from labdiff.errors import UserError
from mock_hardware.dials import MockDials

Positive = Annotated[float, Field(gt=0.0)]
Pixels = Annotated[int, Field(ge=1, le=20_000)]
Shape = tuple[Pixels, Pixels]
TIMESTEPS = 1000
MOST_ETA = 3.0
CONTRASTS = (0.5, 2.0)
GREATEST_LEAST_T = 990
"""T, as in the paper."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceConfig(_Section):
    """The laser beam as its data sheet has it."""

    wavelength_nm: float = Field(ge=200.0, le=2000.0, description="vacuum wavelength, nm")
    waist_mm: float = Field(gt=0.0, le=50.0, description="1/e^2 intensity radius on the SLM, mm")


class CavityConfig(_Section):
    """The fold between SLM and mirror."""

    z_gap_mm: float = Field(gt=0.0, le=1000.0, description="SLM to mirror, mm")
    patch_shape: Shape
    patch_top: int = Field(ge=0)
    patch_lefts: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)


class SlmConfig(_Section):
    """The phase modulator that carries the layers."""

    driver: str
    shape: Shape
    pixel_pitch_um: float = Field(gt=0.0, le=100.0)
    bit_depth: Literal[8, 10] = 8
    address: str | None = None
    options: dict[str, Any] = Field(default={}, description="what this driver alone knows")


class InputConfig(_Section):
    """What writes the image on the beam."""

    kind: Literal["slm_patch", "dmd"]
    driver: str = Field(default="mock", description="of a DMD; a patch needs none")
    address: str | None = None
    options: dict[str, Any] = Field(default={}, description="what this driver alone knows")


class CameraConfig(_Section):
    """The camera behind the relay."""

    driver: str
    shape: Shape
    pixel_pitch_um: float = Field(gt=0.0, le=100.0)
    bit_depth: Literal[8, 10, 12, 14, 16]
    exposure_ms: float = Field(gt=0.0, le=10_000.0)
    serial: str | None = None
    options: dict[str, Any] = Field(default={}, description="what this driver alone knows")


class RelayConfig(_Section):
    """The imaging optics between the output plane and the camera."""

    magnification: float = Field(gt=0.0, le=100.0)
    numerical_aperture: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="sine of the steepest light it takes; 0 if not known",
    )


class LaserConfig(_Section):
    """The laser head."""

    driver: str
    power_mw: float = Field(ge=0.0, le=100_000.0)
    address: str | None = None
    options: dict[str, Any] = Field(default={}, description="what this driver alone knows")


class RetriesConfig(_Section):
    """What is done when a device does not answer, or has gone."""

    tries: int = Field(default=4, ge=1, le=20, description="times a call is made")
    first_wait_ms: float = Field(
        default=100.0, ge=0.0, le=60_000.0, description="wait before the second time"
    )
    growth: float = Field(
        default=2.0, ge=1.0, le=10.0, description="each further wait is longer by"
    )
    longest_wait_ms: float = Field(default=10_000.0, ge=0.0, le=600_000.0)
    reconnects: int = Field(
        default=5, ge=0, le=100, description="times that opening a device again is tried"
    )
    reconnect_wait_ms: float = Field(
        default=1000.0, ge=0.0, le=600_000.0, description="wait before the first of them"
    )
    relight: bool = Field(
        default=True, description="a laser that was on and had gone is switched on again"
    )


class WatchdogConfig(_Section):
    """What is looked after while frames are taken."""

    laser_every_ms: float = Field(
        default=50.0, ge=0.0, le=60_000.0, description="how often the laser is asked if it emits"
    )
    saturated_share: float = Field(
        default=0.05, gt=0.0, le=1.0, description="of a frame's pixels; beyond it is not used"
    )


class BenchConfig(_Section):
    """One bench file."""

    name: str
    source: SourceConfig
    cavity: CavityConfig
    slm: SlmConfig
    input: InputConfig
    camera: CameraConfig
    relay: RelayConfig
    laser: LaserConfig
    retries: RetriesConfig = RetriesConfig()
    watchdog: WatchdogConfig = WatchdogConfig()
    mock: MockDials = MockDials()

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


class TrainingOptions(_Section):
    """How an optical denoising unit is trained. The defaults are the demo's."""

    data: str = Field(default="digits", description="data set by name")
    classes: tuple[int, ...] = Field(default=(0, 1, 2), description="classes used; all if empty")
    image_size: int = Field(default=10, ge=2, le=512, description="image side, cells")
    prompt: bool = Field(default=False, description="the class is written beside the image")
    layer_sets: int = Field(default=5, ge=1, le=1000, description="timestep ranges M")
    timestep_edges: tuple[Annotated[int, Field(ge=1, le=999)], ...] = Field(
        default=(), description="first timesteps of ranges 2 ... M; equal ranges if empty"
    )
    layers: Literal["passive", "data"] = Field(
        default="passive",
        description='"data": layers carry the image too, which takes an SLM update an image',
    )
    detection: Literal["cells", "differential"] = "cells"
    writing: Literal["cells", "differential"] = Field(
        default="cells",
        description='"differential": a pixel is written on the two halves of its cell with two signs',
    )
    cells: Literal["sharp", "soft"] = Field(
        default="sharp",
        description='"soft": a pixel is written as, and read from, a Gaussian spot of learnt width',
    )
    offline_steps: int = Field(
        default=500, ge=0, description="steps of the first layer set on the data sheet's twin"
    )
    further_steps: float = Field(
        default=0.25,
        gt=0.0,
        le=10.0,
        description="steps of each further layer set, over those of the first",
    )
    warm_start: bool = Field(
        default=True,
        description="on a twin a layer set starts from its neighbour; else from where it is",
    )
    calibrated_steps: int = Field(default=500, ge=0, description="the same, on the calibrated twin")
    online_steps: int = Field(default=100, ge=0, description="the same, on the bench")
    overlap: bool = Field(
        default=True,
        description="the bench measures the next batch while the gradient of this one is computed; "
        "its layers lack the last step",
    )
    batch: int = Field(default=16, ge=1, le=4096, description="images a step")
    learning_rate: float = Field(default=0.2, gt=0.0, le=10.0, description="on a twin, rad a step")
    online_learning_rate: float = Field(default=0.02, gt=0.0, le=10.0)
    phase_pull: float = Field(
        default=0.1, ge=0.0, le=1.0, description="decay of the phases towards pi, over the rate"
    )
    prediction: Literal["sample", "epsilon", "preconditioned"] = "sample"
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    generated: int = Field(default=100, ge=0, le=100_000, description="images generated")
    sampler: Literal["ddim", "ddpm", "paper"] = "ddim"
    sampler_steps: int = Field(default=50, ge=1, le=1000)
    eta: float = Field(
        default=1.0, ge=0.0, le=MOST_ETA, description="noise that ddim adds, over ddpm's"
    )
    sampler_spacing: Literal["linspace", "quadratic"] = "quadratic"

    least_t: int = Field(
        default=0,
        ge=0,
        le=GREATEST_LEAST_T,
        description="last timestep of the sampler, whose noise goes in one step",
    )
    temperature: float = Field(
        default=1.0, ge=0.0, le=1.5, description="of the noise that ddim and ddpm add"
    )
    contrast: float = Field(
        default=1.0,
        ge=CONTRASTS[0],
        le=CONTRASTS[1],
        description="ddim and ddpm stretch every predicted clean image by so much",
    )

    @property
    def sampler_words(self) -> str:
        """The reverse process, for pictures and tables."""
        words = f"{self.sampler}, {self.sampler_steps} steps, {self.sampler_spacing}"
        words += f", eta {self.eta:g}" if self.sampler == "ddim" else ""
        words += f" to t = {self.least_t}" if self.least_t else ""
        words += f", temperature {self.temperature:g}" if self.temperature != 1.0 else ""
        return words + (f", contrast {self.contrast:g}" if self.contrast != 1.0 else "")

    @model_validator(mode="after")
    def _sampler_has_use_for_its_numbers(self) -> TrainingOptions:
        for name in ("temperature", "contrast"):
            value = getattr(self, name)
            if self.sampler == "paper" and value != 1.0:
                raise ValueError(f"{name} {value:g}: ddim's and ddpm's; the sampler is paper")
        if self.sampler_steps > TIMESTEPS - self.least_t:
            raise ValueError(
                f"sampler_steps {self.sampler_steps}: from t = {TIMESTEPS - 1} down to least_t = "
                f"{self.least_t} there are {TIMESTEPS - self.least_t}"
            )
        return self

    @model_validator(mode="after")
    def _edges_fit_the_layer_sets(self) -> TrainingOptions:
        if self.timestep_edges:
            TimeAwarePolicy(TIMESTEPS, self.layer_sets, self.timestep_edges)
        return self


SHIPPED = ("mock", "mock-paper")


def bench_text(path_or_name: str) -> tuple[str, str]:
    """(what to call it in messages, TOML text) of a bench file or of a shipped bench.

    Raises UserError if there is neither.
    """
    if path_or_name in SHIPPED:
        text = resources.files("labdiff").joinpath("benches", f"{path_or_name}.toml")
        return f"shipped bench {path_or_name!r}", text.read_text(encoding="utf-8")
    path = Path(path_or_name)
    try:
        return str(path), path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(
            f"{path}: no such bench file. Write one with 'labdiff init {path}', or name a shipped "
            f"bench: {', '.join(SHIPPED)}."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as a bench file: {error}") from None


def load_bench(path_or_name: str) -> BenchConfig:
    """Read and check a bench file. Raises UserError that names file, key, value, what is allowed."""
    name, text = bench_text(path_or_name)
    return parse_bench(text, name)


def parse_bench(text: str, name: str) -> BenchConfig:
    """Check the text of a bench file; `name` is what messages call it. Raises UserError."""
    try:
        return BenchConfig.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{name}: not valid TOML: {error}") from None
    except ValidationError as error:
        raise UserError(explain(error, name, BenchConfig)) from None
