"""A bench behind two Ray nodes: duty beside that of the same bench here, wrong frames, the network cut."""

from __future__ import annotations

import math
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.claims import Claim, claim
from benchmarks.duty_checks.benches import Task, camera_task, opened
from benchmarks.duty_checks.identity import Used, wrong_frames
from benchmarks.duty_checks.steps import TwinStep, steps_on
from benchmarks.scaling_checks.two_nodes import TwoNodes, two_nodes
from calibration.dark import DarkLevel
from calibration.registration import Registration
from calibration.result import Verdict
from drivers.errors import DeviceError
from labdiff.bench.bench import Bench
from labdiff.config.bench import BenchConfig
from labdiff.remote.messages import ConnectionLostError
from labdiff.remote.ray_connection import connect_bench
from labdiff.sweep.bench_overrides import override_values

BATCH, FRAMES, QUICK_FRAMES = 256, 10_000, 1_536
CUT_AFTER_S, CUT_FOR_S = 0.3, 6.0
SAFE_WITHIN_S = 2.0
BACK_WITHIN_S = 60.0


def remote_claims(quick: bool) -> tuple[list[Claim], dict[str, object]]:
    """All of it, on the bench with the fast camera, in real time."""
    torch.set_num_threads(1)
    task = camera_task(BATCH)
    steps = math.ceil((QUICK_FRAMES if quick else FRAMES) / BATCH)
    twin_step = TwinStep(task)
    with opened(task, "real") as (lab, here):
        local = steps_on(here, task, max(4, steps // 4), twin_step)
        truth, scale = lab.world.truth, here.counts_per_ms_per_unit
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bench.toml").write_text(_text(task.config), encoding="utf-8")
        with two_nodes(folder / "bench.toml", folder) as nodes:
            far, _ = connect_bench(nodes.address)
            with far:
                _calibrate(far, truth, scale)
                outcome = steps_on(far, task, steps, twin_step)
                up, down = far.lease.up, far.lease.down
                figures: dict[str, object] = {
                    "local_duty": local.duty,
                    "remote_duty": outcome.duty,
                    "remote_frames_per_s": outcome.frames_per_s,
                    "frames": sum(pace.frames for pace in outcome.paces) + BATCH,
                    "wire_up_bytes_per_batch": up.sent / (steps + 1),
                    "wire_up_of_raw": up.sent / up.raw,
                    "wire_down_bytes_per_batch": down.sent / (steps + 1),
                    "wire_down_of_raw": down.sent / down.raw,
                    "network": "a cable between namespaces" if nodes.cut else "loopback",
                }
                safe_s, back_s, again = _cut(nodes, far, task)
                refused = _second(nodes)
    used = [*outcome.used, again]
    figures |= {"safe_after_s": safe_s, "frames_again_after_s": back_s}
    count = sum(len(batch.frames) for batch in used)
    return [
        claim(
            "remote bench: duty over that of the same bench here",
            outcome.duty / local.duty,
            ">= 0.9",
        ),
        claim(f"remote bench: wrong frames of {count}", wrong_frames(task, used), "<= 0"),
        claim("remote bench: a second owner is refused", refused, ">= 1"),
        claim("network cut: seconds until laser off and SLM flat", safe_s, f"<= {SAFE_WITHIN_S}"),
        claim("network mended: seconds until the batch is there", back_s, f"<= {BACK_WITHIN_S}"),
    ], figures


def _cut(nodes: TwoNodes, far: Any, task: Task) -> tuple[float, float, Used]:
    """Cut while batches are measured: seconds to safety, seconds from mending to frames, those frames."""
    seen: list[list[Any]] = []
    far.on_frames = seen.append
    used: list[Used] = []
    times: dict[str, float] = {}

    def measure() -> None:
        for step in range(10**6, 10**6 + 200):
            inputs, layers = task.images(step)
            far.measure(inputs, layers)
            used.append(Used(inputs, layers, seen[-1]))
            if "mended" in times:
                times["there"] = time.time()
                return

    measuring = threading.Thread(target=measure)
    measuring.start()
    time.sleep(CUT_AFTER_S)
    with _network_cut(nodes, far):
        times["cut"] = time.time()
        time.sleep(CUT_FOR_S)
        times["mended"] = time.time()
    measuring.join(BACK_WITHIN_S + 30.0)
    rested = [when for when, on, rest in nodes.seen() if when > times["cut"] and rest and not on]
    safe_s = rested[0] - times["cut"] if rested else math.inf
    return safe_s, times.get("there", math.inf) - times["mended"], used[-1]


@contextmanager
def _network_cut(nodes: TwoNodes, far: Any) -> Iterator[None]:
    if nodes.cut is not None and nodes.mend is not None:
        nodes.cut()
        try:
            yield
        finally:
            nodes.mend()
        return
    call, send = far.lease.connection.call, far.lease.connection.send

    def no_answer(*_: Any, **__: Any) -> Any:
        time.sleep(0.2)
        raise ConnectionLostError("cut by the benchmark")

    far.lease.connection.call, far.lease.connection.send = no_answer, lambda *_: None
    try:
        yield
    finally:
        far.lease.connection.call, far.lease.connection.send = call, send


def _second(nodes: TwoNodes) -> bool:
    try:
        bench, _ = connect_bench(nodes.address)
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
    """A bench file of a config: the mock in real time, its light computed by one thread."""
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
