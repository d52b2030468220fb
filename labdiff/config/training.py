"""The training options: the only place where an option's name, default, limits and description stand.

The command line, the window's form and options files are generated from the four groups below: a new
option is a new field here. Names and order are those of the options that run files and layer files store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, AliasChoices, Field, ValidationError, model_validator

from drivers.validation_messages import explain
from labdiff.config.device import checked_device
from labdiff.config.option import Formerly, Presentation, option_group
from labdiff.config.section import Section
from labdiff.diffusion.time_aware_policy import TimeAwarePolicy
from labdiff.errors import UserError

TIMESTEPS = 1000
"""Number of diffusion timesteps T, as in the paper."""
MOST_ETA = 3.0
"""Largest noise that the DDIM sampler may add, relative to DDPM's."""
CONTRASTS = (0.5, 2.0)
"""Least and greatest factor by which a predicted clean image may be stretched."""
GREATEST_LEAST_T = 990
"""Largest timestep at which the sampler may end."""


class DataOptions(Section):
    """What is trained on."""

    data: str = Field(
        default="digits",
        title="Data set",
        description="Data set to train on: a name that 'labdiff data list' shows, a file or a folder.",
    )
    classes: Annotated[
        tuple[int, ...], Presentation(default="recommended for the data set", example="0,1,2")
    ] = Field(default=(0, 1, 2), description="Numbers of the classes to train on; empty for all.")
    image_size: Annotated[int, Presentation(default="recommended for the data set")] = Field(
        default=10,
        ge=2,
        le=512,
        description="Side of the square images, in cells of SLM pixels; it has to divide the patch.",
    )
    prompt: bool = Field(
        default=False,
        title="Class prompt",
        description="Write the class beside each image, so that a class can be asked for later.",
    )
    white: int = Field(
        default=0,
        ge=0,
        le=65535,
        title="White level",
        description="Count in your own image files that means white, as 4095 for a 12-bit camera; 0 for "
        "the largest that the file's type can hold.",
    )
    background: Literal["white", "black"] = Field(
        default="white",
        description="What transparent parts of your own pictures are laid on.",
    )


class UnitOptions(Section):
    """How the optical denoising unit is built."""

    layer_sets: Annotated[int, Presentation(default="{default}, or as timestep_edges has it")] = (
        Field(
            default=5,
            ge=1,
            le=1000,
            description="Number M of timestep ranges, each with a layer set of its own.",
        )
    )
    timestep_edges: Annotated[
        tuple[Annotated[int, Field(ge=1, le=999)], ...],
        Presentation(default="equal ranges", example="100,200,400"),
    ] = Field(
        default=(),
        description="First timesteps of ranges 2 ... M, rising; empty for ranges of equal length.",
    )
    clusters: int = Field(
        default=1,
        ge=1,
        le=200,
        description="Number K of clusters into which the training images fall; each has layer sets of its "
        "own, for what is left of an image after the cluster's mean. With a prompt within each class.",
    )
    first_t: int = Field(
        default=TIMESTEPS,
        ge=2,
        le=TIMESTEPS,
        title="First timestep",
        description="Number of timesteps that are denoised: above them images are noise about the mean "
        "image of all, or of their cluster, and the reverse process starts there.",
    )
    tone_curve: bool = Field(
        default=False,
        description="At the end map the grey levels of generated images by a table, so that they are "
        "distributed as those of the training images: one look-up a pixel in electronics.",
    )
    layers: Literal["passive", "data"] = Field(
        default="passive",
        description="passive: layers are the same for all images; data: they carry the image too, which "
        "takes one SLM update an image.",
    )
    detection: Literal["cells", "differential"] = Field(
        default="cells",
        description="cells: a pixel is the intensity of its cell; differential: the difference of the "
        "cell's two halves.",
    )
    writing: Literal["cells", "differential"] = Field(
        default="cells",
        title="Encoding",
        description="cells: a pixel is the phase of its cell; differential: it is written on the cell's "
        "two halves with opposite signs.",
    )
    cells: Literal["sharp", "soft"] = Field(
        default="sharp",
        title="Cell profile",
        description="sharp: cells are squares; soft: pixels are written to and read from Gaussian spots "
        "of learnt width.",
    )


