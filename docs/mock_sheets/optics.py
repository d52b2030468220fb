"""The whole bench, and the effects of SLM, beam, cavity and relay as light shows them."""

from __future__ import annotations

import numpy as np

from mock_hardware.settings import MockSettings
from mock_sheets.bands import STAR_NOTE, TitledImage, bands, every_effect_off, single_effect
from mock_sheets.layout import CELL, EDGE, GAP, TITLE, WIDTH, Sheet
from mock_sheets.scene import flat, intensity, star


def bench() -> Sheet:
    """Draw the whole bench: perfect, and as three seeds have it."""
    sheet = Sheet(WIDTH, 12 + TITLE + CELL + 14)
    off = every_effect_off(star(), STAR_NOTE)
    most = float(np.quantile(off.image, 0.999))
    images = [off]
    for seed in range(3):
        image = intensity(MockSettings(), star(), seed)
        images.append(TitledImage(f"every effect on, seed {seed}", "the same layers", image))
    for column, entry in enumerate(images):
        left = EDGE + column * (CELL + GAP)
        sheet.head(left, 12, entry.title, entry.note)
        sheet.picture(left, 12 + TITLE, entry.image, (0.0, most))
    return sheet


def slm_light() -> Sheet:
    """Draw the SLM's effects on the light."""
    return bands(
        (
            every_effect_off(star(), STAR_NOTE),
            [
                single_effect(star(), slm__stroke_spread=0.12),
                single_effect(star(), slm__lut_bend=0.04),
                single_effect(star(), slm__lut_variation=0.05),
            ],
        ),
        (
            every_effect_off(star(), STAR_NOTE),
            [
                single_effect(star(), slm__backplane_rad=0.5),
                single_effect(star(), slm__crosstalk_px=1.0),
                single_effect(star(), slm__dead_space=0.06),
            ],
        ),
    )


def beam() -> Sheet:
    """Draw the beam's effects."""
    return bands(
        (
            every_effect_off(star(), STAR_NOTE),
            [
                single_effect(star(), beam__tilt_mrad=1.5),
                single_effect(star(), beam__offset_um=30.0),
                single_effect(star(), beam__waist_error=0.05),
            ],
        ),
        (
            every_effect_off(flat(), "flat layers"),
            [
                single_effect(flat(), beam__ellipticity=0.1),
                single_effect(flat(), beam__structure=0.1),
                single_effect(flat(), beam__window_ghost=0.05),
            ],
        ),
    )


def cavity() -> Sheet:
    """Draw the cavity's effects, and the losses."""
    return bands(
        (
            every_effect_off(star(), STAR_NOTE),
            [
                single_effect(star(), cavity__gap_error=0.015),
                single_effect(star(), cavity__mirror_tilt_mrad=1.0),
                single_effect(star(), cavity__bounce_tilt_mrad=0.1),
            ],
        ),
        (
            every_effect_off(flat(), "flat layers"),
            [
                single_effect(flat(), cavity__mirror_edge=0.1),
                single_effect(flat(), cavity__mirror_loss=0.02),
                single_effect(flat(), slm__reflection_loss=0.05),
            ],
        ),
    )


def relay() -> Sheet:
    """Draw the relay's effects."""
    return bands(
        (
            every_effect_off(star(), STAR_NOTE),
            [
                single_effect(star(), relay__magnification_error=0.03),
                single_effect(star(), relay__rotation_deg=3.0),
                single_effect(star(), relay__offset_px=3.0),
            ],
        ),
        (
            every_effect_off(star(), STAR_NOTE),
            [
                single_effect(star(), relay__distortion=0.03),
                single_effect(star(), relay__defocus_mm=0.5),
                single_effect(star(), relay__aberration_rad=0.5),
            ],
        ),
    )
