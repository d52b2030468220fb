"""Whether results of a script's own routines are still valid: seen in what they depend on."""

from __future__ import annotations

from collections.abc import Mapping

from calibration.archive import CalibrationArchive, StoredVerdict
from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.calibrations.routine import ValidityFinding

AGAIN = "run the script that measures it again"


def own_findings(
    archive: CalibrationArchive, in_use: Mapping[str, str], findings: Mapping[str, ValidityFinding]
) -> list[ValidityFinding]:
    """Return the findings on the newest results of routines that are none of labdiff's.

    Args:
        archive: that holds them.
        in_use: ids of the results in use, by routine.
        findings: on labdiff's own routines.
    """
    own = archive.newest_of_others(ROUTINE_NAMES)
    found: dict[str, ValidityFinding] = {}
    for name in sorted(own, key=lambda each: own[each].id):  # each after those that it depends on
        found[name] = _judged(name, own, in_use, {**findings, **found})
    return list(found.values())


def _judged(
    name: str,
    own: Mapping[str, StoredVerdict],
    in_use: Mapping[str, str],
    findings: Mapping[str, ValidityFinding],
) -> ValidityFinding:
    stored = own[name]
    if stored.verdict.level == "fail":
        return ValidityFinding(name, "failed", f"the last one failed: {stored.verdict.reason}")
    for parent, number in stored.provenance.parents.items():
        newest = own[parent].id if parent in own else in_use.get(parent)
        if newest != number:
            reason = f"it rests on an earlier {parent} than the one in use; {AGAIN}"
            return ValidityFinding(name, "stale", reason)
        finding = findings.get(parent)
        if finding is not None and finding.state != "fresh":
            reason = f"{parent}, on which it rests, is {finding.state}; {AGAIN}"
            return ValidityFinding(name, "stale", reason)
    return ValidityFinding(name, "fresh", f"{stored.verdict.reason}; what it rests on is valid")
