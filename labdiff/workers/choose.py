"""Choose the workers of a command."""

from __future__ import annotations

from labdiff.errors import UserError
from labdiff.workers.local_processes import LocalWorkers
from labdiff.workers.ray_runtime import has_ray
from labdiff.workers.ray_tasks import RayWorkers
from labdiff.workers.task import Workers

MOST = 10_000
"""Largest number of workers."""


def chosen_workers(count: int, on: str = "auto", address: str | None = None) -> Workers:
    """Return workers.

    Args:
        count: number of workers.
        on: "local" processes, "ray", or "auto": Ray where it is installed.
        address: of a Ray cluster, which is then used with any `on` but "local".

    Raises:
        UserError: an argument is not allowed, or Ray is not installed.
    """
    if not 1 <= count <= MOST:
        raise UserError(f"--workers {count}: allowed is 1 ... {MOST}")
    if on not in ("auto", "local", "ray"):
        raise UserError(f"--on {on}: allowed are auto, local, ray")
    if address is not None and on == "local":
        raise UserError(f"--cluster {address}: is a Ray cluster; leave out --on local")
    if on == "ray" or address is not None or (on == "auto" and has_ray()):
        return RayWorkers(count, address)
    return LocalWorkers(count)
