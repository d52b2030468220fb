"""Fixtures and settings that all tests share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

# Set before numpy, torch and Qt are imported by anything, and inherited by the processes that tests
# start. One thread a process: small arrays run faster on it, results are the same everywhere, and on
# a busy machine threads that wait for each other burn several times the work's own CPU time.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# Nor are plans measured: what is fastest on a busy machine is chance.
os.environ.setdefault("LABDIFF_PLANS", "off")
# No window is needed to test windows.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest  # noqa: E402
import torch  # noqa: E402

from labdiff.bench import bench_safety  # noqa: E402


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Compute on one thread, also in fixtures of modules."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def runtime_folder() -> Iterator[None]:
    """Let running programs, owners of devices and settings be found in a folder of these tests."""
    # Short: it holds sockets, whose paths have a limit.
    with (
        tempfile.TemporaryDirectory(prefix="ld", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("LABDIFF_RUNTIME", folder)
        patch.setenv("LABDIFF_CONFIG", f"{folder}/settings")
        yield


@pytest.fixture(scope="module")
def few_scored_images() -> Iterator[None]:
    """Score layers on a fifth of the images: where a module does not test how exact scores are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("labdiff.generation.denoise.SCORED_IMAGES", 60)
        yield


@pytest.fixture(autouse=True)
def still_one_thread() -> Iterator[None]:
    """Restore one thread after a test that sets another number."""
    yield
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_laser_in_doubt() -> Iterator[None]:
    """Forget the lasers that a test left in doubt: commands of later tests would warn of them."""
    yield
    bench_safety._MAY_BE_ON.clear()


@pytest.fixture(autouse=True)
def no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the user's data files: the tests pass without them."""
    monkeypatch.delenv("LABDIFF_DATA", raising=False)
