"""What goes wrong in a laboratory: the window stays, says so in words, and can go on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from benchmarks.claims import Claim, claim
from benchmarks.gui_checks.hands import Hands, hands
from benchmarks.gui_checks.session import needed
from benchmarks.parts import Outcome, Setting
from benchmarks.posix_calls import KILL

JOB_S = 900.0
SMALL_KB = 700
"""A disk on which a run file begins and cannot end."""
UNPLUGGED = "unplugged"


def measure(archive: Path | None, setting: Setting) -> Outcome:
    """Provoke each failure: three claims, and what the window reported. archive: of 'mock', seed 0."""
    needed(setting)
    say = setting.say
    claims: list[Claim] = []
    figures: dict[str, Any] = {}
    for name, provoke in FAILURES.items():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            if archive is not None:
                for home in (folder / "runs" / "calibration" / "mock-seed0",
                             folder / f"{UNPLUGGED}-seed0.calibration"):  # fmt: skip
                    shutil.copytree(archive, home)
            with hands(folder) as person:
                try:
                    reported = provoke(person)
                    alive, on = float(person.alive), float(_connects_again(person))
                except (TimeoutError, OSError, LookupError) as error:
                    reported, alive, on = "", 0.0, 0.0
                    figures[f"{name}: trouble"] = f"{type(error).__name__}: {error}"
        if reported is None:
            figures[name] = "left out: it needs Linux and root"
            continue
        figures[name] = reported
        say(f"failures: {name}: {reported or figures.get(f'{name}: trouble')}")
        claims += [
            claim(f"{name}: the window says so in words", float(bool(reported)), ">= 1"),
            claim(f"{name}: the window answers", alive, ">= 1"),
            claim(f"{name}: a bench can be connected afterwards", on, ">= 1"),
        ]
    return Outcome(claims, figures)


def _open(person: Hands, *arguments: str, bench: str = "mock", engine: str = "") -> None:
    person.open("--no-tour", *arguments, engine=engine)
    _connect(person, bench)


def _connect(person: Hands, bench: str) -> None:
    person.write("bench", bench)
    person.click("connect")
    person.until_text("bench_status", "laser off")


def _connects_again(person: Hands) -> bool:
    """Connect the bench that works, whatever is connected now."""
    person.until(lambda: not person.text("job_status"), "an end of the job", JOB_S)
    person.key("ctrl+1")
    if person.text("connect") == "Disconnect":
        person.click("connect")
        person.until_text("connect", "Connect")
    _connect(person, "mock")
    return True


def _train(person: Hands) -> None:
    """Train until light has been measured."""
    person.key("ctrl+5")
    person.click("preset_quick")
    person.click("pretrained")
    person.click("train_start")
    person.until_text("training_message", "bench MSE", JOB_S)


def _report(person: Hands, *texts: str, patience_s: float = 120.0) -> str:
    """Return the notice, or the line of the log, that holds one of these texts."""

    def found() -> str:
        lines = [person.text("notice"), *person.text("log").splitlines()]
        return next((li for li in lines if any(text.lower() in li.lower() for text in texts)), "")

    person.until(lambda: bool(found()), f"one of {texts}", patience_s)
    return found()


def killed(person: Hands) -> str:
    """Kill the bench's process in the midst of a training."""
    _open(person)
    _train(person)
    os.kill(person.bench_pid(), KILL)
    return _report(person, "process has ended")


def unplugged(person: Hands) -> str:
    """Unplug the camera while it shows live frames."""
    shipped = resources.files("labdiff").joinpath("config", "benches", "mock.toml").read_text()
    start = shipped.index("script = [")
    script = 'script = ["unplugged@40-"]' + shipped[shipped.index("]", start) + 1 :]
    bench = person.folder / f"{UNPLUGGED}.toml"
    bench.write_text(shipped[:start] + script)
    _open(person, bench=str(bench))
    person.key("ctrl+2")
    person.click("live")
    return _report(person, "live view is off")


def full(person: Hands) -> str | None:
    """Fill the disk in the midst of a training; return None where it cannot be tried."""
    with small_disk(person.folder / "small") as disk:
        if disk is None:
            return None
        _open(person, "--out", str(disk / "runs"))
        person.key("ctrl+5")
        person.click("preset_quick")
        person.click("pretrained")
        person.click("train_start")
        reported = _report(person, "no space", "disk", "cannot be written", patience_s=JOB_S)
        person.until(lambda: not person.text("job_status"), "an end of the job", JOB_S)
        if not (person.alive and _connects_again(person)):
            raise TimeoutError("the window did not go on")
        person.kill()  # before the disk is taken away
    person.open("--no-tour")
    return reported


def deleted(person: Hands) -> str:
    """Delete the run file while it grows."""
    _open(person)
    _train(person)
    (person.folder / "runs" / "gui-1" / "run.h5").unlink()
    return _report(person, "run.h5: ", "gone", "no such file", patience_s=JOB_S)


def no_numbers(person: Hands) -> str:
    """Train with predictions that are NaN throughout."""
    _open(person, engine="benchmarks.gui_checks.nan_engine:Engine")
    _train(person)
    time.sleep(5.0)
    reported = person.text("training_message")
    person.click("train_stop")
    return reported if "nan" in reported else ""


FAILURES: dict[str, Callable[[Hands], str | None]] = {
    "bench process killed in a training": killed,
    "camera unplugged": unplugged,
    "disk full in a training": full,
    "run file deleted in a training": deleted,
    "predictions all NaN": no_numbers,
}


@contextmanager
def small_disk(place: Path) -> Iterator[Path | None]:
    """Yield the folder of a disk of `SMALL_KB`; None where none can be mounted."""
    place.mkdir()
    asked = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_KB}k", "tmpfs", str(place)]
    possible = sys.platform == "linux" and os.geteuid() == 0
    if not possible or subprocess.run(asked, check=False).returncode:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