class LearningOptions(Section):
    """How the layers are trained, and how many images are generated with them at the end."""

    offline_steps: int = Field(
        default=500,
        ge=0,
        description="Training steps of the first layer set on a digital twin made from the data sheet.",
    )
    further_steps: float = Field(
        default=0.25,
        gt=0.0,
        le=10.0,
        description="Training steps of each further layer set, as a fraction of those of the first.",
    )
    warm_start: bool = Field(
        default=True,
        description="On a twin, start each layer set from its neighbour with less noise instead of from "
        "its own phases.",
    )
    calibrated_steps: int = Field(
        default=500,
        ge=0,
        description="Training steps of the first layer set on the calibrated digital twin.",
    )
    online_steps: int = Field(
        default=100,
        ge=0,
        description="Training steps of the first layer set with measured light, on the bench.",
    )
    fit_frames: Annotated[int, Formerly(0)] = Field(
        default=16,
        ge=0,
        le=256,
        title="Frames of a fit of the twin",
        description="Latest frames to which online learning fits the twin where it is off; 0: steps of a "
        "filter alone.",
    )
    probe_frames: Annotated[int, Formerly(0)] = Field(
        default=4,
        ge=0,
        le=64,
        description="Probe frames that online learning measures with a step while the twin is far off.",
    )
    refined: Annotated[Literal["drifting", "all"], Formerly("all")] = Field(
        default="drifting",
        title="Parameters refined online",
        description="Of a calibrated twin's parameters online learning refines the angles of beam and "
        "mirror, which drift on a bench that stands (drifting), or all; of a twin that was never "
        "calibrated it refines all.",
    )
    free_form_frames: int = Field(
        default=0,
        ge=0,
        le=1024,
        title="Frames of the free-form part",
        description="Latest frames from which online learning learns a phase of each pixel and stray "
        "light, where known parameters do not explain the bench, as 64; 0: never.",
    )
    twin_steps: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Steps on the refined twin, without a frame, after each step of online learning on the "
        "bench. Further steps on the calibrated twin, for comparison, are as many as all these.",
    )
    held_out_batches: Annotated[int, Formerly(0)] = Field(
        default=4,
        ge=0,
        le=64,
        description="Held-out batches by which the layers from before, amid and after a training on the "
        "bench are compared; the best stay. 0: the last ones.",
    )
    comparisons: Annotated[bool, Formerly(False)] = Field(
        default=True,
        description="Also train as many further steps on the calibrated twin, and on the bench with a "
        "fixed twin, from the layers with which online learning starts.",
    )
    peers: Annotated[bool, Formerly(False)] = Field(
        default=False,
        title="Methods without a twin",
        description="Also train on the bench by light alone, with simultaneous perturbation and policy "
        "gradients, from the layers with which online learning starts and with as many frames.",
    )
    overlap: bool = Field(
        default=True,
        description="Measure the next batch while the gradient of this one is computed; its layers lack "
        "the last step.",
    )
    batch: int = Field(
        default=16, ge=1, le=4096, title="Batch size", description="Number of images in one step."
    )
    learning_rate: Annotated[float, Presentation(unit="rad a step")] = Field(
        default=0.2, gt=0.0, le=10.0, description="Learning rate on a digital twin, in rad a step."
    )
    online_learning_rate: Annotated[float, Presentation(unit="rad a step")] = Field(
        default=0.005,
        gt=0.0,
        le=10.0,
        description="Learning rate on the bench, in rad a step: low, since its layers have learnt on the "
        "calibrated twin.",
    )
    phase_decay: float = Field(
        default=0.1,
        ge=0.0,
        le=1.0,
        # The former name: what is stored under it can still be read.
        validation_alias=AliasChoices("phase_decay", "phase_pull"),
        serialization_alias="phase_pull",
        description="Decay of the phases towards pi at each step, as a multiple of the learning rate.",
    )
    prediction: Literal["sample", "epsilon", "preconditioned"] = Field(
        default="sample",
        description="What the unit predicts: the clean image (sample), the noise (epsilon, the paper's), "
        "or a mixture scaled by the noise level (preconditioned).",
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        description="Seed of all random numbers: data, training, simulated laboratory.",
    )
    generated: int = Field(
        default=100,
        ge=0,
        le=100_000,
        title="Generated images",
        description="Number of images to generate when the training has ended.",
    )


