"""What takes time: rise and fall, flicker, a refresh that tears, and the kinds of shutter."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from drivers.types import Roi
from mock_hardware.crystal import TEN_TO_NINETY, LiquidCrystal
from mock_hardware.settings import MockSlmSettings
from mock_sheets.layout import (
    BLUE,
    CELL,
    EDGE,
    GAP,
    GREY,
    LIGHT,
    ORANGE,
    PHASE,
    QUIET,
    SMALL,
    TITLE,
    TURNS,
    WIDTH,
    Sheet,
    plot,
)
from mock_sheets.scene import OFF, WINDOW, dialled, digit, display, laboratory, star

TIMES_MS = (0.0, 3.0, 5.0, 7.0, 10.0, 14.0, 27.0)


def in_time() -> Sheet:
    """Draw rise and fall, tearing, flicker, and a rolling shutter."""
    sheet = Sheet(WIDTH, 728)
    half = (WIDTH - 2 * EDGE - 20) / 2
    _rise(plot(sheet, EDGE, 12, (half, 210), "rise_ms = 4, fall_ms = 7"))
    _flicker(plot(sheet, EDGE + half + 20, 12, (half, 210), "flicker = 0.002, flicker_hz = 480"))
    _tearing(sheet, 236)
    _shutters(sheet, 474)
    return sheet


def _rise(axes: Axes) -> None:
    times_ms = np.linspace(-2.0, 26.0, 400)
    steps = np.array([2.0, 1.0, 0.25]) * np.pi
    settings = MockSlmSettings(scan_ms=0.0)
    flat_phase = np.zeros((1, 1, len(steps)), np.float32)
    crystal = LiquidCrystal(settings, flat_phase, np.zeros(1))
    target = steps.astype(np.float32)[None, None]
    period_s = 1.0 / settings.refresh_hz
    crystal.show(1, target, period_s)
    up = np.array([crystal.phase(period_s + t * 1e-3)[0, 0] for t in times_ms])
    crystal.show(2, flat_phase, 60 * period_s)
    down = np.array([crystal.phase(60 * period_s + t * 1e-3)[0, 0] for t in times_ms])
    for i, shade in enumerate((1.0, 0.7, 0.4)):
        up_label, down_label = ("up", "down") if i == 0 else (None, None)
        axes.plot(times_ms, up[:, i] / np.pi, color=BLUE, alpha=shade, label=up_label)
        axes.plot(times_ms, down[:, i] / np.pi, color=ORANGE, alpha=shade, label=down_label)
    for full_ms, colour, share in ((4.0, BLUE, (0.1, 0.9)), (7.0, ORANGE, (0.9, 0.1))):
        tau_ms = full_ms / TEN_TO_NINETY
        marks = tau_ms * np.log([1 / 0.9, 1 / 0.1])
        axes.plot(marks, 2.0 * np.array(share), "o", ms=4, color=colour, mfc="white")
    axes.set(xlabel="time after the refresh, ms", ylabel=PHASE, xlim=(-2, 26), ylim=(-0.1, 2.6))
    axes.plot([], [], "o", ms=4, color=QUIET, mfc="white", label="10 and 90 %")
    axes.legend(loc="upper right", handlelength=1.0, ncols=3)


def _flicker(axes: Axes) -> None:
    lab = laboratory(dialled(slm__flicker=0.002))
    display(lab, star())
    lab.world.clock.sleep_s(1.0)
    start_s = lab.world.clock.now_s()
    spot = Roi(WINDOW.top + 70, WINDOW.left + 20, 20, 40)
    for exposure_ms, times_ms, marks, colour in (
        (0.01, np.arange(0.0, 10.0, 0.1), "-", GREY),
        (1.0, np.arange(0.5, 10.0, 1.0), "o", ORANGE),
    ):
        bright = []
        for time_ms in times_ms:
            begun_s = start_s + (time_ms - exposure_ms / 2) * 1e-3
            counts = lab.world.expose(spot, begun_s, exposure_ms * 1e-3, 0.0, 1)[0]()
            bright.append(counts.max() / exposure_ms)
        if exposure_ms < 0.1:
            middle = float(np.mean(bright))
        share = 100 * (np.array(bright) / middle - 1.0)
        label = f"exposures of {exposure_ms:g} ms"
        axes.plot(times_ms, share, marks, color=colour, label=label, ms=4)
    axes.set(xlabel="time, ms", ylabel="light on a pixel, %", xlim=(0, 10), ylim=(-0.35, 0.55))
    axes.legend(loc="upper right", handlelength=1.0, ncols=2)


def _tearing(sheet: Sheet, top: float) -> None:
    lab = laboratory(OFF)
    display(lab, digit(4))
    lab.world.clock.sleep_s(1.0)
    display(lab, digit(5), settle=False)
    refresh_s = np.ceil(lab.world.clock.now_s() * 60.0 - 1e-9) / 60.0
    sheet.write(EDGE, top, "scan_ms = 8: a refresh runs down the panel", weight="bold", fontsize=8)
    note = "from a 4 to a 5; above the crystal of the last patch, below the light of that moment"
    sheet.write(EDGE, top + 14, note, color=QUIET, fontsize=7.5)
    step = (WIDTH - 2 * EDGE - SMALL) / (len(TIMES_MS) - 1)
    frames = []
    for time_ms in TIMES_MS:
        lab.world.clock.sleep_s(refresh_s + time_ms * 1e-3 - lab.world.clock.now_s())
        now_s = lab.world.clock.now_s()
        image = lab.world.expose(WINDOW, now_s, 1e-7, 0.0, 1)[0]()
        frames.append((time_ms, lab.world.crystal.phase(now_s)[-1, 10:90, 10:90], image))
    most = float(np.quantile(frames[0][2], 0.999))
    for column, (time_ms, crystal, image) in enumerate(frames):
        left = EDGE + round(column * step)
        sheet.picture(left, top + 34, crystal, (0.0, 2.0 * np.pi), TURNS, SMALL)
        sheet.picture(left, top + 34 + SMALL + 8, image, (0.0, most), LIGHT, SMALL)
        label = f"{time_ms:g} ms"
        sheet.write(left, top + 34 + 2 * SMALL + 10, label, color=QUIET, fontsize=7.5)


def _shutters(sheet: Sheet, top: float) -> None:
    sheet.write(
        EDGE, top, "a pattern that changes while the shutter is open", fontsize=8, weight="bold"
    )
    note = "from a 4 to a 5; frames of 1 ms that begin 1 ms after the refresh"
    sheet.write(EDGE, top + 14, note, color=QUIET, fontsize=7.5)
    for column, (kind, line_us, title) in enumerate(
        (
            ("global", 5.0, 'shutter = "global"'),
            ("rolling", 5.0, 'shutter = "rolling"'),
            ("rolling", 50.0, "... line_us = 50"),
            ("rolling", 100.0, "... line_us = 100"),
        )
    ):
        changed = OFF.camera.model_copy(update={"shutter": kind, "line_us": line_us})
        lab = laboratory(OFF.model_copy(update={"camera": changed}))
        display(lab, digit(4))
        lab.world.clock.sleep_s(1.0)
        display(lab, digit(5), settle=False)
        refresh_s = np.ceil(lab.world.clock.now_s() * 60.0 - 1e-9) / 60.0
        lab.world.clock.sleep_s(refresh_s + 1e-3 - lab.world.clock.now_s())
        image = lab.camera.get_frame().pixels.astype(np.float64)
        left = EDGE + column * (CELL + GAP)
        note = "the default" if column == 0 else "default 5" if line_us > 5.0 else "line_us = 5"
        sheet.head(left, top + 36, title, note)
        sheet.picture(left, top + 36 + TITLE, image, (0.0, 3000.0))
