"""Set everything up, then do what was asked: python3 run.py demo | test | gui | lint.

Standard library only, the same on Linux, macOS and Windows. The environment goes to `.venv` beside
this file; a second run finds nothing left to set up and starts at once. What the caller's configuration
of pip says about where packages come from holds; where they go does not. LABDIFF_TORCH_INDEX names a
mirror of torch's own index, https://download.pytorch.org/whl.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
MARK = VENV / ".labdiff-setup"
PACKAGES = {"calibration", "drivers", "gui", "labdiff", "mock_hardware", "twin"}
LAYERS = "labdiff/session/pretrained/digits.h5"
MOST_CORES = 4
"""Cores that tests use at most: each process takes about 1 GB of memory."""
QT_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
}


def main() -> int:
    """Parse the command, set up, run it."""
    commands = {"demo": demo, "test": test, "gui": gui, "lint": lint}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        print(__doc__.strip().splitlines()[0])
        return 2
    if sys.version_info < (3, 11):
        print(f"labdiff needs Python 3.11 or newer; this is {sys.version.split()[0]}")
        return 2
    try:
        set_up()
        return commands[sys.argv[1]](sys.argv[2:])
    except subprocess.CalledProcessError as error:
        print(f"\nrun.py: failed: {' '.join(map(str, error.cmd))} (exit code {error.returncode})")
        if "pip" in error.cmd and (reason := import_pip().Pip(PYTHON, HERE).no_network()):
            print(f"run.py: {reason}")
        return error.returncode or 1
    except KeyboardInterrupt:
        return 130


def demo(arguments: list[str]) -> int:
    """Run the demo on the mock bench."""
    return call(BIN / "labdiff", "demo", *arguments, folder=None)


def gui(arguments: list[str]) -> int:
    """Open the window."""
    return call(BIN / "labdiff", "gui", *arguments, folder=None)


def test(arguments: list[str]) -> int:
    """Run all tests.

    --quick: without the slow ones, for a change in hand. --coverage: with the lines and branches that no
    test reaches, a quarter slower. --benchmarks: also every long part of every benchmark at its
    smallest, some minutes more.
    """
    selected: list[str] = []
    if "--quick" in arguments:
        selected += ["-m", "not slow"]
    if "--coverage" in arguments:
        selected += [*(f"--cov={name}" for name in sorted(PACKAGES)), "--cov-report=term"]
    if "--benchmarks" in arguments:
        selected += ["-m", ""]
    own = ("--quick", "--coverage", "--benchmarks")
    arguments = [each for each in arguments if each not in own]
    # Whole files each: what a file's tests share is made once. One process more than there are cores:
    # tests of devices wait for answers that do not come.
    count = min(os.cpu_count() or 1, MOST_CORES) + 1
    processes = ["-n", str(count), "--dist", "loadscope", "--no-loadscope-reorder"]
    return call(PYTHON, "-m", "pytest", *processes, *selected, *arguments)


def lint(arguments: list[str]) -> int:
    """Format, lint, types as every system sees them, floors, and what is in the wheel."""
    del arguments
    checks: tuple[Callable[[], int], ...] = (
        lambda: call(PYTHON, "-m", "ruff", "format", "--check", "."),
        lambda: call(PYTHON, "-m", "ruff", "check", "."),
        check_types,
        lambda: call(BIN / "lint-imports"),
        check_wheel,
    )
    # The first one that fails ends it.
    return next((code for check in checks if (code := check())), 0)


def check_types() -> int:
    """Check the types for this system and, beside it, for the others: what Windows or macOS lacks.

    Each system has a cache of its own; in one cache each would undo what the other has stored.
    """
    others = [system for system in ("linux", "win32", "darwin") if system != sys.platform]
    running: list[subprocess.Popen[str]] = []
    try:
        for system in others:
            options = ("--platform", system, "--cache-dir", f".mypy_cache/{system}")
            command = [str(part) for part in (PYTHON, "-m", "mypy", *options)]
            process = subprocess.Popen(
                command,
                cwd=HERE,
                env=environment_of_tools(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
            )
            running.append(process)
        code = call(PYTHON, "-m", "mypy")
        for system, process in zip(others, running, strict=True):
            output = process.communicate()[0].strip()
            print(f"+ python -m mypy --platform {system}\n{output}", flush=True)
            code = code or process.returncode
    finally:
        for process in running:
            process.kill()
            process.wait()
    return code


def check_wheel() -> int:
    """Build the wheel: it holds the six packages with their types, nothing else, and the layers."""
    with tempfile.TemporaryDirectory() as folder:
        code = call(PYTHON, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
        if code:
            return code
        (wheel,) = Path(folder).glob("*.whl")
        names = zipfile.ZipFile(wheel).namelist()
        found = {n.split("/")[0] for n in names if ".dist-info" not in n.split("/")[0]}
    if found != PACKAGES:
        print(f"the wheel holds {sorted(found)}; expected {sorted(PACKAGES)}")
        return 1
    if LAYERS not in names:
        print(f"the wheel lacks {LAYERS}, the layers that `labdiff generate` shows")
        return 1
    untyped = sorted(name for name in PACKAGES if f"{name}/py.typed" not in names)
    if untyped:
        print(f"the wheel lacks py.typed in {', '.join(untyped)}: their types would not be read")
        return 1
    print(f"wheel: {', '.join(sorted(found))}")
    return 0


def call(*command: object, folder: Path | None = HERE) -> int:
    """Say the command, run it, return its exit code.

    folder: in which it runs; None for the caller's, to which paths in its arguments are relative.
    """
    words = [str(part) for part in command]
    print("+", " ".join([Path(words[0]).name, *words[1:]]), flush=True)
    environment = environment_of_tools()
    if words[1:3] == ["-m", "pytest"]:
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    try:
        return subprocess.run(words, cwd=folder, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 130


def environment_of_tools() -> dict[str, str]:
    """Return this process's environment, with text in UTF-8 whatever the locale."""
    return {**os.environ, "PYTHONUTF8": "1"}


