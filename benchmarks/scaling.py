"""From one machine to many: python benchmarks/scaling.py [--json] [--quick] [--part NAME ...].

    layers      eight layer sets by two workers, beside one after the other
    sweep       a worker killed in mid-sweep; the driver killed
    remote      a bench behind two Ray nodes: duty, wrong frames, the network cut
    gradients   one layer set by two processes
    absent      without Ray
    cost        seconds of a training step, for docs/scaling.md

What is timed is disturbed by whatever else the machine does: the share of a core that a lone process got
meanwhile is told beside the times; below 0.95 they are of a busy machine, and are to be taken again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console

from benchmarks.claims import Claim, claim, finish, parser
from benchmarks.scaling_checks.absent import without_ray
from benchmarks.scaling_checks.cost import measured_costs
from benchmarks.scaling_checks.gradients import largest_difference
from benchmarks.scaling_checks.layer_sets import compare
from benchmarks.scaling_checks.remote import remote_claims
from benchmarks.scaling_checks.sweeps import driver_killed, undisturbed, worker_killed
from labdiff.workers.local_processes import LocalWorkers

Figures = dict[str, object]


def layers(quick: bool) -> tuple[list[Claim], Figures]:
    """Two workers beside one process."""
    steps = 150 if quick else 1500
    found = compare(LocalWorkers(2), steps)
    figures: Figures = {
        "one_after_the_other_s": found.alone_s,
        "two_workers_s": found.together_s,
        "share_of_a_core_meanwhile": found.cpu_share,
    }
    return [
        claim("8 layer sets: 2 workers, times as fast as one", found.speed_up, ">= 1.7"),
        claim("8 layer sets: tensors that differ in a bit", found.different_tensors, "<= 0"),
    ], figures


def sweep(quick: bool) -> tuple[list[Claim], Figures]:
    """Killed workers, killed drivers."""
    steps, claims = (30 if quick else 150), []
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as folder:
        wanted = undisturbed(Path(folder, "undisturbed"), steps)
        for name, disturbed in (("worker", worker_killed), ("driver", driver_killed)):
            found = disturbed(Path(folder, name), steps, wanted)
            figures[f"{name}_killed_trials_begun_again"] = found.again
            claims += [
                claim(f"{name} killed: trials that are missing", found.missing, "<= 0"),
                claim(f"{name} killed: done trials computed again", found.repeated, "<= 0"),
                claim(f"{name} killed: wrong rows or files", found.wrong_rows, "<= 0"),
                claim(f"{name} killed: trials that were cut or had not begun", found.again, ">= 1"),
            ]
    return claims, figures


def gradients(quick: bool) -> tuple[list[Claim], Figures]:
    """One layer set by two processes through gloo."""
    words = "gloo, 2 processes: largest difference of a gradient, over its largest element"
    return [claim(words, largest_difference(), "<= 1e-6")], {}


def absent(quick: bool) -> tuple[list[Claim], Figures]:
    """Without Ray."""
    code, said = without_ray("train", "--remote", "127.0.0.1:6379", "--out", "nowhere")
    named = code == 2 and "labdiff[cluster]" in said and "Traceback" not in said
    code, _ = without_ray("doctor")
    return [
        claim("without Ray: a command that needs it names the extra", named, ">= 1"),
        claim("without Ray: exit code of one that does not", code, "<= 0"),
    ], {"said": said.strip()[-300:]}


PARTS: dict[str, Callable[[bool], tuple[list[Claim], Figures]]] = {
    "layers": layers,
    "sweep": sweep,
    "remote": remote_claims,
    "gradients": gradients,
    "absent": absent,
    "cost": measured_costs,
}


def main() -> None:
    """Measure, then print one JSON line."""
    options = parser(__doc__)
    options.add_argument("--part", action="append", choices=list(PARTS), help="these alone")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    console = Console(stderr=True, quiet=arguments.json, highlight=False)
    claims: list[Claim] = []
    figures: dict[str, Figures] = {}
    for name in arguments.part or PARTS:
        console.print(f"{name} ...")
        found, figures[name] = PARTS[name](arguments.quick)
        claims += found
    finish("scaling", claims, arguments.json, quick=arguments.quick, figures=figures)


if __name__ == "__main__":
    main()
