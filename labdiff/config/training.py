"""The training options: how an optical denoising unit is trained."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from labdiff.config.section import Section
from labdiff.diffusion.time_aware_policy import TimeAwarePolicy

TIMESTEPS = 1000
"""Number of diffusion timesteps T, as in the paper."""
MOST_ETA = 3.0
"""Largest noise that the DDIM sampler may add, over DDPM's."""
CONTRASTS = (0.5, 2.0)
"""Least and greatest factor by which a predicted clean image may be stretched."""
GREATEST_LEAST_T = 990
"""Largest timestep at which the sampler may end."""


class TrainingOptions(Section):
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


QUICK: dict[str, Any] = {
    "offline_steps": 80,
    "calibrated_steps": 80,
    "online_steps": 20,
    "generated": 16,
    "sampler_steps": 20,
}
"""Options that make a training end within a minute, with worse images."""
