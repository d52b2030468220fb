"""What run.py asks pip and the package indexes: which build of torch, how big, and why nothing answers.

Standard library only. Of the caller's configuration of pip holds where packages come from, not where they
go. LABDIFF_TORCH_INDEX names a mirror of torch's own index.
"""

from __future__ import annotations

import ast
import json
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from pathlib import Path

VERSION = "2.13.0"
TORCH = f"torch=={VERSION}"
"""Pinned and installed first: a plain "torch" may bring several gigabytes of CUDA libraries."""
TORCH_INDEX = "https://download.pytorch.org/whl"
CUDA_BUILDS = ("cu130", "cu129", "cu128", "cu126")
"""Builds with CUDA in torch's own index, newest first: for Windows the package index has none."""
PACKAGE_INDEX = "https://pypi.org/simple"
ANSWERS_WITHIN_S = 5.0
"""Longest time for an answer of an index before the next one is asked."""
PIP_KEYS = {
    "index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert", "client-cert",
    "proxy", "timeout", "default-timeout", "retries", "cache-dir", "no-cache-dir", "constraint",
}  # fmt: skip
"""Settings of pip that say where packages come from. Not among them are PIP_USER=1, a target or a prefix:
pip refuses them in a virtual environment, or follows them out of it.
"""


class Pip:
    """The pip of an environment, with the caller's configuration as far as it is about sources.

    Args:
        python: interpreter of the environment.
        folder: of the checkout, whose constraints.txt holds.
    """

    def __init__(self, python: Path, folder: Path) -> None:
        self._command = [str(python), "-m", "pip", "--disable-pip-version-check"]
        self._folder = folder
        self.environment = self._sources_only()

    def _sources_only(self) -> dict[str, str]:
        caller = {**os.environ, "PYTHONUTF8": "1"}
        listed = subprocess.run(
            [*self._command, "config", "list"],
            stdout=subprocess.PIPE,
            env={**caller, "PIP_USER": "0"},  # `config` takes it for the user's file alone
            encoding="utf-8",
            check=False,
        ).stdout
        environment = {key: value for key, value in caller.items() if not key.startswith("PIP_")}
        for section in ("global", "install", ":env:"):
            for key, value in re.findall(rf"^{section}\.([\w-]+)=(.*)$", listed, re.MULTILINE):
                if key in PIP_KEYS:
                    name = f"PIP_{key.upper().replace('-', '_')}"
                    environment[name] = str(ast.literal_eval(value))
        return {**environment, "PIP_CONFIG_FILE": os.devnull}

    def _install(self, *what: str) -> list[str]:
        constraints = str(self._folder / "constraints.txt")
        return [*self._command, "install", "--quiet", "-c", constraints, *what]

    def install(self, *what: str) -> None:
        """Install packages. Raises CalledProcessError."""
        subprocess.run(self._install(*what), cwd=self._folder, env=self.environment, check=True)

    def planned(self, *what: str) -> list[str]:
        """Return the addresses of the files that would be installed; none if they are not found."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            done = subprocess.run(
                self._install("--dry-run", "--retries", "0", "--report", str(report), *what),
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            if done.returncode:
                return []
            found = json.loads(report.read_text(encoding="utf-8"))["install"]
        return [str(each["download_info"]["url"]) for each in found]

    def opened(self, address: str, method: str = "GET") -> HTTPResponse:
        """Open an address, through the proxy and with the certificates that pip uses. Raises OSError."""
        handlers: list[urllib.request.BaseHandler] = []
        if certificates := self.environment.get("PIP_CERT"):
            context = ssl.create_default_context(cafile=certificates)
            handlers.append(urllib.request.HTTPSHandler(context=context))
        if proxy := self.environment.get("PIP_PROXY"):
            handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
        request = urllib.request.Request(address, method=method)
        opener = urllib.request.build_opener(*handlers)
        answer: HTTPResponse = opener.open(request, timeout=ANSWERS_WITHIN_S)
        return answer

    def described(self, files: Sequence[str]) -> str:
        """Return the first file's name, how many there are and their size, as far as that is stated."""
        with ThreadPoolExecutor(8) as pool:
            sizes = list(pool.map(self._size_bytes, files))
        name = urllib.parse.unquote(files[0].partition("#")[0]).rpartition("/")[2]
        more = f" and {len(files) - 1} files more" if len(files) > 1 else ""
        size = f"{sum(sizes) / 1e6:,.0f} MB" if all(sizes) else "of a size that is not stated"
        return f"{name}{more}, {size}"

    def _size_bytes(self, file: str) -> int:
        try:
            if file.startswith("file:"):
                path = urllib.request.url2pathname(urllib.parse.urlsplit(file).path)
                return Path(path).stat().st_size
            with self.opened(file.partition("#")[0], "HEAD") as answer:
                return int(answer.headers["Content-Length"] or 0)
        except (OSError, ValueError, TypeError):
            return 0

    def no_network(self) -> str:
        """Return in words that the package index cannot be reached; "" if it answers."""
        index = self.environment.get("PIP_INDEX_URL", PACKAGE_INDEX)
        try:
            self.opened(index.rstrip("/") + "/pip/").close()
        except urllib.error.HTTPError:
            return ""
        except (OSError, ValueError) as error:
            return (
                f"no network: the package index {index} cannot be reached ({error}). Connect this "
                "computer, set HTTPS_PROXY, or name a mirror, PIP_INDEX_URL=https://..., or wheels on a "
                "disk, PIP_FIND_LINKS=/folder"
            )
        return ""


