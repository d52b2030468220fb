"""Training on a twin with every batch shared among processes of this machine."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import torch.distributed as dist
from torch._C._distributed_c10d import Store, TCPStore

from labdiff.training.batch_share import BatchShare
from labdiff.training.layer_set_task import LayerSetTask, Progress, train_layer_set

LOOPBACK = "127.0.0.1"
INTERFACES = {"linux": "lo", "darwin": "lo0"}
"""Name of the loopback interface, at which gloo is to exchange gradients; Windows needs none."""
SILENCE = timedelta(seconds=60)
"""Time without a word of the others after which a process gives up."""


@dataclass(frozen=True, slots=True)
class ShareTask:
    """A layer set, the share of this process, and where the processes meet: a port of this machine."""

    task: LayerSetTask
    share: BatchShare
    port: int


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        port: int = found.getsockname()[1]
        return port


def train_share(task: ShareTask) -> Iterator[Progress]:
    """Train a layer set together with the others; the first process alone reports."""
    with group(task.share, task.port):
        for progress in train_layer_set(replace(task.task, share=task.share)):
            if task.share.rank == 0:
                yield progress


def _store(share: BatchShare, port: int) -> Store:
    """Return where the processes find each other.

    The first of them listens. torch by itself would listen at every address of the machine, and asks nobody
    who he is.
    """
    if share.rank != 0:
        return TCPStore(LOOPBACK, port, share.count, False, SILENCE)
    listener = socket.create_server((LOOPBACK, port))
    return TCPStore(LOOPBACK, port, share.count, True, SILENCE, master_listen_fd=listener.detach())


@contextmanager
def group(share: BatchShare, port: int) -> Iterator[None]:
    """Make this process one of `share.count`, which meet at a port of this machine's loopback."""
    if sys.platform in INTERFACES:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", INTERFACES[sys.platform])
    dist.init_process_group(
        "gloo",
        store=_store(share, port),
        rank=share.rank,
        world_size=share.count,
        timeout=SILENCE,
    )
    try:
        yield
    finally:
        dist.destroy_process_group()
