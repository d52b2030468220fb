"""The micro-mirror device in time, and its grey levels."""

from __future__ import annotations

import dataclasses

import numpy as np

from mock_hardware.laboratory import MockLaboratory
from mock_sheets.layout import BLUE, CELL, EDGE, GAP, GREY, QUIET, TITLE, WIDTH, Sheet, plot
from mock_sheets.scene import GEOMETRY, OFF, SEED, WINDOW, dialled, plane


def dmd() -> Sheet:
    """Draw the device in time, dark while its mirrors move, and its grey levels."""
    sheet = Sheet(WIDTH, 12 + TITLE + CELL + 44)
    geometry = dataclasses.replace(GEOMETRY, input_kind="dmd")
    axes = plot(sheet, EDGE, 12, (330, TITLE + CELL + 36), "load_us = 43.2, mirror_us = 8")
    y, x = plane()
    for settings, colour, label in (
        (OFF, GREY, "diffraction_loss off"),
        (dialled(dmd__diffraction_loss=0.12), BLUE, "diffraction_loss = 0.12, the default"),
    ):
        lab = MockLaboratory.create(geometry, settings, SEED)
        lab.laser.emission = True
        assert lab.dmd is not None
        lab.dmd.show(np.ones(geometry.patch_shape, np.float32))
        lab.world.clock.sleep_s(1.0)
        asked_s = lab.world.clock.now_s()
        lab.dmd.show((np.hypot(y, x) < 30.0).astype(np.float32))
        times_us = np.sort(np.concatenate([np.arange(-20.0, 101.0, 10.0), EDGES_US]))
        powers = [
            lab.world.expose(WINDOW, asked_s + t * 1e-6, 1e-9, 0.0, 1)[0]().sum() for t in times_us
        ]
        if settings is OFF:
            most = float(max(powers))
        axes.plot(times_us, np.array(powers) / most, color=colour, label=label)
    axes.set(
        xlabel="time after the command, \u00b5s", ylabel="light", xlim=(-20, 100), ylim=(0, 1.5)
    )
    axes.legend(loc="upper left", handlelength=1.0)
    ramp = 0.5 + 0.5 * np.cos(np.hypot(y, x) / 9.0) * np.exp(-((np.hypot(y, x) / 60.0) ** 2))
    for column, mirrors in enumerate((256, 4)):
        left = WIDTH - EDGE - CELL - (1 - column) * (CELL + GAP)
        note = "the default" if mirrors == 256 else "default 256"
        sheet.head(left, 12, f"mirrors_per_superpixel = {mirrors}", f"[mock.dmd], {note}")
        changed = OFF.dmd.model_copy(update={"mirrors_per_superpixel": mirrors})
        lab = MockLaboratory.create(geometry, OFF.model_copy(update={"dmd": changed}), SEED)
        assert lab.dmd is not None
        lab.dmd.show(ramp)
        field = lab.dmd.mirrors.field(1.0)
        sheet.picture(left, 12 + TITLE, field[10:90, 10:90], (0.0, 1.0))
        sheet.write(left, 12 + TITLE + CELL + 3, "amplitude", color=QUIET, fontsize=7.5)
    return sheet


EDGES_US = np.array([43.19, 43.21, 51.19, 51.21])
