"""Set labdiff up in awkward environments: python .ci/environments.py [FOLDER].

A clone of this checkout, in a folder whose name has umlauts and a space, is set up with PIP_USER=1, with a
configuration of pip that sends packages elsewhere, and with LC_ALL=C. There labdiff starts in locales that
are not installed, `--out` is relative to the caller's folder, and a second clone is set up where no index
can be reached. Takes minutes, and the room of one environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "mèss gerät"
LOCALES = ("C", "POSIX", "xx_YY.UTF-8", "de_DE.ISO-8859-1")
NOBODY = "http://127.0.0.1:9/simple"
"""Address at which nothing listens."""


def run(where: Path, *arguments: str, code: int = 0, **variables: str) -> str:
    """Run a command in a folder; return what it printed. Exit if its code is another one."""
    done = subprocess.run(
        arguments,
        cwd=where,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode != code:
        sys.exit(f"{' '.join(arguments)}: exit code {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def report(what: str, holds: bool, shown: str = "") -> None:
    """Print whether something holds; exit if it does not."""
    print(f"{'ok' if holds else 'FAILED'}  {what}{': ' + shown if shown else ''}", flush=True)
    if not holds:
        sys.exit(1)


def main(folder: Path) -> None:
    """Set up and look."""
    clone = folder / NAME
    run(folder, "git", "clone", "--quiet", str(ROOT), str(clone))
    settings = folder / "pip.conf"
    elsewhere = folder / "elsewhere"
    known = run(folder, sys.executable, "-m", "pip", "config", "list")
    sources = [
        line.removeprefix("global.").replace("='", " = ").rstrip("'")
        for line in known.splitlines()
        if line.startswith("global.")
    ]
    lines = ["[global]", *sources, "[install]", f"target = {elsewhere}", "user = true"]
    settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
    awkward = {"LC_ALL": "C", "PIP_USER": "1", "PIP_CONFIG_FILE": str(settings)}
    started = run(clone, sys.executable, "run.py", "gui", "--help", **awkward)
    said = [line for line in started.splitlines() if line.startswith("run.py: torch")]
    report("set up with LC_ALL=C, PIP_USER=1 and pip's target, in a folder with umlauts", True)
    report("which torch, and how big", bool(said), said[0] if said else "")
    report("nothing went to pip's target", not elsewhere.exists())

    for name in LOCALES:
        run(clone, sys.executable, "run.py", "gui", "--help", LC_ALL=name)
        report(f"starts with LC_ALL={name}", True)

    caller = folder / "caller"
    caller.mkdir()
    demo = ("demo", "--quick", "--out", "runs/here")
    run(caller, sys.executable, str(clone / "run.py"), *demo)
    report("--out is relative to the caller's folder", (caller / "runs/here/run.h5").is_file())

    lonely = folder / "without network"
    run(folder, "git", "clone", "--quiet", str(ROOT), str(lonely))
    nothing = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_INDEX_URL": NOBODY}
    nothing |= {"PIP_RETRIES": "0", "LABDIFF_TORCH_INDEX": NOBODY}
    output = run(lonely, sys.executable, "run.py", "lint", code=1, **nothing)
    last = output.strip().splitlines()[-1]
    report("no network is said in words", last.startswith("run.py: no network"), last)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]).resolve())
    else:
        with tempfile.TemporaryDirectory(prefix="labdiff-") as name:
            main(Path(name))
