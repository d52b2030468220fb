"""Which routines a bench can be measured with: one that is brought up piece by piece lacks devices."""

from __future__ import annotations

from collections.abc import Iterable

from labdiff.bench.open import require_known_drivers
from labdiff.bench.presence import lacking, listed
from labdiff.calibrations.routines import ROUTINES
from labdiff.config.bench import BenchConfig
from labdiff.errors import UserError


def not_measurable(config: BenchConfig) -> dict[str, str]:
    """Return the routines that a bench cannot measure, by name, each with the device that it needs."""
    lacks = lacking(config)
    found: dict[str, str] = {}
    for each in ROUTINES:
        missing = [lack for lack in lacks if lack.kind in each.needs]
        if missing:
            found[each.name] = f"needs {listed(missing)}"
    return found


def require_measurable(config: BenchConfig, names: Iterable[str], purpose: str) -> None:
    """Refuse what a bench without one of its devices cannot do, before anything is opened.

    Args:
        config: The bench file.
        names: Routines that it takes.
        purpose: What they are for, as "training", for the message.

    Raises:
        UserError: If one cannot be measured; it names routine and device. A driver that there is not is
            named first: with the right one, nothing may be missing.
    """
    missing = not_measurable(config)
    for name in names:
        if name in missing:
            require_known_drivers(config)
            raise UserError(f"bench {config.name!r}: {purpose}: {name!r} {missing[name]}")
