"""A run that was killed and gone on with ends to the bit as one that nobody interrupted."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from labdiff.config import TrainingOptions, bench_text
from labdiff.errors import JobStoppedError
from labdiff.events import Event
from labdiff.jobs import ExperimentJob, Request
from labdiff.reader import RunFile, read_run
from labdiff.runner import run

OPTIONS = TrainingOptions(
    layer_sets=2,
    image_size=4,
    batch=4,
    offline_steps=3,
    calibrated_steps=3,
    online_steps=6,
    further_steps=0.5,
    generated=4,
    sampler_steps=4,
)
CLOCKS = ("time_s",)
