"""Two Ray nodes on this machine, with a network between them that can be cut: the laboratory's and ours.

As root on Linux the laboratory has a network namespace of its own, joined by a virtual cable; pulling that
is what a pulled cable is. Elsewhere both are on loopback, and what is cut is what this process sends.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from labdiff.remote.ray_connection import connect_bench
from labdiff.remote.remote_bench import RemoteBench

PORT = 6437
NAMESPACE, CABLE, THERE = "labdiff_lab", "labdiff_c0", "labdiff_c1"
HERE_IP, LAB_IP = "10.231.7.2", "10.231.7.1"
STARTS_WITHIN_S = 120.0
PROBE = """
import json, sys, time
from labdiff.remote.ray_connection import RayConnection
line = RayConnection(sys.argv[1])
while True:
    about = line.call("status")
    print(json.dumps([time.time(), about.emission, about.at_rest]), flush=True)
    time.sleep(0.03)
"""


Observation = tuple[float, bool, bool]
"""Time, emission, and whether the bench is at rest."""


@dataclass(frozen=True, slots=True)
class ServedElsewhere:
    """A bench that is served.

    network: what is between it and this process. connect: makes this process its owner. observations: of
    its status, by the laboratory's side. cut, mend: that network; None where only calls can be cut.
    """

    network: str
    connect: Callable[[], RemoteBench]
    observations: Callable[[], list[Observation]]
    cut: Callable[[], None] | None = None
    mend: Callable[[], None] | None = None


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def can_have_namespaces() -> bool:
    """Return whether this is root on Linux, with the tool for it."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("ip") is not None


@contextmanager
def _cable() -> Iterator[None]:
    subprocess.run(["ip", "netns", "del", NAMESPACE], check=False, capture_output=True)
    _ip("netns", "add", NAMESPACE)
    try:
        _ip("link", "add", CABLE, "type", "veth", "peer", "name", THERE, "netns", NAMESPACE)
        _ip("addr", "add", f"{HERE_IP}/24", "dev", CABLE)
        _ip("link", "set", CABLE, "up")
        _ip("-n", NAMESPACE, "addr", "add", f"{LAB_IP}/24", "dev", THERE)
        _ip("-n", NAMESPACE, "link", "set", THERE, "up")
        _ip("-n", NAMESPACE, "link", "set", "lo", "up")
        yield
    finally:
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=False, capture_output=True)


@contextmanager
def two_nodes(bench_file: Path, folder: Path) -> Iterator[ServedElsewhere]:
    """Serve the bench of a file; start a second node, if there can be a network between the two."""
    apart = can_have_namespaces()
    host = LAB_IP if apart else "127.0.0.1"
    address = f"{host}:{PORT}"
    there = ["ip", "netns", "exec", NAMESPACE] if apart else []
    with ExitStack() as opened:
        if apart:
            opened.enter_context(_cable())
        log = opened.enter_context((folder / "serve.log").open("w"))
        serve = [sys.executable, "-m", "labdiff", "bench", "serve", str(bench_file)]
        opened.enter_context(_running([*there, *serve, "--host", host, "--port", str(PORT)], log))
        _wait_for(folder / "serve.log", "at rest")
        if apart:
            node_log = opened.enter_context((folder / "node.log").open("w"))
            node = [sys.executable, "-m", "ray.scripts.scripts", "start", f"--address={address}"]
            node += [f"--node-ip-address={HERE_IP}", "--num-cpus=1", "--block"]
            node += ["--object-store-memory=200000000", "--disable-usage-stats"]
            opened.enter_context(_running(node, node_log))
            _wait_for(folder / "node.log", "runtime started")
        watched = folder / "probe.log"
        probe = opened.enter_context(watched.open("w"))
        opened.enter_context(_running([*there, sys.executable, "-c", PROBE, address], probe))
        _wait_for(watched, "]")
        cut = (lambda: _ip("link", "set", CABLE, "down")) if apart else None
        mend = (lambda: _ip("link", "set", CABLE, "up")) if apart else None
        network = "a cable between namespaces" if apart else "loopback"
        yield ServedElsewhere(
            network, lambda: connect_bench(address)[0], lambda: _observed(watched), cut, mend
        )


def _observed(log: Path) -> list[Observation]:
    lines = log.read_text(encoding="utf-8").splitlines()
    return [tuple(json.loads(line)) for line in lines if line.endswith("]")]


@contextmanager
def _running(command: list[str], log: IO[str]) -> Iterator[None]:
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_worker_niceness": "0"}
    process = subprocess.Popen(
        command,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=environment,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20.0)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(file: Path, text: str) -> None:
    until_s = time.monotonic() + STARTS_WITHIN_S
    while text not in (written := file.read_text(encoding="utf-8")):
        if time.monotonic() > until_s:
            raise RuntimeError(f"{file.name}: {text!r} never came, but: {written[-2000:]}")
        time.sleep(0.2)
