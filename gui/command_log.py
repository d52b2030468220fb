"""What the user has asked of the bench, as a line for the log."""

from __future__ import annotations

import numpy as np

from gui.widgets.number_text import write_number
from labdiff.engine import commands as ask


def describe(command: ask.Command) -> str:
    """Return what a command asks for, with its value; "" for one that is reported when it is done."""
    match command:
        case ask.Connect(bench=bench, seed=seed, slm_address=address):
            where = f", SLM {address}" if address else ""
            return f"connect: bench {bench}, seed {seed}{where}"
        case ask.SetExposure(exposure_ms):
            return f"exposure: {write_number(exposure_ms, 'ms', 12)}"
        case ask.AutoExpose():
            return "exposure: to be found"
        case ask.SetGain(gain_db):
            return f"gain: {write_number(gain_db, 'dB', 12)}"
        case ask.SetOutputRoi():
            return "ROI: around the output region"
        case ask.SetPower(power_mw):
            return f"power: {write_number(power_mw, 'mW', 12)}"
        case ask.SetEmission(on):
            return f"laser: {'on' if on else 'off'}"
        case ask.SetRoi(None):
            return "ROI: the whole sensor"
        case ask.SetRoi(roi) if roi is not None:
            return f"ROI: top {roi.top}, left {roi.left}, {roi.width} x {roi.height} px"
        case ask.SetLive(on=on):
            return f"live view: {'on' if on else 'off'}"
        case ask.ShowPhase(None):
            return "pattern: flat"
        case ask.SetCorrection(on):
            return f"SLM: the maker's flatness map {'is' if on else 'is not'} added"
        case ask.ShowHologram(name=name):
            return f"hologram: {name}"
        case ask.ShowPhase(phase_rad, name) if phase_rad is not None:
            height, width = phase_rad.shape
            low, high = float(np.min(phase_rad)), float(np.max(phase_rad))
            title = "" if name == ask.BY_HAND else f"{name}, "
            return f"pattern: {title}{width} x {height} pixels, {low:.4g} ... {high:.4g} rad"
        case ask.ShowInput(name=name):
            return f"DMD: {name}"
        case ask.Pause():
            return "pause"
        case ask.Resume():
            return "resume"
        case ask.Stop():
            return "stop"
        case ask.Quit():
            return "disconnect"
        case _:
            return ""
