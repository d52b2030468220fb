"""The cost of an image, of the ODU and of digital denoisers: parameters, computing, energy, time.

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
"""Number of denoising steps of an image in the paper, and in all rows."""
LAYER_SETS = 10
"""Number of layer sets of the paper's unit."""
IMAGE_SIDE = 20
"""Side of the paper's images, pixels."""
FRAMES_PER_S = 23_000.0
"""Frame rate of DMD and camera together that the paper assumes."""
POWER_W = 5.3
"""Power of DMD and camera at that rate, without laser, SLM and computer."""
DMD_J_PER_PIXEL = 24e-9
"""Energy of the DMD for each pixel of a frame."""
CAMERA_J_PER_PIXEL = 14e-9
"""Energy of the camera for each pixel of a frame."""
LAYER_SHAPE = (300, 300)
"""(height, width) of a layer of the paper's unit, pixels."""
LAYERS = 4
"""Number of layers of the paper's unit."""
CAMERA_SIDE_PX = 130
"""Side of the camera window that is down-sampled to the image."""
L4_POWER_W = 72.0
"""Power of the NVIDIA L4 on which the paper measured the digital denoisers."""
PRINTED_DENOISERS = {"fully connected net": (41.3, 1.74), "U-Net": (13.9, 5.37)}
"""Images a second and joules an image of the digital denoisers, printed in the paper."""
PRINTED_ODU = {"ODU": (23.0, 0.23), "ODU, one-to-one pixels": (None, 0.015)}
"""Images a second (if printed) and joules an image of the ODU, printed in the paper."""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """One row of the table; None where a number is not known.

    multiply_adds_a_step: done by electronics for one image; the optical part needs none.
    energy_j, images_per_s: for whole images of `steps` denoising steps. basis: their source.
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
        """Return the row as a line of the CSV file."""
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
    """Return the rows that the paper prints."""
    return [
        *(
            Efficiency(name, "paper", None, None, energy_j, rate, "as printed")
            for name, (rate, energy_j) in PRINTED_ODU.items()
        ),
        *(
            Efficiency(name, "paper", None, None, energy_j, rate, "NVIDIA L4, 72 W")
            for name, (rate, energy_j) in PRINTED_DENOISERS.items()
        ),
    ]


def modelled_odu() -> list[Efficiency]:
    """Return the rows of the paper's unit, from the figures of its devices.

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
    """Return the number of trained phases of all layer sets.

    Args:
        layers: number of layers.
        shape: (height, width) of a layer, pixels.
        layer_sets: number of layer sets.
    """
    return layer_sets * layers * shape[0] * shape[1]


def read_out_multiply_adds(camera_pixels: int, image_side: int = IMAGE_SIDE) -> int:
    """Return the electronics' work: each camera pixel is summed, each image pixel scaled and shifted.

    camera_pixels: 0 if the camera has no more pixels than the image.
    """
    return camera_pixels + image_side**2


def declared_odu(config: BenchConfig, bench: Bench, batch: int = 100) -> Efficiency:
    """Return the row of a bench, from its file and the timing that its devices declare.

    Devices declare no power, so there is no energy.

    Args:
        config: the bench file.
        bench: the open bench.
        batch: number of images that are generated together.
    """
    timing = bench.declared
    height, width = config.cavity.patch_shape
    scale = config.relay.magnification * config.slm.pixel_pitch_um / config.camera.used_pitch_um
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
    """Return "agrees", or by how much our number is more or less than the paper's.

    Args:
        ours: our number.
        printed: the paper's.
        tolerance: largest relative deviation that counts as agreement.
    """
    deviation = ours / printed - 1.0
    if abs(deviation) <= tolerance:
        return "agrees"
    return f"{abs(deviation):.1%} {'more' if deviation > 0 else 'less'}"
