"""What can be wrong with a bench: keys of its file with other values, and acts on the mock laboratory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mock_hardware.laboratory import MockLaboratory
from mock_hardware.lamp import Lamp
from mock_hardware.light_path import LightPath
from mock_hardware.truth import Truth

Act = Callable[[MockLaboratory], None]


@dataclass(frozen=True, slots=True)
class FaultyBench:
    """What is wrong: keys of the bench file with other values, or an act on the laboratory.

    causes: names of the causes in `labdiff.calibrations.causes` of which each describes it. keys: of the
    bench file, with their sections. during: the act happens after so many frames of this routine; at once
    if it is empty.
    """

    name: str
    causes: tuple[str, ...]
    keys: dict[str, Any] = field(default_factory=dict)
    act: Act | None = None
    during: str = ""
    after_frames: int = 0


def changed(**values: Callable[[Truth], Any]) -> Act:
    """Return what changes fields of the laboratory's truth."""

    def act(lab: MockLaboratory) -> None:
        new = {name: value(lab.world.truth) for name, value in values.items()}
        lab.world.truth = dataclasses.replace(lab.world.truth, **new)
        lab.world.light_path = LightPath(lab.world.geometry, lab.world.settings, lab.world.truth)

    return act


def dead_rows(lab: MockLaboratory) -> None:
    """Make four rows of the sensor dead, right through the image."""
    middle = lab.world.geometry.camera_shape[0] // 2
    lab.world.truth.dead[middle + 7 : middle + 11] = True


def lamp_on(lab: MockLaboratory) -> None:
    """Switch a lamp on that fills 3 % of full scale."""
    lab.world.lamp = Lamp(0.03)


def gain_on(lab: MockLaboratory) -> None:
    """Switch the camera's automatic gain on."""
    lab.world.automatic_gain = 0.5


def brighter(lab: MockLaboratory) -> None:
    """Take a filter out of the beam: three times the light for which the exposure was set."""
    lab.world.laser_output.power_mw *= 3.0


def dim(lab: MockLaboratory) -> None:
    """Leave a neutral filter in the beam."""
    lab.laser.power_mw = 2e-5


def patches_reversed(lab: MockLaboratory) -> None:
    """Let light pass the patches in the other order, as in a cavity that is entered from the other side."""
    geometry = lab.world.geometry
    lab.world.geometry = dataclasses.replace(geometry, patch_lefts=geometry.patch_lefts[::-1])


def folded_response(truth: Truth) -> Any:
    """Return a phase response that falls over the upper third of the grey levels."""
    phase = truth.phase_by_grey_rad.copy()
    top = 2 * len(phase) // 3
    phase[top:] = 2.0 * phase[top] - phase[top:]
    return phase


def dead_columns(truth: Truth) -> Any:
    """Return a stroke without that of six columns of the panel, in the middle of the last patch."""
    stroke = truth.stroke_map.copy()
    middle = stroke.shape[2] // 2
    stroke[-1, :, middle - 9 : middle - 3] = 0.0
    return stroke


def narrower_pixels(lab: MockLaboratory) -> None:
    """Give the panel pixels of 8 um in place of 9.2: the image of the patches is smaller too."""
    truth, geometry = lab.world.truth, lab.world.geometry
    share = 8.0 / 9.2
    centre = (np.array(geometry.patch_shape) - 1.0) / 2.0
    matrix = share * truth.camera_matrix
    changed(
        pitch_off=lambda truth: share - 1.0,
        camera_matrix=lambda truth: matrix,
        camera_offset_px=lambda truth: (
            truth.camera_offset_px + (truth.camera_matrix - matrix) @ centre
        ),
    )(lab)


def moved_px(truth: Truth) -> Any:
    """Return the place of the camera after it was moved by four pixels each way."""
    return truth.camera_offset_px + 4.0


def knocked(truth: Truth) -> Any:
    """Return the tilts after the mirror was knocked by a milliradian each way."""
    return truth.tilts_rad + 1e-3