def torch_to_install(pip: Pip) -> str:
    """Choose a build of torch, say which and how big, and return what pip is to install.

    A wheel on this computer's disk comes first: nothing is downloaded. Without an NVIDIA GPU it is the CPU
    build of torch's own index, or where that does not answer, what the package index has; with one, the
    full build.
    """
    on_disk = [file for file in pip.planned("--no-deps", TORCH) if file.startswith("file:")]
    if on_disk:
        _say(f"torch: {pip.described(on_disk)}, from this computer's disk")
        return TORCH
    gpu = has_nvidia_gpu()
    _say("an NVIDIA GPU was found" if gpu else "no NVIDIA GPU was found")
    wheel = _wheel_of_torchs_index(pip, _builds(gpu))
    if wheel:
        _say(f"torch: downloading {pip.described([wheel])}")
        return f"torch @ {wheel}"
    files = pip.planned(TORCH)
    full = any("nvidia" in file or "cuda" in file for file in files)
    if files:
        kind = "the full build, with CUDA" if full else "the build of the package index"
        _say(f"torch: downloading {kind}: {pip.described(files)}")
    if full and not gpu:
        _say("no index that answers has the CPU build, which is less than a tenth of that")
    return TORCH


def _builds(gpu: bool) -> Sequence[str]:
    """Return the builds to look for in torch's own index; none where the package index has the right one.

    PyPI's wheels for macOS use its own GPU; those for Linux have CUDA, those for Windows have not.
    """
    if sys.platform == "darwin":
        return ()
    if not gpu:
        return ("cpu",)
    return CUDA_BUILDS if sys.platform == "win32" else ()


def _wheel_of_torchs_index(pip: Pip, builds: Sequence[str]) -> str:
    """Return the address of the first build that torch's own index has, "" for none."""
    index = os.environ.get("LABDIFF_TORCH_INDEX") or TORCH_INDEX
    try:
        return next((wheel for build in builds if (wheel := torch_wheel(pip, index, build))), "")
    except (OSError, ValueError) as error:
        _say(f"torch's own index {index} does not answer: {error}")
        return ""


def has_nvidia_gpu() -> bool:
    """Return whether NVIDIA's driver lists a GPU."""
    driver = shutil.which("nvidia-smi")
    if driver is None:
        return False
    try:
        listed = subprocess.run([driver, "-L"], stdout=subprocess.PIPE, timeout=30.0, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and b"GPU" in listed.stdout


def torch_wheel(pip: Pip, index: str, build: str) -> str:
    """Return the address of torch's wheel for this Python and processor, "" if there is none.

    Args:
        pip: how it is asked.
        index: address of torch's own index, or of its mirror.
        build: "cpu", or a version of CUDA, as "cu130".

    Raises:
        OSError: if the index does not answer.
    """
    address = f"{index.rstrip('/')}/{build}/torch/"
    try:
        with pip.opened(address) as answer:
            page = answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return ""
        raise
    python = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    start = f"torch-{VERSION}+{build}-{python}-{python}-"
    end = f"{platform.machine().lower()}.whl"
    for link in re.findall(r"href=[\"']([^\"']+)[\"']", page):
        name = urllib.parse.unquote(link.partition("#")[0]).rpartition("/")[2]
        if name.startswith(start) and name.endswith(end):
            return str(urllib.parse.urljoin(address, link))
    return ""


def _say(sentence: str) -> None:
    print(f"run.py: {sentence}", flush=True)
