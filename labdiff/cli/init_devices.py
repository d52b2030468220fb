"""The bench file that `labdiff init` writes: for the attached devices, or for those that a person names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from drivers.discovery.found import Attached, Kind
from drivers.errors import DeviceError
from drivers.plain_text import plain_line
from drivers.registry import KINDS
from labdiff.bench.camera_facts import camera_facts
from labdiff.cli import init_questions as ask
from labdiff.config.bench import parse_bench
from labdiff.config.bench_draft import BenchDraft, DraftDevice, Pixels
from labdiff.config.chosen_devices import choose_attached, other_candidates
from labdiff.errors import UserError

SHAPE = frozenset({"shape"})
SENSOR = frozenset({"shape", "bit_depth"})
TITLES: tuple[tuple[Kind, str], ...] = (("slm", "SLM"), ("camera", "camera"), ("laser", "laser"))
NEED_OPTIONS = ("folder", "profile")
"""Drivers that an address alone does not select."""


def draft_from_devices(
    name: str, found: Sequence[Attached], named: Sequence[str], asked: bool
) -> BenchDraft:
    """Return the bench of the attached devices; what is not attached is "none".

    Args:
        name: Of the bench.
        found: What a search has found.
        named: Parts of titles or addresses that choose among several.
        asked: Whether a person in the terminal chooses among several.

    Raises:
        UserError: If several of a kind are attached and nobody chooses.
    """
    chosen = choose_attached(found, named, ask.which if asked else None)
    devices = {kind: _device(one) for kind, one in chosen.items()}
    for one in other_candidates(found, chosen):
        kind: Kind = "laser" if one.kind == "instrument" else one.kind
        before = devices.get(kind, DraftDevice())
        why = f"cannot be used: {one.why_not}" if one.why_not else "is it this one?"
        lines = [] if one.why_not else one.section().splitlines()[1:]
        devices[kind] = replace(before, notes=(*before.notes, f"{one.title}: {why}", *lines))
    dmd = devices.get("input") if "input" in chosen else None
    draft = BenchDraft(
        name,
        slm=devices.get("slm", DraftDevice()),
        camera=devices.get("camera", DraftDevice()),
        laser=devices.get("laser", DraftDevice()),
        dmd=dmd,
    )
    return _with_facts(draft, chosen.get("slm"))


def draft_by_questions(name: str, found: Sequence[Attached]) -> BenchDraft | None:
    """Ask for each device and for the optics; return None for a bench that is simulated as a whole."""
    print("Enter takes what stands in brackets; nothing is switched on.", file=sys.stderr)
    usable = [one for one in found if not one.why_not]
    anything = any(one.seen and one.kind != "instrument" for one in usable)
    default = ask.NONE if anything else ask.SIMULATED
    choices: dict[str, ask.DeviceChoice] = {}
    for kind, title in TITLES:
        kinds = (kind, "instrument") if kind == "laser" else (kind,)
        there = sorted((one for one in usable if one.kind in kinds), key=lambda one: not one.seen)
        drivers = [name for name in KINDS[kind].built_in if name not in NEED_OPTIONS]
        choices[kind] = ask.device(kind, title, there, default, drivers)
    if all(choice.driver == ask.SIMULATED for choice in choices.values()):
        return None
    dmds = [one for one in usable if one.kind == "input"]
    dmd = ask.device("input", "DMD", dmds, ask.NONE, ()) if dmds else None
    draft = BenchDraft(
        name,
        slm=ask.draft_device(choices["slm"]),
        camera=ask.draft_device(choices["camera"]),
        laser=ask.draft_device(choices["laser"]),
        dmd=None if dmd is None or dmd.driver == ask.NONE else ask.draft_device(dmd),
    )
    draft = _with_facts(draft, choices["slm"].attached)
    panel, sensor = draft.panel, draft.sensor
    if draft.slm.driver != ask.NONE:
        pitch_um = ask.number("SLM: pixel pitch, um", panel.pitch_um, 0.1, 100.0)
        panel = replace(panel, pitch_um=pitch_um, known=panel.known | {"pixel_pitch_um"})
    if draft.camera.driver != ask.NONE:
        pitch_um = ask.number("camera: pixel pitch, um", sensor.pitch_um, 0.1, 100.0)
        sensor = replace(sensor, pitch_um=pitch_um, known=sensor.known | {"pixel_pitch_um"})
    wavelength_nm = ask.number("laser: wavelength, nm", draft.wavelength_nm, 200.0, 2000.0)
    power_mw = ask.number("laser: power to begin with, mW", draft.power_mw, 0.0, 1e5)
    draft = replace(
        draft, panel=panel, sensor=sensor, wavelength_nm=wavelength_nm, power_mw=power_mw
    )
    waist_mm = ask.number("waist of the beam on the SLM, mm", draft.default_waist_mm, 0.001, 50.0)
    gap_mm = ask.number("SLM to mirror, mm", draft.default_gap_mm, 0.01, 1000.0)
    return replace(draft, waist_mm=waist_mm, z_gap_mm=gap_mm, optics_known=True)


def _device(one: Attached) -> DraftDevice:
    return DraftDevice(one.driver, one.title, one.settings)


def _with_facts(draft: BenchDraft, slm: Attached | None) -> BenchDraft:
    """Return the draft with what the devices tell: the shape of the panel, and all of the camera."""
    if slm is not None and slm.shape is not None:
        draft = replace(draft, panel=replace(draft.panel, shape=slm.shape, known=SHAPE))
    if draft.camera.driver in (ask.NONE, ask.SIMULATED):
        return draft
    try:
        facts = camera_facts(parse_bench(draft.text(), draft.name))
    except (DeviceError, UserError) as error:
        note = f"it was not opened: {plain_line(error)}"
        print(f"  camera: {note}", file=sys.stderr)
        return replace(draft, camera=replace(draft.camera, notes=(*draft.camera.notes, note)))
    low_ms, high_ms = facts.exposure_range_ms
    return replace(
        draft,
        camera=replace(draft.camera, title=draft.camera.title or facts.name),
        sensor=Pixels(facts.shape, draft.sensor.pitch_um, facts.bit_depth, SENSOR),
        exposure_ms=min(max(draft.exposure_ms, low_ms), high_ms),
    )