def set_up() -> None:
    """Bring the environment in order, if anything it depends on has changed."""
    wanted = fingerprint()
    if PYTHON.exists() and MARK.exists() and MARK.read_text(encoding="utf-8") == wanted:
        return
    print("run.py: setting up; the first time this takes some minutes", flush=True)
    install_system_packages()
    if not PYTHON.exists() or subprocess.run([PYTHON, "-m", "pip", "--version"]).returncode:
        print(f"run.py: creating the environment {VENV.name}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    run_pip = import_pip()
    pip = run_pip.Pip(PYTHON, HERE)
    tools = ["hatchling", "editables"]
    for what in ([run_pip.torch_to_install(pip), *tools], ["--no-build-isolation", "-e", ".[dev]"]):
        print(f"run.py: installing {' '.join(what)}", flush=True)
        pip.install(*what)
    for file in VENV.glob("**/site-packages/*.pth"):
        write_path_file_in_ascii(file)
    MARK.write_text(wanted, encoding="utf-8")
    print("run.py: set up", flush=True)


def write_path_file_in_ascii(file: Path) -> None:
    """Write the folders that a .pth file adds to Python's path in ASCII, if it has others.

    Python reads these files in the locale's encoding: with LC_ALL=C, a folder with an umlaut ends it
    before it has begun. A line that begins with "import " is executed.
    """
    lines = file.read_bytes().splitlines()
    if all(line.isascii() for line in lines):
        return
    text = ""
    for line in lines:
        added = f"import os, sys; sys.path.append(os.fsdecode({line!r}))"
        text += (line.decode("ascii") if line.isascii() else added) + "\n"
    file.write_text(text, encoding="ascii")


def import_pip() -> ModuleType:
    """Return the module .ci/run_pip, whatever folders Python's path has."""
    sys.path.insert(0, str(HERE / ".ci"))
    return importlib.import_module("run_pip")


def fingerprint() -> str:
    """Return a digest that changes when other packages have to be installed."""
    digest = hashlib.sha256(sys.version.encode())
    digest.update(str(VENV).encode())
    for name in ("pyproject.toml", "constraints.txt", "run.py", ".ci/run_pip.py"):
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()


def install_system_packages() -> None:
    """On Debian and its kin: what Python's venv and Qt need and is missing."""
    if sys.platform != "linux":
        return
    apt = shutil.which("apt-get")
    if apt is None:
        return
    missing = [package for library, package in QT_LIBRARIES.items() if not has_library(library)]
    if not (Path(sysconfig.get_path("stdlib")) / "ensurepip" / "_bundled").is_dir():
        missing.append("python3-venv")
    if not Path("/usr/share/fonts/truetype/dejavu").is_dir():
        missing.append("fonts-dejavu-core")
    if not missing:
        return
    prefix: list[str] = []
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            print(f"run.py: please install as root: apt-get install {' '.join(missing)}")
            return
        prefix = ["sudo", "-n"]
    print(f"run.py: installing Debian packages: {' '.join(missing)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = [*prefix, apt, "-qq", "-o", "Dpkg::Use-Pty=0"]
    subprocess.run([*quiet, "update"], env=environment, check=False)
    result = subprocess.run(
        [*quiet, "install", "-y", "--no-install-recommends", *missing],
        env=environment,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if result.returncode:
        print(f"run.py: please install by hand: sudo apt-get install {' '.join(missing)}")


def has_library(name: str) -> bool:
    """Return whether the dynamic loader's folders hold the library; True where Qt brings all."""
    if sys.platform != "linux":
        return True
    roots = [Path("/usr/lib"), Path("/lib"), Path("/usr/lib64"), Path("/usr/local/lib")]
    return any(next(root.glob(f"**/{name}*"), None) is not None for root in roots if root.is_dir())


if __name__ == "__main__":
    sys.exit(main())
