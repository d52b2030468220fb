from __future__ import annotations

import pytest
import torch

from labdiff.config.device import VARIABLE, checked_device, wanted_device
from labdiff.config.stored_options import stored_options
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.session.device import CPU, chosen_device, device_description


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "cuda:0", "cuda:11", "mps"])
def test_the_devices_that_can_be_named(name: str) -> None:
    assert checked_device(name) == name
    assert TrainingOptions(device=name).device == name


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:-1", "CPU", "", "cpu:0", "meta"])
def test_another_name_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(UserError, match="device") as raised:
        TrainingOptions(device=name)
    assert "auto, cpu, cuda, cuda:N, mps" in str(raised.value)


def test_the_variable_counts_where_the_option_leaves_it_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "mps")
    assert wanted_device("auto") == "mps"
    assert wanted_device("cpu") == "cpu"
    monkeypatch.setenv(VARIABLE, "tpu")
    with pytest.raises(UserError, match=VARIABLE):
        wanted_device("auto")


def test_auto_is_the_cpu_without_a_gpu(no_gpu: None) -> None:
    assert chosen_device("auto") == CPU


def test_auto_is_the_first_gpu(two_gpus: None) -> None:
    assert chosen_device("auto") == torch.device("cuda", 0)
    assert chosen_device("cuda") == torch.device("cuda", 0)
    assert chosen_device("cuda:1") == torch.device("cuda", 1)
    assert chosen_device("cpu") == CPU


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_a_device_that_is_not_here_is_refused(name: str, no_gpu: None) -> None:
    with pytest.raises(UserError, match=f"device {name}") as raised:
        chosen_device(name)
    assert "allowed are auto, cpu (option device, or LABDIFF_DEVICE)" in str(raised.value)


def test_a_gpu_beyond_the_last_one_is_refused(two_gpus: None) -> None:
    with pytest.raises(UserError, match=r"cuda:2.*2 NVIDIA GPUs.*cuda:1"):
        chosen_device("cuda:2")


def test_the_cpu_is_described() -> None:
    assert device_description(CPU).startswith("cpu (")


def test_a_file_leaves_the_device_open_again() -> None:
    """What computed it may not be where it is read."""
    assert stored_options('{"device": "cuda:3", "batch": 7}', "a file").device == "auto"