def knocked_mirror(truth: Truth) -> Any:
    """Return the tilts after the mirror alone has turned: that of the beam stays."""
    return truth.tilts_rad + 1e-3 * (np.arange(len(truth.tilts_rad)) > 0)[:, None]


def tilted_far(truth: Truth) -> Any:
    """Return tilts with which the light walks over a third of a patch from one to the next."""
    return truth.tilts_rad + np.array([0.0, 12e-3])


FAULTY_BENCHES = (
    FaultyBench("the interlock is open", ("no light",), {"mock.faults.script": ["laser_shut@1-"]}),
    FaultyBench(
        "a beam block is left in", ("no light",), {"mock.faults.script": ["beam_blocked@1-"]}
    ),
    FaultyBench("far too dim", ("no light",), act=dim),
    FaultyBench(
        "a thousand times too bright",
        ("too much light",),
        {"mock.faults.script": ["saturated@1-"]},
    ),
    FaultyBench(
        "the light gets brighter than the exposure was set for",
        ("too much light", "power wanders"),
        act=brighter,
        during="alignment",
    ),
    FaultyBench(
        "the camera looks beside the light", ("outside the frame",), {"mock.relay.offset_px": 400.0}
    ),
    FaultyBench(
        "the camera sees a part of the plane",
        ("outside the frame",),
        act=changed(camera_offset_px=lambda truth: truth.camera_offset_px + 60.0),
    ),
    FaultyBench(
        "wrong monitor: the SLM never changes",
        ("frozen panel",),
        {"mock.faults.script": ["slm_frozen@1-"]},
    ),
    FaultyBench(
        "the SLM freezes in mid-run", ("frozen panel",), {"mock.faults.script": ["slm_frozen@60-"]}
    ),
    FaultyBench(
        "a phase response far from linear",
        ("phase response",),
        {"mock.slm.lut_bend": 0.2, "mock.slm.stroke_spread": 0.5},
    ),
    FaultyBench(
        "a phase response that falls again",
        ("phase response",),
        act=changed(phase_by_grey_rad=folded_response),
    ),
    FaultyBench(
        "the camera is moved during the registration",
        ("moved",),
        act=changed(camera_offset_px=moved_px),
        during="registration",
        after_frames=6,
    ),
    FaultyBench(
        "the camera is moved during the alignment",
        ("moved",),
        act=changed(camera_offset_px=moved_px),
        during="alignment",
        after_frames=14,
    ),
    FaultyBench(
        "the mirror is knocked during the alignment",
        ("moved",),
        act=changed(tilts_rad=knocked),
        during="alignment",
        after_frames=14,
    ),
    FaultyBench(
        "the mirror is knocked between registration and alignment",
        ("moved",),
        act=changed(tilts_rad=knocked),
        during="phase response",
        after_frames=20,
    ),
    FaultyBench(
        "the power wanders by 30 % in seconds",
        ("power wanders",),
        {"mock.drift.power": 0.3, "mock.drift.laser_minutes": 0.02},
    ),
    FaultyBench(
        "the power wanders by 10 % in seconds",
        ("power wanders",),
        {"mock.drift.power": 0.1, "mock.drift.laser_minutes": 0.05},
    ),
    FaultyBench(
        "the power wanders by 10 % in minutes", ("power wanders",), {"mock.drift.power": 0.1}
    ),
    FaultyBench(
        "mode hops", ("mode hops",), {"mock.drift.mode_hop": 0.1, "mock.drift.mode_hop_s": 1.5}
    ),
    FaultyBench("the power flickers", ("power flickers",), {"mock.drift.ripple": 0.1}),
    FaultyBench("rows of the camera are dead", ("camera pixels",), act=dead_rows),
    FaultyBench(
        "one pixel in two hundred is defective", ("camera pixels",), {"mock.camera.defects": 0.005}
    ),
    FaultyBench("12 bits in the upper end of 16", (), {"mock.camera.packing": "left"}),
    FaultyBench(
        "the mirror's edge clips the beam", ("clipped beam",), {"mock.cavity.mirror_edge": 0.6}
    ),
    FaultyBench(
        "the beam is half a waist beside the patch",
        ("clipped beam",),
        act=changed(beam_centre_um=lambda truth: 0.5e3 * truth.waists_mm),
    ),
    FaultyBench(
        "the camera is out of focus", ("focus",), act=changed(defocus_mm=lambda truth: 3.0)
    ),
    FaultyBench("stray light", ("ambient light",), {"mock.camera.pedestal": 0.35}),
    FaultyBench("the SLM flickers", ("panel flickers",), {"mock.slm.flicker": 0.1}),
    FaultyBench(
        "the mirror stands a fifth further away than the bench file says",
        ("gap",),
        act=changed(z_gap_mm=lambda truth: 1.2 * truth.z_gap_mm),
    ),
    FaultyBench(
        "the laser emits 785 nm in place of 850",
        ("wavelength",),
        act=changed(wavelength_off_nm=lambda truth: -65.0),
    ),
    FaultyBench(
        "the panel's pixels are 8 um in place of 9.2",
        ("pitch",),
        act=narrower_pixels,
    ),
    FaultyBench(
        "frames are dropped, doubled and torn",
        ("lost frames",),
        {"mock.faults.dropped": 0.02, "mock.faults.duplicated": 0.02, "mock.faults.torn": 0.02},
    ),
    FaultyBench("frames come one late", ("late frames",), {"mock.camera.frames_late": 1}),
    FaultyBench("frames come two late", ("late frames",), {"mock.camera.frames_late": 2}),
    FaultyBench(
        "the panel is three times as slow as its driver says",
        ("slow panel",),
        {"mock.slm.undeclared_slowdown": 2.0},
    ),
    FaultyBench(
        "the panel is ten times as slow as its driver says",
        ("slow panel",),
        {"mock.slm.undeclared_slowdown": 9.0},
    ),
    FaultyBench(
        "light passes the patches in the other order", ("patch order",), act=patches_reversed
    ),
    FaultyBench(
        "columns of the panel are dead", ("panel pixels",), act=changed(stroke_map=dead_columns)
    ),
    FaultyBench("dust on the panel", ("panel pixels",), {"mock.slm.dust": 6}),
    FaultyBench("dust before the sensor", ("camera pixels",), {"mock.camera.dust": 12}),
    FaultyBench(
        "a third of the amplitude is not modulated",
        ("polarisation",),
        {"mock.slm.dead_space": 0.33, "mock.slm.dead_space_reflectance": 1.0},
    ),
    FaultyBench(
        "a fifth of the light has the other polarisation",
        ("polarisation",),
        {"mock.slm.unmodulated": 0.2},
    ),
    FaultyBench("a window doubles the image", ("ghost",), {"mock.relay.ghost": 0.2}),
    FaultyBench("a window doubles the beam", ("ghost",), {"mock.beam.window_ghost": 0.4}),
    FaultyBench("a lamp is on from the beginning", ("ambient light",), {"mock.camera.lamp": 0.03}),
    FaultyBench(
        "a lamp is switched on after the dark level",
        ("ambient light",),
        act=lamp_on,
        during="camera",
    ),
    FaultyBench(
        "a lamp is switched on in mid-alignment",
        ("ambient light",),
        act=lamp_on,
        during="alignment",
        after_frames=14,
    ),
    FaultyBench(
        "a lamp warms up",
        ("ambient light",),
        {"mock.camera.lamp": 0.03, "mock.camera.lamp_warm_up_s": 20.0},
    ),
    FaultyBench("automatic gain", ("automatic gain",), {"mock.camera.automatic_gain": 0.5}),
    FaultyBench(
        "automatic gain is switched on after the camera routine",
        ("automatic gain",),
        act=gain_on,
        during="phase response",
    ),
    FaultyBench(
        "beam and mirror are tilted by 12 mrad", ("tilted",), act=changed(tilts_rad=tilted_far)
    ),
)
