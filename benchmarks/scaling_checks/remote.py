"""A bench behind two Ray nodes: duty beside that of the same bench here, wrong frames, the network cut."""

from __future__ import annotations

import math
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from benchmarks.claims import claim
from benchmarks.duty_checks.benches import Task, camera_task, opened
from benchmarks.duty_checks.identity import Used, wrong_frames
from benchmarks.duty_checks.steps import TwinStep, steps_on
from benchmarks.parts import NotPossibleError, Outcome, Setting
from benchmarks.scaling_checks.in_process import served_in_process
from benchmarks.scaling_checks.two_nodes import ServedElsewhere, two_nodes
from calibration.dark import DarkLevel
from calibration.registration import Registration
from calibration.result import Verdict
from drivers.errors import DeviceError
from labdiff.bench.bench import Bench
from labdiff.config.bench import BenchConfig
from labdiff.remote.messages import ConnectionLostError
from labdiff.remote.remote_bench import RemoteBench
from labdiff.sweep.bench_overrides import override_values

BATCH = 256
CUT_AFTER_S, REST_WITHIN_S = 0.3, 30.0
SAFE_WITHIN_S = 2.0
BACK_WITHIN_S = 60.0


def measure(setting: Setting) -> Outcome:
    """Measure the bench with the fast camera in real time, here and elsewhere; cut the network."""
    if not setting.smoke and find_spec("ray") is None:
        raise NotPossibleError("Ray is not installed: pip install 'labdiff[cluster]'")
    torch.set_num_threads(1)
    batch = setting.amount("frames a batch", smoke=8, quick=BATCH, full=BATCH)
    frames = setting.amount("frames", smoke=8, quick=1_536, full=10_000)
    cut_s = setting.amount("seconds without a network", smoke=0.0, quick=6.0, full=6.0)
    where = setting.amount("where it is served", smoke="this process", quick="Ray", full="Ray")
    task, steps = camera_task(batch), math.ceil(frames / batch)
    twin_step = TwinStep(task)
    with opened(task, "real") as (lab, here):
        local = steps_on(here, task, max(1 if setting.smoke else 4, steps // 4), twin_step)
        truth, scale = lab.world.truth, here.counts_per_ms_per_unit
    with _served(_text(task.config), where) as elsewhere:
        far = elsewhere.connect()
        with far:
            _calibrate(far, truth, scale)
            outcome = steps_on(far, task, steps, twin_step)
            up, down = far.lease.up, far.lease.down
            figures: dict[str, object] = {
                "local_duty": local.duty,
                "remote_duty": outcome.duty,
                "remote_frames_per_s": outcome.frames_per_s,
                "frames": sum(pace.frames for pace in outcome.paces) + batch,
                "wire_up_bytes_per_batch": up.sent / (steps + 1),
                "wire_up_of_raw": up.sent / up.raw,
                "wire_down_bytes_per_batch": down.sent / (steps + 1),
                "wire_down_of_raw": down.sent / down.raw,
                "network": elsewhere.network,
            }
            safe_s, back_s, again = _cut(elsewhere, far, task, cut_s)
            refused = _second_refused(elsewhere)
    used = [*outcome.used, again]
    figures |= {"safe_after_s": safe_s, "frames_again_after_s": back_s}
    count = sum(len(batch.frames) for batch in used)
    claims = [
        claim(
            "remote bench: duty over that of the same bench here",
            outcome.duty / local.duty,
            ">= 0.9",
        ),
        claim(f"remote bench: wrong frames of {count}", wrong_frames(task, used), "<= 0"),
        claim("remote bench: a second owner is refused", refused, ">= 1"),
        claim("network cut: seconds until laser off and SLM flat", safe_s, f"<= {SAFE_WITHIN_S}"),
        claim("network mended: seconds until the batch is there", back_s, f"<= {BACK_WITHIN_S}"),
    ]
    return Outcome(claims, figures)


@contextmanager
def _served(bench_text: str, where: str) -> Iterator[ServedElsewhere]:
    with ExitStack() as opened:
        if where == "Ray":
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
            file = folder / "bench.toml"
            file.write_text(bench_text, encoding="utf-8")
            yield opened.enter_context(two_nodes(file, folder))
        else:
            yield opened.enter_context(served_in_process(bench_text))


def _cut(
    elsewhere: ServedElsewhere, far: RemoteBench, task: Task, cut_s: float
) -> tuple[float, float, Used]:
    """Cut the network while batches are measured, and mend it once the bench is at rest.

    Returns seconds until it was, seconds from mending to frames, and those frames.
    """
    seen: list[list[Any]] = []
    far.on_frames = seen.append
    used: list[Used] = []
    times: dict[str, float] = {}

    def take_batches() -> None:
        for step in range(10**6, 10**6 + 10_000):
            inputs, layers = task.images(step)
            far.measure(inputs, layers)
            used.append(Used(inputs, layers, seen[-1]))
            if "mended" in times:
                times["there"] = time.time()
                return

    def rested_s() -> float:
        after = [
            at for at, on, rest in elsewhere.observations() if at > times["cut"] and rest and not on
        ]
        return after[0] - times["cut"] if after else math.inf

    measuring = threading.Thread(target=take_batches)
    measuring.start()
    time.sleep(CUT_AFTER_S)
    with _network_cut(elsewhere, far):
        times["cut"] = time.time()
        time.sleep(cut_s)
        while rested_s() == math.inf and time.time() < times["cut"] + REST_WITHIN_S:
            time.sleep(0.05)
        times["mended"] = time.time()
    measuring.join(BACK_WITHIN_S + 30.0)
    return rested_s(), times.get("there", math.inf) - times["mended"], used[-1]


@contextmanager
def _network_cut(elsewhere: ServedElsewhere, far: RemoteBench) -> Iterator[None]:
    if elsewhere.cut is not None and elsewhere.mend is not None:
        elsewhere.cut()
        try:
            yield
        finally:
            elsewhere.mend()
        return

    def no_answer(*_: Any, **__: Any) -> Any:
        time.sleep(0.2)
        raise ConnectionLostError("cut by the benchmark")

    connection = far.lease.connection
    with (
        patch.object(connection, "call", no_answer),
        patch.object(connection, "send", lambda *_: None),
    ):
        yield


def _second_refused(elsewhere: ServedElsewhere) -> bool:
    try:
        bench = elsewhere.connect()
    except DeviceError as error:
        return "one owner" in str(error)
    bench.close()
    return False


def _calibrate(bench: Bench, truth: Any, scale: float) -> None:
    fine = Verdict("pass", "as the truth has it")
    bench.dark = DarkLevel(truth.pedestal_counts, 0.0, 0.0, fine)
    bench.use_registration(
        Registration(truth.camera_matrix, truth.camera_offset_px, 0.0, 0.0, fine)
    )
    bench.counts_per_ms_per_unit = scale


def _text(config: BenchConfig) -> str:
    """Return a bench file of a config: the mock in real time, its frames computed by one thread."""
    parts = config.model_dump()
    parts["mock"] |= {"clock": "real", "threads": 1}
    return override_values("", _flat(parts))


def _flat(nested: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{key}.")
        elif value is not None:
            flat[before + key] = np.asarray(value).tolist()
    return flat
