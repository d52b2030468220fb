"""The calibration routines: one for each result that can be archived, in the results' order."""

from __future__ import annotations

import subprocess
import sys

import pytest

from calibration.result_file import RESULT_TYPES
from labdiff.calibrations.names import ROUTINE_NAMES, ROUTINE_TITLES
from labdiff.calibrations.routines import IMAGING, PREDICTION, ROUTINES, routine, with_dependents


def test_every_result_has_its_routine_and_what_it_depends_on_goes_before() -> None:
    assert [each.result for each in ROUTINES] == list(RESULT_TYPES)
    assert tuple(each.name for each in ROUTINES) == ROUTINE_NAMES
    for place, each in enumerate(ROUTINES):
        assert set(each.parents) <= set(ROUTINE_NAMES[:place])
        assert routine(each.name) is each
        assert ROUTINE_TITLES[each.name]


def test_what_reads_and_what_predicts_the_camera() -> None:
    assert IMAGING == ("dark level", "coarse settling", "registration", "exposure", "camera")
    assert PREDICTION == ("phase response", "alignment")


@pytest.mark.parametrize(
    ("name", "dependents", "others"),
    [
        ("camera", {"camera"}, {"exposure", "alignment"}),
        ("coarse settling", {"coarse settling", "settling"}, {"registration", "phase response"}),
        ("phase response", {"phase response", "settling", "alignment"}, {"camera", "exposure"}),
    ],
)
def test_a_new_result_makes_those_that_depend_on_it_stale(
    name: str, dependents: set[str], others: set[str]
) -> None:
    stale = with_dependents([name])
    assert dependents <= stale
    assert not others & stale


def test_names_and_titles_are_read_without_torch() -> None:
    code = "import sys, labdiff.calibrations.names; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
