"""Tasks through workers: what is told arrives, a lost worker costs only what it had not told."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labdiff.errors import UserError
from labdiff.workers import ray_runtime as ray_here
from labdiff.workers.choose import chosen_workers
from labdiff.workers.local_processes import LocalWorkers
from labdiff.workers.ray_runtime import has_ray, ray_module
from labdiff.workers.ray_tasks import RayWorkers
from labdiff.workers.task import TRIES, Failed, Task, TaskFailedError, Workers, run_tasks
from tests.support.inline_workers import InlineWorkers


def counting(argument: tuple[int, int]) -> Iterator[int]:
    first, end = argument
    yield from range(first, end)


def mistaken(_: None) -> Iterator[int]:
    yield 1
    raise UserError("batch = 0: allowed is 1 or more")


def broken(_: None) -> Iterator[int]:
    yield 1
    raise ZeroDivisionError("a bug")


def killed_once(argument: tuple[int, Path]) -> Iterator[int]:
    first, mark = argument
    yield first
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    yield first + 1


def test_all_that_tasks_say_arrives_in_each_ones_order() -> None:
    workers = InlineWorkers(2)
    seen = list(
        run_tasks(workers, range(5), lambda key: Task("t", counting, (10 * key, 10 * key + 3)))
    )
    for key in range(5):
        assert [v for k, v in seen if k == key] == [10 * key, 10 * key + 1, 10 * key + 2, None]
    assert workers.most_at_once == 2


def test_a_lost_task_resumes_from_its_last_report() -> None:
    workers, at = InlineWorkers(2, lose=(1, 2)), {key: 0 for key in range(3)}
    seen = []
    for key, value in run_tasks(workers, range(3), lambda key: Task("t", counting, (at[key], 4))):
        if value is not None:
            at[key] = value + 1
            seen.append((key, value))
    assert sorted(seen) == [(key, value) for key in range(3) for value in range(4)]
    assert sorted(workers.begun) == [0, 1, 1, 2]


def test_a_task_that_costs_every_worker_is_given_up() -> None:
    class Losing(InlineWorkers):
        def submit(self, key: int, task: Task) -> None:
            super().submit(key, task)
            self.lose = (key, 0)

    workers = Losing(1)
    with pytest.raises(
        TaskFailedError, match=f"{TRIES} workers were lost at this task, the last one: pulled out"
    ):
        list(run_tasks(workers, [0], lambda _: Task("t", counting, (0, 2))))
    assert len(workers.begun) == TRIES


def test_a_users_mistake_is_one_and_a_bug_is_not() -> None:
    with pytest.raises(UserError, match="batch = 0: allowed is 1 or more"):
        list(run_tasks(InlineWorkers(1), [0], lambda _: Task("t", mistaken, None)))
    with pytest.raises(TaskFailedError, match="ZeroDivisionError: a bug"):
        list(run_tasks(InlineWorkers(1), [0], lambda _: Task("t", broken, None)))


def test_where_failures_are_taken_the_other_tasks_go_on() -> None:
    failures: list[Failed] = []

    def task(key: int) -> Task:
        return Task("t", broken, None) if key == 0 else Task("t", counting, (0, 2))

    seen = list(run_tasks(InlineWorkers(2), range(3), task, failures.append))
    assert [failure.key for failure in failures] == [0]
    assert [pair for pair in seen if pair[0] == 2] == [(2, 0), (2, 1), (2, None)]


KINDS: list[Callable[[], Workers]] = [lambda: LocalWorkers(2), lambda: RayWorkers(2)]


@pytest.mark.parametrize("kind", KINDS, ids=["local", "ray"])
def test_a_killed_process_is_replaced_and_the_others_go_on(
    kind: Callable[[], Workers], tmp_path: Path
) -> None:
    if kind is KINDS[1] and not has_ray():
        pytest.skip("Ray is not installed: pip install 'labdiff[cluster]'")
    if kind is KINDS[1]:
        # The functions of this file go to Ray's workers as they are, who may not find the file.
        ray_module().cloudpickle.register_pickle_by_value(sys.modules[__name__])
    mark, seen, at = tmp_path / "died", [], 5

    def task(key: int) -> Task:
        return Task("t", killed_once, (at, mark)) if key else Task("t", counting, (0, 3))

    with kind() as workers:
        for key, value in run_tasks(workers, [0, 1], task):
            if value is not None:
                seen.append((key, value))
                at = value + 1 if key else at
    assert mark.exists()
    assert [value for key, value in seen if key == 0] == [0, 1, 2]
    after = [value for key, value in seen if key == 1]
    # What was said a moment before the kill may have arrived or not; either way nothing is told twice.
    assert after in ([5, 6, 7], [5, 6])


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(ray_here.importlib, "import_module", missing)
    with pytest.raises(UserError, match=r"pip install 'labdiff\[cluster\]'"):
        ray_module()


def test_what_cannot_be_chosen_is_refused_with_a_message() -> None:
    for count, on, cluster, words in (
        (0, "local", None, "--workers 0: allowed is 1 ... 10000"),
        (2, "cloud", None, "--on cloud: allowed are auto, local, ray"),
        (2, "local", "10.0.0.1:6379", "--cluster 10.0.0.1:6379: is a Ray cluster"),
    ):
        with pytest.raises(UserError, match=words):
            chosen_workers(count, on, cluster)
    assert isinstance(chosen_workers(2, "local"), LocalWorkers)
