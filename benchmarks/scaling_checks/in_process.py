"""A bench served in this process: calls and answers are pickled as on a line, but no network is met."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.scaling_checks.two_nodes import Observation, ServedElsewhere
from labdiff.bench.open import open_bench
from labdiff.config.bench import parse_bench
from labdiff.remote.lease import Lease
from labdiff.remote.messages import BenchStatus
from labdiff.remote.remote_bench import RemoteBench
from labdiff.remote.served_bench import ServedBench

OBSERVED_EVERY_S = 0.03


class PickledConnection:
    """A connection within this process."""

    def __init__(self, served: ServedBench) -> None:
        self._served = served

    def call(
        self, what: str, *arguments: Any, while_waiting: Callable[[], object] = lambda: None
    ) -> Any:
        """Return the answer of the bench."""
        while_waiting()
        sent = pickle.loads(pickle.dumps(arguments))
        return pickle.loads(pickle.dumps(self._served.call(what, *sent)))

    def send(self, what: str, *arguments: Any) -> None:
        """Call and ignore the answer."""
        self._served.call(what, *arguments)

    def close(self) -> None:
        """Do nothing: there is no line."""


@contextmanager
def served_in_process(bench_text: str) -> Iterator[ServedElsewhere]:
    """Serve the bench of a bench file, and observe its status all the time."""
    config = parse_bench(bench_text, "bench that is served")
    served = ServedBench(open_bench(config, 0), bench_text)
    observed: list[Observation] = []
    ended = threading.Event()

    def connect() -> RemoteBench:
        connection = PickledConnection(served)
        status: BenchStatus = connection.call("status")
        return RemoteBench(config, status, Lease(connection))

    def observe() -> None:
        while not ended.wait(OBSERVED_EVERY_S):
            status: BenchStatus = served.call("status")
            observed.append((time.time(), status.emission, status.at_rest))

    observer = threading.Thread(target=observe, daemon=True)
    observer.start()
    try:
        yield ServedElsewhere("this process", connect, lambda: list(observed))
    finally:
        ended.set()
        observer.join()
        served.close()
