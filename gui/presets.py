"""Saves and applies presets: each setting by the same way, with the same checks, as by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gui.event_router import EventRouter
from gui.panels.panel_set import PanelSet
from gui.widgets.number_text import write_limits, write_number
from labdiff.config.device_preset import (
    DevicePreset,
    Window,
    delete_preset,
    read_pattern,
    read_preset,
    write_preset,
)
from labdiff.engine import commands as ask
from labdiff.engine.status import BenchState, Setting
from labdiff.errors import UserError


class Presets:
    """Acts on the box of presets in the bench's panel.

    Args:
        panels: The panels of the window.
        router: What knows the state of bench and job.
        send: Called with each command for the engine.
        notice: Called with a message when something was refused.
    """

    def __init__(
        self,
        panels: PanelSet,
        router: EventRouter,
        send: Callable[[ask.Command], object],
        notice: Callable[[str], None],
    ) -> None:
        self._panels, self._router, self._send, self._notice = panels, router, send, notice
        box = self._box = panels.bench.presets
        box.save_wanted.connect(self.save)
        box.apply_wanted.connect(self.apply)
        box.delete_wanted.connect(self.delete)

    def save(self, name: str) -> None:
        """Save what the devices are set to now."""
        state, shown = self._router.bench, self._panels.slm.displayed.phase_rad
        values = {key: setting.requested for key, setting in _settings(state).items()}
        roi = state.roi
        preset = DevicePreset(
            bench=state.bench,
            exposure_ms=values.get("exposure_ms"),
            gain_db=values.get("gain_db"),
            power_mw=values.get("power_mw"),
            pattern=None if shown is None else "file" if np.any(shown) else "flat",
            roi=None
            if roi is None
            else Window(top=roi.top, left=roi.left, height=roi.height, width=roi.width),
        )
        try:
            path = write_preset(name, preset, np.zeros((1, 1)) if shown is None else shown)
        except UserError as error:
            self._notice(str(error))
            return
        self._panels.log.add(f"preset {name} saved: {path}")
        self._box.refresh(name)

    def delete(self, name: str) -> None:
        """Delete a preset."""
        try:
            delete_preset(name)
        except UserError as error:
            self._notice(str(error))
            return
        self._panels.log.add(f"preset {name} deleted")
        self._box.refresh()

    def apply(self, name: str) -> None:
        """Set the devices as a preset says; nothing is sent if a part of it does not fit this bench.

        A power that is raised by much is asked for, as if it was typed.
        """
        try:
            commands, power_mw = self._commands(name, read_preset(name))
        except UserError as error:
            self._notice(f"{error}. Nothing was set.")
            return
        self._panels.log.add(f"preset {name} applied")
        for command in commands:
            self._send(command)
        if power_mw is not None:
            self._panels.bench.enter("laser", "power", power_mw)

    def _commands(self, name: str, preset: DevicePreset) -> tuple[list[ask.Command], float | None]:
        """Return what is to be sent, and the power. Raises UserError for what does not fit this bench."""
        state = self._router.bench
        if preset.bench != state.bench:
            raise UserError(
                f"preset {name}: is of bench {preset.bench!r}; {state.bench!r} is connected"
            )
        known = _settings(state)
        numbers = {
            "exposure_ms": preset.exposure_ms,
            "gain_db": preset.gain_db,
            "power_mw": preset.power_mw,
        }
        for key, value in numbers.items():
            _check(name, key, value, known.get(key))
        commands: list[ask.Command] = []
        if preset.exposure_ms is not None:
            commands.append(ask.SetExposure(preset.exposure_ms))
        if preset.gain_db is not None:
            commands.append(ask.SetGain(preset.gain_db))
        window = preset.window
        if window is not None:
            if not window.fits(state.sensor_shape):
                height, width = state.sensor_shape
                raise UserError(
                    f"preset {name}: roi: reaches beyond the sensor, {width} x {height} px"
                )
            commands.append(ask.SetRoi(window))
        if preset.pattern == "flat":
            commands.append(ask.ShowPhase(None))
        elif preset.pattern is not None:
            commands.append(ask.ShowPhase(read_pattern(name, state.panel_shape)))
        return commands, preset.power_mw


KEYS = {
    "exposure_ms": ("camera", "exposure"),
    "gain_db": ("camera", "gain"),
    "power_mw": ("laser", "power"),
}
"""Device and setting behind each number of a preset."""


def _settings(state: BenchState) -> dict[str, Setting]:
    """Return the settings that a preset has, by its keys, of those devices that answer."""
    found = {
        (device.kind, setting.name): setting
        for device in state.devices
        for setting in device.settings
    }
    return {key: found[place] for key, place in KEYS.items() if place in found}


def _check(name: str, key: str, value: float | None, setting: Setting | None) -> None:
    """Raise UserError if a value is beyond the limits of the device, or this bench has no such setting."""
    if value is None:
        return
    if setting is None:
        raise UserError(f"preset {name}: {key}: this bench has no such setting now")
    low, high = setting.low, setting.high
    if (low is not None and value < low) or (high is not None and value > high):
        limits = write_limits(
            low if low is not None else -np.inf, high if high is not None else np.inf, setting.unit
        )
        raise UserError(f"preset {name}: {key} = {write_number(value, setting.unit)}: {limits}")
