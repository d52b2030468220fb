"""The twin of an archive predicts what the calibrated bench's twin predicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import labdiff
from labdiff.api.stored_twin import stored_twin


def test_there_is_no_twin_before_a_calibration(tmp_path: Path) -> None:
    with pytest.raises(labdiff.UserError, match="calibrate first"):
        stored_twin("mock-small", tmp_path)


@pytest.mark.slow
def test_the_stored_twin_is_the_bench_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    calibration = labdiff.calibrate("mock-small")
    twin = stored_twin("mock-small", calibration.archive.folder)
    rng = np.random.default_rng(0)
    inputs, layers = rng.uniform(0, 6, (2, 60, 60)), rng.uniform(0, 6, (2, 60, 60))
    given = [torch.from_numpy(array.astype(np.float32)) for array in (inputs, layers)]
    with torch.no_grad():
        found = twin(*given).numpy()
    assert np.allclose(found, calibration.predict(inputs, layers), atol=1e-5)
