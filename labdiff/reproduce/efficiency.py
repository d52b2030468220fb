"""What an image costs: parameters, computing, energy and time, of light and of its digital peers.

Each row is of one kind, and never of two: "modelled" follows from device figures by a formula below,
"measured here" was timed on this computer, "paper" is printed in the paper (section A.2) and copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from labdiff.bench.bench import Bench
from labdiff.config.bench import BenchConfig

Kind: TypeAlias = Literal["modelled", "measured here", "paper"]

STEPS = 1000
"""Denoising steps an image, as in the paper; all rows are for as many."""
LAYER_SETS = 10
IMAGE_SIDE = 20
FRAMES_PER_S = 23_000.0
"""Rate at which the paper lets DMD and camera run together."""
POWER_W = 5.3
"""Of DMD and camera at that rate; laser, SLM and computer are not in it."""
DMD_J_PER_PIXEL = 24e-9
CAMERA_J_PER_PIXEL = 14e-9
LAYER_SHAPE = (300, 300)
LAYERS = 4
CAMERA_SIDE_PX = 130
"""Side of the camera window that is down-sampled to the image."""
L4_POWER_W = 72.0
PRINTED = {
    "ODU": (23.0, 0.23),
    "ODU, one-to-one pixels": (None, 0.015),
    "fully connected net": (41.3, 1.74),
    "U-Net": (13.9, 5.37),
}
"""(images a second, joules an image) as the paper prints them."""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """One row of the table; None where a number is not known.

    multiply_adds_a_step: done by electronics for one image; what light does is free of them.
    energy_j, images_per_s: for whole images of `steps` denoising steps. basis: where they come from.
    """

    system: str
    kind: Kind
    parameters: int | None
    multiply_adds_a_step: int | None
    energy_j: float | None
    images_per_s: float | None
    basis: str
    steps: int = STEPS

    def columns(self) -> dict[str, str | float | int | None]:
        """The row as a line of the CSV."""
        return {
            "system": self.system,
            "kind": self.kind,
            "parameters": self.parameters,
            "multiply_adds_a_step": self.multiply_adds_a_step,
            "energy_an_image_j": self.energy_j,
            "images_a_second": self.images_per_s,
            "steps_an_image": self.steps,
            "basis": self.basis,
        }


def paper_rows() -> list[Efficiency]:
    """What the paper prints, uncommented."""
    words = {"fully connected net": "NVIDIA L4, 72 W", "U-Net": "NVIDIA L4, 72 W"}
    return [
        Efficiency(name, "paper", None, None, energy_j, rate, words.get(name, "as printed"))
        for name, (rate, energy_j) in PRINTED.items()
    ]


def modelled_odu() -> list[Efficiency]:
    """The paper's unit from the figures of its devices.

    images/s = frames/s / steps, J = W / (images/s); with one mirror and one camera pixel for a pixel of
    the image, J = pixels x steps x (DMD + camera energy a pixel).
    """
    parameters = odu_parameters(LAYERS, LAYER_SHAPE)
    rate = FRAMES_PER_S / STEPS
    pixels = IMAGE_SIDE**2
    return [
        Efficiency(
            "ODU",
            "modelled",
            parameters,
            read_out_multiply_adds(CAMERA_SIDE_PX**2),
            POWER_W / rate,
            rate,
            f"DMD and camera at {FRAMES_PER_S:,.0f} frames/s, {POWER_W} W",
        ),
        Efficiency(
            "ODU, one-to-one pixels",
            "modelled",
            parameters,
            read_out_multiply_adds(0),
            pixels * STEPS * (DMD_J_PER_PIXEL + CAMERA_J_PER_PIXEL),
            rate,
            f"{pixels} px a frame, DMD 24 nJ/px, camera 14 nJ/px; frame rate as above",
        ),
    ]


def odu_parameters(layers: int, shape: tuple[int, int], layer_sets: int = LAYER_SETS) -> int:
    """Trained phases of all layer sets."""
    return layer_sets * layers * shape[0] * shape[1]


def read_out_multiply_adds(camera_pixels: int, image_side: int = IMAGE_SIDE) -> int:
    """What is left to electronics: each camera pixel is summed, each image pixel scaled and shifted.

    camera_pixels: 0 if the camera has no more pixels than the image.
    """
    return camera_pixels + image_side**2


def declared_odu(config: BenchConfig, bench: Bench, batch: int = 100) -> Efficiency:
    """A bench as its file and its devices declare it; they declare no power, so there is no energy."""
    timing = bench.declared
    height, width = config.cavity.patch_shape
    scale = config.relay.magnification * config.slm.pixel_pitch_um / config.camera.pixel_pitch_um
    writes = (
        f"an SLM update an image and step, {timing.slm_ms:.3g} ms"
        if timing.dmd is None
        else f"{LAYER_SETS} SLM updates of {timing.slm_ms:.3g} ms for {batch} images"
    )
    return Efficiency(
        f"ODU, bench {config.name}",
        "modelled",
        odu_parameters(config.layers, config.cavity.patch_shape),
        read_out_multiply_adds(round(height * scale) * round(width * scale)),
        None,
        1e3 / timing.image_ms(STEPS, LAYER_SETS, batch),
        f"declared timing: {timing.frame_ms:.3g} ms a frame, {writes}",
    )


def agreement(ours: float, printed: float, tolerance: float = 0.02) -> str:
    """In words, how our number stands beside one of the paper's."""
    deviation = ours / printed - 1.0
    if abs(deviation) <= tolerance:
        return "agrees"
    return f"{abs(deviation):.1%} {'more' if deviation > 0 else 'less'}"
