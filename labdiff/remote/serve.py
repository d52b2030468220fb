"""Serve a bench from the computer that it hangs on: a Ray node of its own, or one that is there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from labdiff.config.bench import bench_text, parse_bench
from labdiff.errors import UserError
from labdiff.remote.messages import About
from labdiff.remote.ray_connection import RESOURCE, place_bench
from labdiff.workers.ray_runtime import OBJECTS_BYTES, is_loopback, joined, ray_module

LOOK_S = 0.5
STARTS_WITHIN_S = 60.0
ENDS_WITHIN_S = 15.0


def serve(
    bench: str,
    seed: int,
    host: str,
    port: int,
    cluster: str | None,
    tell: Callable[[About], None],
    should_stop: Callable[[], bool],
) -> None:
    """Until `should_stop`; the bench is then safe and closed. tell: how it stands, again and again.

    host, port: where a cluster begins here, beyond loopback if host says so; cluster: one that runs, which
    this computer has joined. Raises UserError for a user's mistake, and if the bench has gone.
    """
    name, text = bench_text(bench)
    parse_bench(text, name)
    with ExitStack() as opened:
        if cluster is None:
            cluster = f"{host}:{port}"
            ray_module(cluster)
            opened.enter_context(_head(host, port))
        ray = opened.enter_context(joined(cluster))
        actor = place_bench(ray, text, name, seed)
        try:
            while not should_stop():
                tell(ray.get(actor.call.remote("about")))
                time.sleep(LOOK_S)
        except ray.exceptions.RayError as error:
            raise UserError(
                f"the process that has the bench is gone ({error}). Look whether the laser is off, then "
                "serve it again"
            ) from None
        finally:
            try:
                ray.get(actor.close.remote(), timeout=ENDS_WITHIN_S)
                ray.kill(actor)
            except ray.exceptions.RayError:
                pass  # it is gone already, and that was said


@contextmanager
def _head(host: str, port: int) -> Iterator[None]:
    """The first node of a cluster, which ends with this."""
    ray = [sys.executable, "-m", "ray.scripts.scripts"]
    # Made if there is none; what it says is not for our ears.
    subprocess.run(
        [*ray, "get-auth-token", "--generate"],
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    command = [*ray, "start", "--head", "--block"]
    command += [f"--node-ip-address={host}", f"--port={port}", f'--resources={{"{RESOURCE}": 1}}']
    command += ["--num-cpus=1", "--num-gpus=0", "--include-dashboard=false"]
    command += [f"--object-store-memory={OBJECTS_BYTES}", "--disable-usage-stats"]
    node = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    )
    assert node.stdout is not None
    try:
        said = []
        until_s = time.monotonic() + STARTS_WITHIN_S
        for line in node.stdout:
            said.append(line)
            if "Ray runtime started" in line or time.monotonic() > until_s:
                break
        if not any("Ray runtime started" in line for line in said):
            why = " ".join(" ".join(said[-6:]).split()) or "it said nothing"
            where = (
                "" if is_loopback(f"{host}:{port}") else f"; is {host} an address of this computer?"
            )
            raise UserError(f"Ray does not begin at {host}:{port}{where} ({why})")
        yield
    finally:
        node.terminate()
        try:
            node.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            node.kill()
        node.stdout.close()
