"""Ask every back end at once, each in a process of its own: one that hangs or crashes harms no other.

`python -m drivers.discovery.search NAME` is such a process; it prints what it found as JSON, last.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import drivers
from drivers import entry_points
from drivers.discovery import panels
from drivers.discovery.found import Answer, Attached
from drivers.errors import DeviceError
from drivers.plain_text import plain_line

BUSY = (
    "did not answer in {:g} s: a device may be there all the same. Is another program using it (the "
    "maker's viewer, another labdiff), or is the computer busy? Close that, or search longer with "
    "--timeout 30"
)
"""What is said of a back end that is late; its devices are neither found nor absent."""
POLL_S = 0.005
"""Time between two looks at the processes."""


@dataclass(frozen=True, slots=True)
class BackEnd:
    """library: the Python package that it needs. install: where it comes from. find: "module:function".

    maker: whether the maker's own software is there, and where that comes from.
    """

    title: str
    library: str
    install: str
    find: str
    maker: tuple[Callable[[], bool], str] | None = None

    def needs(self) -> str:
        """Return what is missing; empty if nothing is."""
        if self.library and find_spec(self.library) is None:
            return self.install
        if self.maker is not None and not self.maker[0]():
            return self.maker[1]
        return ""


def _has_producers() -> bool:
    return bool(os.environ.get("GENICAM_GENTL64_PATH"))


HERE = "drivers.discovery"
BACK_ENDS: dict[str, BackEnd] = {
    "pylon": BackEnd(
        "Basler cameras (pylon)", "pypylon", "pip install pypylon", f"{HERE}.cameras:pylon"
    ),
    "gentl": BackEnd(
        "GenICam cameras (any GenTL producer)",
        "harvesters",
        "pip install 'labdiff[genicam]'",
        f"{HERE}.cameras:gentl",
        (_has_producers, "the camera maker's GenTL producer; GENICAM_GENTL64_PATH names none"),
    ),
    "micromanager": BackEnd(
        "Micro-Manager's cameras",
        "pymmcore",
        "pip install 'labdiff[micromanager]'",
        f"{HERE}.cameras:micromanager",
    ),
    "webcam": BackEnd(
        "webcams (OpenCV)", "cv2", "pip install 'labdiff[webcam]'", f"{HERE}.cameras:webcams"
    ),
    "monitors": BackEnd(
        "SLMs on monitor outputs", "PySide6", "pip install labdiff anew", f"{HERE}.panels:monitors"
    ),
    "blink": BackEnd(
        "Meadowlark SLMs (Blink)",
        "",
        "",
        f"{HERE}.panels:blink",
        (panels.blink_is_installed, "Meadowlark's Blink software"),
    ),
    "slmsuite": BackEnd(
        "SLMs through slmsuite (Holoeye, Santec ...)",
        "slmsuite",
        "pip install 'labdiff[slmsuite]', and the maker's software",
        f"{HERE}.panels:slmsuite",
        (panels.slmsuite_has_makers, "the SLM maker's software"),
    ),
    "alp": BackEnd(
        "ViALUX DMDs (ALP)",
        "ALP4",
        "pip install 'labdiff[alp]', and ViALUX's ALP software",
        f"{HERE}.panels:alp",
        (panels.alp_is_installed, "ViALUX's ALP software"),
    ),
    "visa": BackEnd(
        "lasers and power meters (VISA)",
        "pyvisa",
        "pip install labdiff anew",
        f"{HERE}.instruments:visa",
    ),
}


def all_back_ends() -> dict[str, BackEnd]:
    """Return the back ends above, and those that other installed packages bring by entry point."""
    found = dict(BACK_ENDS)
    for entry in entry_points.all_installed(entry_points.SEARCHES):
        title = f"{entry.name} ({entry_points.package_of(entry)})"
        found.setdefault(entry.name, BackEnd(title, "", "", entry.value))
    return found


def search(patience_s: float, back_ends: Mapping[str, BackEnd]) -> list[Answer]:
    """Ask back ends what is attached. It takes patience_s at most, and a moment to begin."""
    started_s = time.monotonic()
    answers: dict[str, Answer] = {}
    running: dict[str, subprocess.Popen[bytes]] = {}
    for name, back_end in back_ends.items():
        needs = back_end.needs()
        if needs:
            answers[name] = Answer(name, problem=f"needs {needs}")
        else:
            running[name] = _start(back_end.find)
    try:
        while running and time.monotonic() - started_s < patience_s:
            for name in [name for name, process in running.items() if process.poll() is not None]:
                process = running.pop(name)
                took_s = time.monotonic() - started_s
                answers[name] = _answer(name, process, took_s)
            time.sleep(POLL_S)
    finally:
        for name, process in running.items():
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=1.0)
            answers[name] = Answer(name, (), BUSY.format(patience_s), patience_s, True)
    return [answers[name] for name in back_ends]


def _start(find: str) -> subprocess.Popen[bytes]:
    here = str(Path(drivers.__path__[0]).parent)
    before = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([here, before] if before else [here])
    return subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", "-m", "drivers.discovery.search", find],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )


def _answer(name: str, process: subprocess.Popen[bytes], took_s: float) -> Answer:
    output, errors = process.communicate()
    try:
        reply = json.loads(output.decode("utf-8", "replace").strip().rpartition("\n")[2])
        found = tuple(Attached.from_dict(one) for one in reply["found"])
        return Answer(name, found, reply["problem"], took_s)
    except (ValueError, KeyError, TypeError):
        last = errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        problem = f"its library ended the process (exit code {process.returncode}) {last}".strip()
        return Answer(name, (), problem, took_s)


def main(arguments: Sequence[str]) -> int:
    """Ask one back end, and print."""
    module, _, function = arguments[0].partition(":")
    found: list[Attached] = []
    problem = ""
    try:
        found = getattr(import_module(module), function)()
    except DeviceError as error:
        problem = str(error)
    except (ImportError, OSError, AttributeError) as error:
        problem = (
            f"its library does not load ({type(error).__name__}: {plain_line(error, 300)}): a shared "
            "library is missing; install the maker's software, of as many bits as Python"
        )
    except Exception as error:  # whatever else a maker's library raises
        problem = f"{type(error).__name__}: {plain_line(error, 300)}"
    print(json.dumps({"found": [one.as_dict() for one in found], "problem": problem}), flush=True)
    # Some makers' libraries hang as they are unloaded.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