class SamplerOptions(Section):
    """The reverse process that turns noise into images."""

    sampler: Literal["ddim", "ddpm", "paper"] = Field(
        default="ddim", description="Rule of the reverse process from one timestep to the next."
    )
    sampler_steps: int = Field(
        default=50,
        ge=1,
        le=1000,
        description="Number of denoising steps; more are slower and better.",
    )
    eta: float = Field(
        default=1.0,
        ge=0.0,
        le=MOST_ETA,
        description="Noise that ddim adds at each step, relative to ddpm's; 0 adds none.",
    )
    sampler_spacing: Literal["linspace", "quadratic"] = Field(
        default="quadratic",
        description="Timesteps of the reverse process: at equal distances, or closer to each other where "
        "there is little noise.",
    )
    least_t: int = Field(
        default=0,
        ge=0,
        le=GREATEST_LEAST_T,
        title="Last timestep",
        description="Timestep at which the reverse process ends; its noise is removed in one step.",
    )
    temperature: float = Field(
        default=1.0,
        ge=0.0,
        le=1.5,
        description="Factor on the noise that ddim and ddpm add at each step.",
    )
    contrast: float = Field(
        default=1.0,
        ge=CONTRASTS[0],
        le=CONTRASTS[1],
        description="Factor by which ddim and ddpm stretch every predicted clean image.",
    )

    @property
    def sampler_description(self) -> str:
        """Return a short description of the reverse process, for pictures and tables."""
        text = f"{self.sampler}, {self.sampler_steps} steps, {self.sampler_spacing}"
        text += f", eta {self.eta:g}" if self.sampler == "ddim" else ""
        text += f" to t = {self.least_t}" if self.least_t else ""
        text += f", temperature {self.temperature:g}" if self.temperature != 1.0 else ""
        return text + (f", contrast {self.contrast:g}" if self.contrast != 1.0 else "")

    @model_validator(mode="after")
    def _check_the_sampler_uses_its_options(self) -> Self:
        for name, value in (("temperature", self.temperature), ("contrast", self.contrast)):
            if self.sampler == "paper" and value != 1.0:
                raise ValueError(f"{name} {value:g}: ddim's and ddpm's; the sampler is paper")
        if self.sampler_steps > TIMESTEPS - self.least_t:
            raise ValueError(
                f"sampler_steps {self.sampler_steps}: from t = {TIMESTEPS - 1} down to least_t = "
                f"{self.least_t} there are {TIMESTEPS - self.least_t}"
            )
        return self


class ComputingOptions(Section):
    """Where it is computed."""

    device: Annotated[
        str,
        AfterValidator(checked_device),
        Presentation(default="auto: LABDIFF_DEVICE, else an NVIDIA GPU where there is one"),
    ] = Field(
        default="auto",
        description="What computes the twin: cpu, cuda, cuda:N (an NVIDIA GPU, from 0) or mps (Apple's); "
        "auto takes LABDIFF_DEVICE, else an NVIDIA GPU where there is one.",
    )


# Fields come in the order of the bases from last to first: data, unit, learning, sampler, computing.
class TrainingOptions(ComputingOptions, SamplerOptions, LearningOptions, UnitOptions, DataOptions):
    """How an optical denoising unit is trained. The defaults are the demo's.

    Raises UserError that names the option, the value and what is allowed.

    Example:
        >>> labdiff.TrainingOptions(layer_sets=2, offline_steps=50, online_steps=20)
    """

    # Hidden from editors and type checkers, which then show the options and their types.
    if not TYPE_CHECKING:

        def __init__(self, **values: object) -> None:
            """Check the options."""
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise UserError(explain(error, "TrainingOptions", TrainingOptions)) from None

        # So that `model_validate`, whose callers name the file, raises what it always does.
        __init__.__pydantic_base_init__ = True

    @model_validator(mode="after")
    def _check_edges_fit_the_layer_sets(self) -> Self:
        if self.timestep_edges or self.first_t < self.layer_sets:
            TimeAwarePolicy(self.first_t, self.layer_sets, self.timestep_edges)
        if self.first_t < TIMESTEPS and self.least_t + self.sampler_steps > self.first_t:
            raise ValueError(
                f"sampler_steps {self.sampler_steps}: from t = {self.first_t - 1} down to least_t = "
                f"{self.least_t} there are {max(self.first_t - self.least_t, 0)}"
            )
        return self

    @property
    def all_layer_sets(self) -> int:
        """Number of layer sets: of every timestep range of every cluster."""
        return self.layer_sets * self.clusters


SAMPLER = option_group("sampler", "Sampler", SamplerOptions)
"""Options of the reverse process, which a generation can choose anew."""
COMPUTING = option_group("computing", "Computing", ComputingOptions)
"""Options of what computes, which every use of a unit can choose anew."""
GROUPS = (
    option_group("data", "Data", DataOptions),
    option_group("unit", "Optical denoising unit", UnitOptions),
    option_group("learning", "Learning", LearningOptions),
    SAMPLER,
    COMPUTING,
)
"""All training options, by the tables that an options file may have."""


def quick_options(seed: int = 0) -> TrainingOptions:
    """Return options that make a training end within a minute, with worse images."""
    return TrainingOptions(
        offline_steps=80,
        calibrated_steps=80,
        online_steps=20,
        generated=16,
        sampler_steps=20,
        seed=seed,
    )
