"""The bench of the pictures, the layers that it displays, and what its camera sees."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from matplotlib.path import Path as MplPath
from matplotlib.text import TextPath
from scipy import ndimage

from drivers.phase_quantiser import PhaseQuantiser
from drivers.types import Roi
from labdiff.bench.mock_bench import mock_geometry
from labdiff.config.bench import load_bench
from labdiff.session.models import build_twin
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.light_path import LightPath
from mock_hardware.settings import MockSettings
from mock_hardware.truth import draw_truth
from mock_sheets.layout import Array

SEED = 19
"""The bench of this seed has hardly any hidden quantity that is far from its rms."""
BENCH = load_bench("mock")
GEOMETRY = mock_geometry(BENCH)
WINDOW = Roi(48, 80, 160, 160)
"""The camera reads out the image of the patch."""
OFF = MockSettings().off()


@cache
def drawing(target_bytes: bytes) -> Array:
    """Return the phases (patches, h, w) by which an ideal bench draws a target (h, w) of 0 and 1."""
    shape = GEOMETRY.patch_shape
    target = torch.from_numpy(np.frombuffer(target_bytes, np.float32).reshape(shape).copy())
    twin = build_twin(BENCH)
    phases = torch.full((GEOMETRY.layers + 1, *shape), float(np.pi), requires_grad=True)
    optimiser = torch.optim.Adam([phases], lr=0.15)
    for _ in range(100):
        image = twin(phases[:1], phases[1:])[0]
        scale = (image * target).sum() / target.square().sum()
        error = (image - scale * target).square().sum() / (scale * target).square().sum()
        loss = error + 0.3 * (1.0 - image.mean() / 0.8).clamp(min=0.0) ** 2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    drawn: Array = phases.detach().numpy()
    return drawn


def softened(shape: Array) -> bytes:
    """Return the float32 bytes of a target whose rims the light can follow."""
    return bytes(ndimage.gaussian_filter(shape.astype(np.float32), 0.8).tobytes())


def plane() -> tuple[Array, Array]:
    """Return (y, x) of the patch's pixels from its centre."""
    height, width = GEOMETRY.patch_shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    return y - (height - 1) / 2, x - (width - 1) / 2


def star() -> Array:
    """Return phases that draw a Siemens star."""
    y, x = plane()
    radius, angle = np.hypot(y, x), np.arctan2(y, x)
    return drawing(softened((np.cos(8 * angle) > 0) & (radius < 40) & (radius > 5)))


def digit(number: int) -> Array:
    """Return phases that draw a digit."""
    y, x = plane()
    outline = TextPath((0, 0), str(number), size=90)
    box = outline.get_extents()
    places = np.column_stack([x.ravel() + (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2 - y.ravel()])
    inked = np.zeros(x.size, bool)
    for loop in outline.to_polygons():
        inked ^= MplPath(loop).contains_points(places)
    return drawing(softened(inked.reshape(x.shape)))


def flat() -> Array:
    """Return phases 0 on every patch."""
    return np.zeros((GEOMETRY.layers + 1, *GEOMETRY.patch_shape), np.float32)


def intensity(settings: MockSettings, phases: Array, seed: int = SEED) -> Array:
    """Return the intensity on the camera, without its noise."""
    path = LightPath(GEOMETRY, settings, draw_truth(GEOMETRY, settings, seed))
    grey = PhaseQuantiser(GEOMETRY.slm_bit_depth)
    phase = np.stack([path.panel.phase(i, grey(wanted)) for i, wanted in enumerate(phases)])
    return path.image(path.plane(phase), WINDOW)


def dialled(**values: float) -> MockSettings:
    """Return settings with every effect off but these, named section__setting."""
    names = [name.replace("__", ".") for name in values]
    settings = MockSettings().only(*names)
    for name, value in zip(names, values.values(), strict=True):
        section, setting = name.split(".")
        changed = getattr(settings, section).model_copy(update={setting: value})
        settings = settings.model_copy(update={section: changed})
    return settings


def titled(name: str, value: float) -> tuple[str, str]:
    """Return title and note of a setting's picture."""
    section, setting = name.split(".")
    default = getattr(getattr(MockSettings(), section), setting)
    note = "the default" if value == default else f"default {default:g}"
    return f"{setting} = {value:g}", f"[mock.{section}], {note}"


def laboratory(settings: MockSettings, seed: int = SEED) -> MockLaboratory:
    """Return a laboratory with its laser on whose camera reads out the patch's image."""
    lab = MockLaboratory.create(GEOMETRY, settings, seed)
    lab.laser.emission = True
    lab.world.clock.sleep_s(lab.laser.timing.total_ms * 1e-3)
    lab.camera.roi = WINDOW
    return lab


def display(lab: MockLaboratory, phases: Array, settle: bool = True) -> None:
    """Display phases on the patches of the panel, and wait until they have settled if asked to."""
    panel = np.zeros(GEOMETRY.panel_shape, np.float32)
    for place, phase in zip(GEOMETRY.patches, phases, strict=True):
        panel[place] = phase
    lab.slm.set_phase(panel)
    if settle:
        lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)
