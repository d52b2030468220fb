"""A training on the twin that goes on until it is ended, niced as a bench's process is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from labdiff.cli.make_pretrained import OPTIONS
from labdiff.job import run
from labdiff.reproduce.recipes import small_bench
from labdiff.training.twin_only import TwinTraining


def main(path: Path) -> None:
    """Say a line at the first step, then train on. path: of the run file."""
    if hasattr(os, "nice"):
        os.nice(10)
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    endless = OPTIONS.model_copy(update={"offline_steps": 1_000_000})
    begun: list[bool] = []

    def say(_: object) -> None:
        if not begun:
            begun.append(True)
            print("training", flush=True)

    run(TwinTraining(path, small_bench(), endless).job(), watch=[say])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
