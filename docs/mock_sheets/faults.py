"""What a request returns while a fault of the script is on."""

from __future__ import annotations

from drivers.errors import DeviceError
from drivers.types import Roi
from mock_hardware.fault_script import Fault
from mock_sheets.layout import EDGE, LIGHT, QUIET, WIDTH, Sheet
from mock_sheets.scene import OFF, WINDOW, digit, display, laboratory

PART = Roi(WINDOW.top + 20, WINDOW.left + 20, 120, 120)
FAULTS: tuple[tuple[Fault, str], ...] = (
    ("dropped", "never comes: time-out"),
    ("duplicated", "the frame before once more"),
    ("torn", "the lower half is of the frame before"),
    ("late", "time-out; the next caller finds it"),
    ("timeout", "the camera does not answer"),
    ("unplugged", "the camera is gone"),
    ("slm_frozen", "the panel keeps its pattern"),
    ("laser_shut", "the interlock shuts the laser"),
    ("beam_blocked", "light leaves the laser, none arrives"),
    ("saturated", "a thousand times the light"),
)


def faults() -> Sheet:
    """Draw what five requests return, with each fault at the third."""
    sheet = Sheet(WIDTH, 12 + 36 + 5 * 108)
    explanation = (
        "A bench without noise is asked for the digits 1 to 5; each fault meets request 3."
    )
    sheet.write(EDGE, 12, explanation, color=QUIET)
    for index, (fault, meaning) in enumerate(FAULTS):
        left, top = EDGE + (index % 2) * 360, 42 + (index // 2) * 108
        sheet.write(left, top, f"{fault}@3", weight="bold", fontsize=8)
        sheet.write(left + 120, top + 1, meaning, color=QUIET, fontsize=7.5)
        plan = OFF.faults.model_copy(update={"script": (f"{fault}@3",)})
        lab = laboratory(OFF.model_copy(update={"faults": plan}))
        lab.camera.roi, lab.camera.exposure_ms = PART, 1.0
        for number in range(1, 6):
            display(lab, digit(number))
            place = (left + (number - 1) * 67, top + 16)
            try:
                frame = lab.camera.get_frame()
            except DeviceError as error:
                box = sheet.place(*place, 60, 60)
                box.set(xticks=[], yticks=[], facecolor="#eef1f6")
                kind = type(error).__name__.removeprefix("Device").removesuffix("Error")
                box.text(0.5, 0.5, kind.lower(), ha="center", va="center", color=QUIET, fontsize=6)
                caption = "no frame"
            else:
                sheet.picture(*place, frame.pixels, (0.0, 3600.0), LIGHT, 60)
                caption = f"frame {frame.sequence}"
            sheet.write(place[0], place[1] + 62, caption, color=QUIET, fontsize=6.5)
    return sheet
