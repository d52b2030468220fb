from __future__ import annotations

import json
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from labdiff.errors import UserError
from labdiff.owner import Owner, living_owner


def own_until_told(path: Path, pipe: Connection) -> None:
    """Run in a child: own the file, say so, and wait."""
    with Owner(path, "the run file"):
        pipe.send("owned")
        pipe.recv()


def child(path: Path) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=own_until_told, args=(path, there))
    process.start()
    assert here.recv() == "owned"
    return process, here


def test_a_second_owner_is_refused_with_who_holds_it_and_may_own_it_afterwards(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.h5"
    process, pipe = child(path)
    with pytest.raises(UserError, match=rf"the run file: is in use by .*process {process.pid} on "):
        Owner(path, "the run file")
    owner = living_owner(path)
    assert owner is not None and owner.process == process.pid
    pipe.send("end")
    process.join()
    assert living_owner(path) is None
    with Owner(path, "the run file") as mine:
        assert mine.taken_over is None
        with pytest.raises(UserError, match=f"process {os.getpid()} on"):
            Owner(path, "the run file")


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_an_owner_that_was_killed_owns_nothing_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    process, _ = child(path)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert living_owner(path) is None
    with Owner(path, "the run file") as mine:
        assert mine.taken_over is not None and mine.taken_over.process == process.pid
        assert "process" in mine.taken_over.describe()


def test_an_owner_on_another_computer_counts_while_its_heartbeat_is_fresh(tmp_path: Path) -> None:
    record = {
        "process": 7,
        "computer": "elsewhere",
        "command": "labdiff train",
        "since": "2026-01-01",
    }
    place = tmp_path / ".run.h5.owner"
    place.write_text(json.dumps(record), encoding="utf-8")
    owner = living_owner(tmp_path / "run.h5")
    assert owner is not None and owner.computer == "elsewhere"
    os.utime(place, (1.0, 1.0))
    assert living_owner(tmp_path / "run.h5") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"process": "x"}', '{"process": 1}'])
def test_a_damaged_record_is_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / ".run.h5.owner").write_text(text, encoding="utf-8")
    assert living_owner(tmp_path / "run.h5") is None
    Owner(tmp_path / "run.h5", "the run file").release()


def test_release_may_be_called_twice_and_leaves_no_record(tmp_path: Path) -> None:
    owner = Owner(tmp_path / "run.h5", "the run file")
    owner.release()
    owner.release()
    assert not (tmp_path / ".run.h5.owner").exists()
