"""The records of the alignment parameters, and what is derived from them."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from twin import backplane, relay, source
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.parameter_labels import UNIT_SYMBOLS, recorded_label, recorded_unit
from twin.parameter_vector import (
    is_among,
    parameter_vector,
    prior_sigma,
    start_searches,
    value_names,
)
from twin.parameters import (
    ALIGNMENT_PARAMETERS,
    MODULATOR_PARAMETERS,
    PATH_PARAMETERS,
    free_in,
    shown_names,
)

GEOMETRY = TwinGeometry((16, 16), 2, 9.2e-6, 850e-9, 1e-3, 1e-4, "slm_patch")
RECORDS = {p.name: p for p in ALIGNMENT_PARAMETERS}


def test_the_twin_has_the_parameters_of_the_records_in_their_order() -> None:
    twin = DigitalTwin(GEOMETRY)
    assert [name for name, _ in twin.named_parameters()] == list(RECORDS)
    assert all(record.unit in UNIT_SYMBOLS for record in ALIGNMENT_PARAMETERS)
    assert twin.bounce_tilt_mrad.shape == (2, 2) and twin.stroke_percent.shape == (3, 3)
    dmd = DigitalTwin(TwinGeometry((16, 16), 2, 9.2e-6, 850e-9, 1e-3, 1e-4, "dmd"))
    assert dmd.stroke_percent.shape == (2, 3)


def test_numbers_of_terms_are_those_of_the_elements() -> None:
    assert RECORDS["backplane_rad"].shape[1] == len(backplane.TERMS)
    assert RECORDS["aberration_rad"].shape == (len(relay.TERMS),)
    assert RECORDS["source_modes_percent"].shape[0] == len(source.ORDERS)


def test_names_of_archives_and_runs_stay() -> None:
    """Files of earlier versions hold these."""
    names = value_names(DigitalTwin(GEOMETRY))
    assert names[:5] == (
        "z_gap_percent",
        "d_alpha_beam_mrad[0]",
        "d_alpha_beam_mrad[1]",
        "d_alpha_mirror_mrad[0]",
        "d_alpha_mirror_mrad[1]",
    )
    assert len(names) == len(parameter_vector(DigitalTwin(GEOMETRY)))
    recorded = list(DigitalTwin(GEOMETRY).alignment())
    for name in (
        "z_gap_mm",
        "d_alpha_mirror_y_mrad",
        "bounce2_x_mrad",
        "output_shear_yx_percent",
        "source_waist_percent",
        "aberration_rms_rad",
        "ghost_rms_percent",
        "source_modes_rms_percent",
        "stroke_rms_percent",
        "bend_rms_rad",
        "backplane_rms_rad",
    ):
        assert name in recorded
    assert not any("ghost_x" in name or "ghost_mrad" in name for name in recorded)


def test_what_is_shown_without_being_asked_is_in_archives_and_in_runs() -> None:
    twin = DigitalTwin(GEOMETRY)
    archived, recorded = zip(*shown_names(), strict=True)
    assert set(archived) <= set(value_names(twin))
    assert set(recorded) <= set(twin.alignment())
    assert {"z_gap_mm", "d_alpha_beam_x_mrad", "d_alpha_mirror_y_mrad"} <= set(recorded)


def test_every_recorded_name_has_a_label_of_its_own() -> None:
    names = list(DigitalTwin(GEOMETRY).alignment())
    labels = [recorded_label(name) for name in names]
    assert len(set(labels)) == len(names)
    assert not any("_" in words for words in labels)
    assert recorded_label("bounce2_x_mrad") == "tilt at layer 2 x"
    assert recorded_label("z_gap_mm") == "gap" and recorded_unit("z_gap_mm") == "mm"
    assert recorded_label("aberration_rms_rad") == "aberration rms"
    assert recorded_label("a_later_quantity_px") == "a later quantity"
    assert recorded_label("loss") == "loss" and recorded_unit("loss") == ""


def test_phases_of_an_alignment_set_more_and_more_free() -> None:
    coarse, detailed, finest = (free_in(phase) for phase in ("coarse", "detailed", "finest"))
    assert coarse == PATH_PARAMETERS < detailed < finest == set(RECORDS)
    assert MODULATOR_PARAMETERS.isdisjoint(coarse)
    twin = DigitalTwin(GEOMETRY)
    start_searches(twin, "coarse")
    assert float(twin.crosstalk_px) == 0.0
    start_searches(twin, "detailed")
    assert float(twin.crosstalk_px) == pytest.approx(0.2)
    assert float(twin.mirror_edge_px) == 1.0


def test_vectors_follow_the_records() -> None:
    twin = DigitalTwin(GEOMETRY)
    among = is_among(twin, {"d_alpha_beam_mrad", "stroke_percent"})
    assert among.nonzero()[:, 0].tolist() == [
        i for i, name in enumerate(value_names(twin)) if name.startswith(("d_alpha_b", "stroke"))
    ]
    sigma = prior_sigma(twin)
    assert torch.equal(sigma[among].unique(), torch.tensor([1.0, 3.0]))


def test_records_are_read_without_torch() -> None:
    code = "import sys, twin.parameters; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
