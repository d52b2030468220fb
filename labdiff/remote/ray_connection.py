"""A served bench as one actor of Ray, and the line to it."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from typing import Any

from labdiff.bench.open import open_bench
from labdiff.config.bench import parse_bench
from labdiff.errors import UserError
from labdiff.remote.messages import About, LineCutError, Raised
from labdiff.remote.remote_bench import Meanwhile, RemoteBench
from labdiff.remote.served_bench import ServedBench
from labdiff.workers.ray_runtime import joined

log = logging.getLogger(__name__)

NAME, RESOURCE = "bench", "labdiff_bench"
"""Of the actor; and of what the laboratory's node has one of, so that the actor is there."""
THREADS = 6
"""Of the actor: one measures, one waits its turn, the others hear beats and hints."""
SLICE_S = 0.01
SILENCE_S = 2.0
"""Without an answered beat: by then the bench is at rest, if it hears nothing either."""
FIRST_ANSWER_S = 90.0


class BenchActor:
    """Opens the bench where it runs, and serves it."""

    def __init__(self, bench_text: str, name: str, seed: int) -> None:
        config = parse_bench(bench_text, name)
        self._served = ServedBench(open_bench(config, seed), bench_text)

    def call(self, what: str, *arguments: Any) -> Any:
        """As `ServedBench.call`."""
        return self._served.call(what, *arguments)

    def close(self) -> None:
        """Everything safe and closed."""
        self._served.close()


def place_bench(ray: Any, bench_text: str, name: str, seed: int) -> Any:
    """The one actor of a cluster; it is ready. Raises UserError if there is one, or no place for it."""
    resources = ray.cluster_resources()
    if resources.get(RESOURCE, 0.0) < 1.0:
        raise UserError(
            "no node of the cluster is the laboratory's; begin this computer's with: ray start "
            f"--address=HOST:PORT --resources='{{\"{RESOURCE}\": 1}}'"
        )
    remote = ray.remote(BenchActor).options(
        name=NAME, resources={RESOURCE: 1}, max_concurrency=THREADS, num_cpus=1
    )
    try:
        actor = remote.remote(bench_text, name, seed)
    except ValueError:
        raise UserError("a bench is served on this cluster already; a cluster has one") from None
    ready, _ = ray.wait([actor.call.remote("about")], timeout=FIRST_ANSWER_S)
    try:
        ray.get(ready[0] if ready else actor.call.remote("about"), timeout=1.0)
    except ray.exceptions.GetTimeoutError:
        raise UserError("the bench does not open; is another one served on this node?") from None
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None) or error
        raise UserError(f"the bench cannot be opened: {cause}") from None
    return actor


class RayConnection:
    """Calls of an actor, that are given up when its beats are no longer answered."""

    def __init__(self, address: str) -> None:
        """Raises UserError if there is no cluster, or no bench in it."""
        self._opened = ExitStack()
        self._ray = self._opened.enter_context(joined(address))
        self._beat: Any = None
        self._answered_s = time.monotonic()
        try:
            self._actor = self._ray.get_actor(NAME, namespace="labdiff")
        except ValueError:
            self._opened.close()
            raise UserError(
                f"{address}: no bench is served there; begin with: labdiff bench serve BENCH.toml"
            ) from None

    def call(self, what: str, *arguments: Any, meanwhile: Meanwhile = lambda: None) -> Any:
        """Raises LineCutError if the actor is gone, or no longer answers beats."""
        began_s = time.monotonic()
        answer = self._actor.call.remote(what, *arguments)
        while True:
            ready, _ = self._ray.wait([answer], timeout=SLICE_S)
            if ready:
                try:
                    found = self._ray.get(answer)
                except self._ray.exceptions.RayError as error:
                    raise LineCutError(f"the bench is gone: {error}") from None
                self._answered_s = time.monotonic()
                return found
            meanwhile()
            silent_s = time.monotonic() - max(self._answered_s, began_s)
            if silent_s > (FIRST_ANSWER_S if self._beat is None else SILENCE_S):
                raise LineCutError(f"no answer from the bench for {silent_s:.1f} s")

    def tell(self, what: str, *arguments: Any) -> None:
        """Waits for nothing; an answered beat is noted."""
        sent = self._actor.call.remote(what, *arguments)
        if what != "beat":
            return
        before, self._beat = self._beat, sent
        if before is not None and self._ray.wait([before], timeout=0)[0]:
            self._answered_s = time.monotonic()

    def close(self) -> None:
        """Let go of the cluster."""
        self._opened.close()


def about_bench(address: str) -> About:
    """What the bench of a cluster says of itself. Raises UserError as `RayConnection`."""
    line = RayConnection(address)
    try:
        found: About | Raised = line.call("about")
    except LineCutError as error:
        raise UserError(f"{address}: {error}") from None
    finally:
        line.close()
    if isinstance(found, Raised):
        raise UserError(f"{address}: {found.words}")
    return found


def connect_bench(address: str) -> tuple[RemoteBench, str]:
    """The bench at an address, and the text of its bench file; this process is then its owner.

    Raises UserError if there is none, or if another one has it.
    """
    line = RayConnection(address)
    try:
        about: About = line.call("about")
        config = parse_bench(about.bench_text, f"bench at {address}")
        return RemoteBench(config, about, line), about.bench_text
    except Exception:
        line.close()
        raise
