"""What of a bench is simulated, in one sentence that every figure measured on it carries."""

from __future__ import annotations

from labdiff.config.bench import BenchConfig, parse_bench
from labdiff.errors import UserError

MOCK = "mock"
"""Driver of simulated devices."""
IMAGES = "images of a folder"
"""What a camera sends that plays images, or waits for them, in place of a sensor."""
EMULATOR, EMULATED_SERIAL = "Basler Emulation", "0815-"
"""Beginnings of name and serial number of the cameras that pylon emulates."""
BEGINNING = "simulated: "
"""First word of the sentence."""


def simulated_devices(config: BenchConfig, camera: str = "") -> str:
    """Return what of a bench is simulated, as "simulated: SLM, laser (mock)"; "" if nothing is.

    Args:
        config: the bench file.
        camera: name of the open camera; "" where none is open. Only so is the emulator of a maker known
            that a variable of the environment puts in the place of a camera.
    """
    drivers = {"SLM": config.slm.driver}
    if config.input.kind == "dmd":
        drivers["DMD"] = config.input.driver
    drivers |= {"camera": config.camera.driver, "laser": config.laser.driver}
    mocks = [name for name, driver in drivers.items() if driver == MOCK]
    parts = []
    if len(mocks) == len(drivers):
        parts.append(f"all devices ({MOCK})")
    elif mocks:
        parts.append(f"{', '.join(mocks)} ({MOCK})")
    if config.slm.driver == "slmsuite" and config.slm.address == "simulated":
        parts.append("SLM (slmsuite's simulation)")
    if config.camera.driver != MOCK and config.camera.options.get("image_folder"):
        parts.append(f"camera ({IMAGES})")
    elif camera.startswith(EMULATOR) or (config.camera.serial or "").startswith(EMULATED_SERIAL):
        parts.append("camera (Basler's emulator)")
    return f"{BEGINNING}{'; '.join(parts)}" if parts else ""


def simulated_in(bench_text: str) -> str:
    """Return what of the bench of a bench file's text is simulated; "" if nothing is, or it is not read."""
    try:
        return simulated_devices(parse_bench(bench_text, "bench file"))
    except UserError:
        return ""


def with_simulated(text: str, simulated: str) -> str:
    """Return a text with what was simulated after it.

    Args:
        text: such as a bench's name.
        simulated: the sentence; "" if nothing was.
    """
    return f"{text}; {simulated}" if simulated else text
