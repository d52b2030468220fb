"""A bench served within this process, and its clients at the ends of lines that can be cut."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from labdiff.bench.bench import Bench
from labdiff.config.bench import BenchConfig, parse_bench
from labdiff.remote.lease import Lease
from labdiff.remote.messages import ConnectionLostError
from labdiff.remote.remote_bench import RemoteBench
from labdiff.remote.served_bench import ServedBench
from tests.support.small_bench import small_bench
from tests.unit.labdiff.training.test_twin_only import SMALL

Kind = Literal["slm_patch", "dmd"]


class Wire:
    """A line within this process; everything is pickled on the way. cut: nothing goes through."""

    def __init__(self, served: ServedBench) -> None:
        self.served, self.cut = served, False
        self.before_acquire: Callable[[], None] = lambda: None

    def call(
        self, what: str, *arguments: Any, while_waiting: Callable[[], object] = lambda: None
    ) -> Any:
        if what == "acquire":
            self.before_acquire()
        if self.cut:
            raise ConnectionLostError("no answer from the bench for 2.0 s")
        while_waiting()
        return pickle.loads(
            pickle.dumps(self.served.call(what, *pickle.loads(pickle.dumps(arguments))))
        )

    def send(self, what: str, *arguments: Any) -> None:
        if not self.cut:
            self.served.call(what, *arguments)

    def close(self) -> None:
        pass


class Time:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def config_of(bench: Bench) -> BenchConfig:
    layout = bench.layout
    config = parse_bench(SMALL, "small bench")
    cavity = config.cavity.model_copy(
        update={
            "patch_shape": layout.patch_shape,
            "patch_top": layout.top,
            "patch_lefts": layout.lefts,
        }
    )
    slm = config.slm.model_copy(update={"shape": layout.panel_shape})
    return config.model_copy(update={"cavity": cavity, "slm": slm})


@contextmanager
def remote(kind: Kind = "slm_patch", patience_s: float = 0.0) -> Iterator[tuple[Any, ...]]:
    """(laboratory, served bench, its real time, line, remote bench), calibrated as the near one."""
    with small_bench(kind) as (lab, near):
        near.make_safe()
        now_s = Time()
        served = ServedBench(near, SMALL, now_s, watch=False)
        wire = Wire(served)
        far = RemoteBench(
            config_of(near), served.status(), Lease(wire, patience_s, sleep_s=lambda _: None)
        )
        far.dark, far.rectifier = near.dark, near.rectifier
        far.counts_per_ms_per_unit = near.counts_per_ms_per_unit
        try:
            yield lab, served, now_s, wire, far
        finally:
            far.close()
