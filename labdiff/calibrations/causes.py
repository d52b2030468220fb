"""Causes of failed and doubtful calibrations: one record each, with the signs that it leaves.

The chance of a sign is about its share of the simulated benches with this fault; a sign that is not listed
is seen by chance (`CHANCE`). Each cause has simulated benches in
`benchmarks/calibration_checks/sabotages.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calibration.signs import Sign


@dataclass(frozen=True, slots=True)
class Cause:
    """What may be wrong with a bench.

    name: short, for tables. description: as part of a sentence. test: what decides whether it is this
    one. signs: chance of each sign if it is. sudden: it may begin at any moment, so that signs which a
    routine did not show say nothing against it.
    """

    name: str
    description: str
    test: str
    signs: Mapping[Sign, float]
    sudden: bool = False


CHANCE = 0.02
"""Chance of a sign that a cause does not make."""

CAUSES = (
    Cause(
        "no light",
        "no light arrives",
        "Read the laser's power behind its shutter and before the camera; look for an interlock, a beam "
        "block, a filter.",
        {"no light": 0.95},
    ),
    Cause(
        "too much light",
        "the light is brighter than the exposure was set for",
        "Lower the laser's power, or put a filter in, and calibrate again.",
        {"too much light": 0.95},
        sudden=True,
    ),
    Cause(
        "outside the frame",
        "the output plane lies outside of the camera's frame",
        "Watch the live image while the camera is moved across: does light come in from one side?",
        {
            "no light": 0.5,
            "unknown spots": 0.45,
            "light at the frame's edge": 0.5,
            "spots missing": 0.1,
            "spots beyond the frame": 0.1,
            "no focus": 0.1,
        },
    ),
    Cause(
        "frozen panel",
        "the panel does not show what is written",
        "Write a flat pattern and a chequerboard in turns and watch the live image; is the panel the right "
        "monitor, and its video signal on?",
        {
            "picture stands still": 0.95,
            "grey levels without effect": 0.5,
            "pattern of another frame": 0.2,
            "frames after a moment": 0.2,
        },
        sudden=True,
    ),
    Cause(
        "late frames",
        "the camera's driver hands out frames that are older than it says",
        "Switch the laser off and take frames: how many still show light? Use a queue of one buffer and a "
        "software trigger.",
        {"frames from before": 0.95, "pattern of another frame": 0.3, "hot pixels": 0.3},
    ),
    Cause(
        "lost frames",
        "frames are lost, come twice or are torn",
        "Look at the camera's frame counter with another cable, port and load.",
        {"frames lost": 0.95, "noise of no photons": 0.6, "levels scatter": 0.2},
        sudden=True,
    ),
    Cause(
        "slow panel",
        "the panel is slower than its driver declares",
        "Wait ten times as long after each pattern: does the picture still change?",
        {"settles late": 0.95, "never settles": 0.3},
    ),
    Cause(
        "phase response",
        "the panel's phase does not rise with its grey level as a table should",
        "Load the maker's table for this wavelength into the panel and measure the phase response again.",
        {"response falls": 0.8, "spots astray": 0.4, "levels scatter": 0.1},
    ),
    Cause(
        "panel flickers",
        "the panel's phase flickers",
        "Measure with ten times the exposure, over which a flicker averages.",
        {"levels scatter": 0.9, "brightness scatters": 0.3, "all frames missed": 0.2},
    ),
    Cause(
        "moved",
        "the camera or the mirror has moved in between",
        "Fasten camera and mirror, wait for the mounts to rest, and calibrate again: is it gone?",
        {
            "pattern aside": 0.35,
            "pictures jump": 0.35,
            "frames after a moment": 0.5,
            "levels scatter": 0.35,
            "brightness scatters": 0.4,
            "spots astray": 0.1,
            "all frames missed": 0.1,
        },
        sudden=True,
    ),
    Cause(
        "power wanders",
        "the laser's power wanders",
        "Read a power meter for ten minutes; let the laser warm up.",
        {
            "power of one pattern": 0.8,
            "brightness scatters": 0.95,
            "scale slowly": 0.6,
            "pictures jump": 0.2,
            "levels scatter": 0.2,
            "nonlinear counts": 0.2,
            "noise of no photons": 0.1,
        },
        sudden=True,
    ),
    Cause(
        "power flickers",
        "the laser's power flickers from frame to frame",
        "Look at a photodiode on an oscilloscope; does an exposure of 20 ms average it?",
        {
            "scale from frame to frame": 0.9,
            "power of one pattern": 0.9,
            "brightness scatters": 0.95,
            "noise of no photons": 0.3,
            "levels scatter": 0.1,
        },
    ),
    Cause(
        "mode hops",
        "the laser hops between modes",
        "Look at the spectrum, or change current and temperature of the diode: do the two levels go?",
        {
            "scale in two levels": 0.85,
            "power of one pattern": 0.8,
            "brightness scatters": 0.95,
            "pictures jump": 0.4,
            "nonlinear counts": 0.3,
        },
    ),
    Cause(
        "automatic gain",
        "the camera's gain or gamma follows the light",
        "Switch automatic gain, automatic exposure and gamma off in the camera.",
        {
            "scale with brightness": 0.95,
            "noise of no photons": 0.5,
            "nonlinear counts": 0.5,
        },
        sudden=True,
    ),
    Cause(
        "ambient light",
        "ambient light falls on the camera",
        "Cover the camera, or switch the lamps off, with the laser off: do the counts fall?",
        {
            "counts without light": 0.5,
            "dark level changed": 0.8,
            "offset": 0.7,
            "same picture in all frames": 0.4,
            "scale from frame to frame": 0.3,
        },
        sudden=True,
    ),
    Cause(
        "camera pixels",
        "pixels of the camera are defective, or dust lies before its sensor",
        "Move the camera by ten pixels: places that stay on the sensor are its own.",
        {
            "dead pixels": 0.95,
            "hot pixels": 0.3,
            "places on the sensor": 0.7,
            "same picture in all frames": 0.7,
            "scale from frame to frame": 0.3,
            "places on a patch": 0.2,
        },
    ),
    Cause(
        "panel pixels",
        "pixels of the panel are dead, or dust lies on it",
        "Move the patches by ten pixels on the panel: places that stay on the panel are its own.",
        {
            "places on a patch": 0.9,
            "strong patterns missed": 0.5,
            "offset": 0.4,
            "scale from frame to frame": 0.5,
            "spots astray": 0.3,
            "zero order off": 0.3,
            "ghost off": 0.2,
            "places on the sensor": 0.3,
            "dead pixels": 0.4,
        },
    ),
    Cause(
        "clipped beam",
        "the beam is cut, or lies beside the patches",
        "Look at the beam on the first and on the last patch (labdiff calibrate --only beam).",
        {
            "spots missing": 0.7,
            "beam off": 0.6,
            "places on a patch": 0.5,
            "spots astray": 0.3,
            "ghost off": 0.2,
            "dead pixels": 0.2,
        },
    ),
    Cause(
        "tilted",
        "beam and mirror are tilted so far that light walks off the patches",
        "Follow the light with a card, or watch it on each patch in turn (labdiff calibrate --only beam), "
        "and turn beam and mirror until it stays in the middle of all patches.",
        {
            "far lenses in the dark": 0.9,
            "spots missing": 0.5,
            "spots astray": 0.4,
            "unknown spots": 0.3,
            "no focus": 0.1,
            "light at the frame's edge": 0.2,
        },
    ),
    Cause(
        "focus",
        "the camera is not focused on the output plane",
        "Move the camera along the light: do the spots of a lens on the last patch get sharp?",
        {"focus aside": 0.9, "unknown spots": 0.9},
    ),
    Cause(
        "gap",
        "the distance between mirror and panel is not z_gap_mm",
        "Measure the distance with a ruler.",
        {"paths in proportion": 0.7, "unknown spots": 0.5, "spots missing": 0.3, "path off": 0.7},
    ),
    Cause(
        "wavelength",
        "the wavelength is not source.wavelength_nm",
        "Read the laser's data sheet, or measure the wavelength with a spectrometer.",
        {"paths in proportion": 0.7, "unknown spots": 0.5, "spots missing": 0.3, "path off": 0.7},
    ),
    Cause(
        "pitch",
        "the panel's pixels are not as large as slm.pixel_pitch_um",
        "Read the panel's data sheet; measure the image of a patch with a scale.",
        {
            "paths in proportion": 0.7,
            "unknown spots": 0.5,
            "spots missing": 0.3,
            "path off": 0.7,
            "size of the image": 0.9,
        },
    ),
    Cause(
        "patch order",
        "light meets the patches in another order than patch_lefts has them",
        "Reverse patch_lefts in the bench file and calibrate again.",
        {"patches in reverse": 0.95, "unknown spots": 0.95},
    ),
    Cause(
        "polarisation",
        "a part of the light is not modulated: polarisation, or a reflection that passes the panel by",
        "Turn a half-wave plate before the panel, and a polariser before the camera.",
        {
            "offset": 0.8,
            "strong patterns missed": 0.5,
            "same picture in all frames": 0.5,
            "zero order off": 0.5,
            "scale from frame to frame": 0.4,
            "places on a patch": 0.4,
            "places on the sensor": 0.2,
        },
    ),
    Cause(
        "ghost",
        "a window makes a second image or a second beam",
        "Tilt the windows and filters before the camera and in the beam: does the second image move?",
        {
            "second image": 0.5,
            "ghost off": 0.5,
            "offset": 0.5,
            "beam off": 0.3,
            "places on a patch": 0.4,
        },
    ),
)
"""All causes, in the order in which the documentation has them."""
