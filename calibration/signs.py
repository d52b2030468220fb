"""Signs: what routines notice where something is wrong, and by which its causes are told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Sign: TypeAlias = Literal[
    "frames from before",
    "counts without light",
    "hot pixels",
    "no light",
    "picture stands still",
    "settles late",
    "never settles",
    "pattern of another frame",
    "unknown spots",
    "light at the frame's edge",
    "spots beyond the frame",
    "spots missing",
    "pattern aside",
    "spots astray",
    "size of the image",
    "no focus",
    "focus aside",
    "paths in proportion",
    "patches in reverse",
    "far lenses in the dark",
    "too much light",
    "dead pixels",
    "noise of no photons",
    "nonlinear counts",
    "grey levels without effect",
    "response falls",
    "levels scatter",
    "brightness scatters",
    "pictures jump",
    "frames lost",
    "dark level changed",
    "offset",
    "same picture in all frames",
    "places on the sensor",
    "scale from frame to frame",
    "scale slowly",
    "scale in two levels",
    "scale with brightness",
    "power of one pattern",
    "frames after a moment",
    "all frames missed",
    "places on a patch",
    "strong patterns missed",
    "second image",
    "path off",
    "beam off",
    "zero order off",
    "ghost off",
]
"""The name of a sign, as `SIGNS` describes it."""


@dataclass(frozen=True, slots=True)
class SignRecord:
    """A sign: the routine that would show it if it were there, "" if several, and what is seen."""

    name: Sign
    routine: str
    seen: str


SIGNS: dict[Sign, SignRecord] = {
    record.name: record
    for record in (
        SignRecord(
            "frames from before",
            "dark level",
            "the first frames with the laser off show the light from before",
        ),
        SignRecord("counts without light", "dark level", "the camera counts with the laser off"),
        SignRecord("hot pixels", "dark level", "many pixels count without light"),
        SignRecord("no light", "", "frames are dark at the longest exposures"),
        SignRecord("picture stands still", "", "frames are lit and do not change with the pattern"),
        SignRecord(
            "settles late", "coarse settling", "light changes for longer than the driver declares"
        ),
        SignRecord("never settles", "coarse settling", "light goes on changing for half a minute"),
        SignRecord(
            "pattern of another frame", "registration", "a frame shows the spots of another pattern"
        ),
        SignRecord("unknown spots", "registration", "spots form none of the constellations"),
        SignRecord(
            "light at the frame's edge", "registration", "moving light is cut off by the frame"
        ),
        SignRecord("spots beyond the frame", "registration", "spots belong outside of the frame"),
        SignRecord("spots missing", "registration", "spots that belong into the frame are dark"),
        SignRecord("pattern aside", "registration", "all spots of a pattern are moved alike"),
        SignRecord("spots astray", "registration", "spots are off, each by itself"),
        SignRecord(
            "size of the image",
            "registration",
            "the image of the patch is larger or smaller than the bench file has it",
        ),
        SignRecord("no focus", "", "no lens on any patch makes a small spot"),
        SignRecord("focus aside", "", "lenses on all patches are in focus by the same length off"),
        SignRecord("paths in proportion", "", "lenses are in focus off by a share of their path"),
        SignRecord(
            "patches in reverse", "", "the path is shorter from the first patch than from the last"
        ),
        SignRecord(
            "far lenses in the dark",
            "",
            "lenses are in focus as expected on the last patch, and nowhere or too near on far ones",
        ),
        SignRecord("too much light", "", "light falls on saturated pixels"),
        SignRecord("dead pixels", "camera", "many pixels are dark in the midst of light"),
        SignRecord("noise of no photons", "camera", "noise does not grow as photons make it"),
        SignRecord("nonlinear counts", "camera", "counts do not grow as the exposure"),
        SignRecord(
            "grey levels without effect", "phase response", "light does not follow the grey level"
        ),
        SignRecord("response falls", "phase response", "phase falls where the grey level rises"),
        SignRecord(
            "levels scatter", "phase response", "phases of neighbouring levels differ at random"
        ),
        SignRecord(
            "brightness scatters", "phase response", "frames are brighter and darker as a whole"
        ),
        SignRecord("pictures jump", "phase response", "pictures change at one moment"),
        SignRecord("frames lost", "", "frames were lost, came twice or were torn"),
        SignRecord(
            "dark level changed", "alignment", "counts without light have changed meanwhile"
        ),
        SignRecord("offset", "alignment", "frames are brighter than the twin by an offset"),
        SignRecord(
            "same picture in all frames", "alignment", "what the twin misses is one picture"
        ),
        SignRecord(
            "places on the sensor", "alignment", "the same camera pixels are darker in all frames"
        ),
        SignRecord(
            "scale from frame to frame", "alignment", "frames are brighter or darker at random"
        ),
        SignRecord("scale slowly", "alignment", "brightness changes slowly"),
        SignRecord("scale in two levels", "alignment", "brightness has two levels"),
        SignRecord("scale with brightness", "alignment", "bright frames count too little or much"),
        SignRecord("power of one pattern", "alignment", "one pattern is not as bright each time"),
        SignRecord(
            "frames after a moment", "alignment", "the twin misses all frames from one moment on"
        ),
        SignRecord("all frames missed", "alignment", "the twin misses all frames"),
        SignRecord(
            "places on a patch", "alignment", "the same pixels of a patch are wrong in all frames"
        ),
        SignRecord(
            "strong patterns missed",
            "alignment",
            "strong patterns are missed far more than weak ones",
        ),
        SignRecord(
            "second image", "alignment", "what the twin misses is its own picture, displaced"
        ),
        SignRecord(
            "path off", "alignment", "the gap that was found is far from that of the bench file"
        ),
        SignRecord("beam off", "alignment", "the beam is far from its place, or cut"),
        SignRecord("zero order off", "alignment", "much light is not modulated"),
        SignRecord("ghost off", "alignment", "a second beam is found at the input"),
    )
}
"""Every sign, by its name."""
