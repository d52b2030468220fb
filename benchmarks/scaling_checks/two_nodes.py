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


@dataclass(frozen=True, slots=True)
class TwoNodes:
    """address: of the cluster. cut, mend: the network between the two; None where only calls can be cut."""

    address: str
    watched: Path
    cut: Callable[[], None] | None
    mend: Callable[[], None] | None

    def seen(self) -> list[tuple[float, bool, bool]]:
        """What the laboratory's side has seen of its bench: (time, emission, at rest)."""
        lines = self.watched.read_text(encoding="utf-8").splitlines()
        return [tuple(json.loads(line)) for line in lines if line.endswith("]")]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def can_have_namespaces() -> bool:
    """Root on Linux, with the tool for it."""
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
def two_nodes(bench_file: Path, folder: Path) -> Iterator[TwoNodes]:
    """The bench of a file, served; a second node, if there is a network to put it at the other end of."""
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
        yield TwoNodes(address, watched, cut, mend)


@contextmanager
def _running(command: list[str], log: object) -> Iterator[None]:
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_worker_niceness": "0"}
    process = subprocess.Popen(
        command,
        stdout=log,  # type: ignore[call-overload]
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


def _wait_for(file: Path, words: str) -> None:
    until_s = time.monotonic() + STARTS_WITHIN_S
    while words not in (said := file.read_text(encoding="utf-8")):
        if time.monotonic() > until_s:
            raise RuntimeError(f"{file.name}: {words!r} was never said, but: {said[-2000:]}")
        time.sleep(0.2)
