"""The training options: one record, from which command line, form and options files are made."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from labdiff.config.options_file import flat_options, read_options, training_options
from labdiff.config.training import GROUPS, TrainingOptions, quick_options
from labdiff.data.catalogue import for_training
from labdiff.errors import UserError

STORED = """{
  "data": "digits", "classes": [0, 1, 2], "image_size": 10, "prompt": false, "layer_sets": 5,
  "timestep_edges": [], "layers": "passive", "detection": "cells", "writing": "cells", "cells": "sharp",
  "offline_steps": 500, "further_steps": 0.25, "warm_start": true, "calibrated_steps": 500,
  "online_steps": 100, "overlap": true, "batch": 16, "learning_rate": 0.2, "online_learning_rate": 0.02,
  "phase_pull": 0.3, "prediction": "sample", "seed": 0, "generated": 100, "sampler": "ddim",
  "sampler_steps": 50, "eta": 1.0, "sampler_spacing": "quadratic", "least_t": 0, "temperature": 1.0,
  "contrast": 1.0
}"""
"""Options as run files of the first edition store them."""


def test_each_option_stands_in_one_group_with_a_label_and_a_sentence() -> None:
    options = [option for group in GROUPS for option in group.options]
    assert [option.name for option in options] == list(TrainingOptions.model_fields)
    assert len({option.label for option in options}) == len(options)
    for option in options:
        assert option.description.endswith(".") and len(option.description.split()) >= 6, option
        assert option.label[0].isupper()


def test_stored_options_are_read_and_keep_their_order() -> None:
    stored = TrainingOptions.model_validate_json(STORED)
    assert stored == TrainingOptions(phase_decay=0.3, online_learning_rate=0.02)
    assert TrainingOptions.model_validate(stored.model_dump()) == stored
    written, names = json.loads(stored.model_dump_json(by_alias=True)), json.loads(STORED)
    assert [name for name in written if name in names] == list(names)


def test_the_defaults_are_those_recommended_for_their_data_set() -> None:
    options, recommended = TrainingOptions(), for_training(TrainingOptions().data)
    assert recommended.classes == options.classes
    assert recommended.image_size == options.image_size
    assert quick_options(3) == TrainingOptions(
        seed=3, **quick_options().model_dump(exclude={"seed"})
    )


@pytest.mark.parametrize(
    "text",
    [
        'data = "mnist"\nclasses = [4, 5]\nbatch = 8\nphase_pull = 0.2',
        '[data]\ndata = "mnist"\nclasses = [4, 5]\n[learning]\nbatch = 8\nphase_decay = 0.2',
        'batch = 8\n[data]\ndata = "mnist"\nclasses = [4, 5]\n[learning]\nphase_decay = 0.2',
    ],
)
def test_an_options_file_is_flat_or_grouped(tmp_path: Path, text: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    expected = {"data": "mnist", "classes": (4, 5), "batch": 8, "phase_decay": 0.2}
    assert read_options(path) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bach = 3", "study.toml: bach: unknown key; did you mean 'batch'"),
        (
            "[learning]\nbach = 3",
            r"study.toml, \[learning\]: bach: unknown key; did you mean 'batch'",
        ),
        ("[learn]\nbatch = 3", r"\[learn\]: unknown table; allowed are \[data\], \[unit\]"),
        ("[data]\nbatch = 3", r"\[data\]: batch: stands in the table \[learning\]"),
        ("batch = 0", "study.toml: batch = 0: input should be greater than or equal to 1"),
        (
            '[sampler]\nsampler = "dim"',
            "sampler = 'dim': input should be 'ddim', 'ddpm' or 'paper'",
        ),
        ("batch = 3\n[learning]\nbatch = 4", "study.toml: batch: stands twice"),
    ],
)
def test_mistakes_in_options_name_key_value_and_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        flat_options(tomllib.loads(text), "study.toml")


def test_options_that_contradict_each_other_are_refused_together() -> None:
    assert flat_options({"sampler": "paper", "temperature": 1.2}, "a.toml")
    with pytest.raises(UserError, match=r"a\.toml: temperature 1\.2: ddim's and ddpm's"):
        training_options({"sampler": "paper", "temperature": 1.2}, "a.toml")


def test_a_file_that_is_no_options_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"study\.toml: no such file"):
        read_options(tmp_path / "study.toml")
    (tmp_path / "study.toml").write_text("batch = ", encoding="utf-8")
    with pytest.raises(UserError, match=r"study\.toml: not valid TOML"):
        read_options(tmp_path / "study.toml")
