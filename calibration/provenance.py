"""Where a calibration comes from: devices, settings, the calibrations it rests on, program and time."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Provenance:
    """All that a reader in a year needs to trust or to distrust a result.

    taken_utc: ISO 8601, when it was finished. frames: that it rests on, of which resumed_frames were taken
    before a crash. devices: name (maker, model, serial number) of each kind.
    settings: wavelength_nm, exposure_ms, power_mw and what else was set, units in the names.
    parents: routine to id of the calibrations that it rests on, among them the dark frame's.
    bench_sha256: of the bench file's text. versions: of the programs. simulated: which of the devices
    were, in one sentence; "" if none was.
    """

    routine: str
    taken_utc: str
    frames: int
    seconds: float
    resumed_frames: int = 0
    devices: dict[str, str] = field(default_factory=dict)
    settings: dict[str, float] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    bench_sha256: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    simulated: str = ""

    def to_json(self) -> str:
        """Return it as text, for a file's attribute."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """Read what `to_json` wrote; names of a later version are left out.

        Raises:
            ValueError, TypeError, KeyError or AttributeError: for other text.
        """
        values: dict[str, Any] = json.loads(text)
        known = {field.name for field in fields(cls)}
        found = cls(**{name: value for name, value in values.items() if name in known})
        datetime.fromisoformat(found.taken_utc)
        for name in ("frames", "seconds", "resumed_frames"):
            if not isinstance(getattr(found, name), int | float):
                raise TypeError(f"provenance: {name} is no number")
        if not isinstance(found.simulated, str):
            raise TypeError("provenance: simulated is no text")
        for name in ("devices", "settings", "parents", "versions"):
            if not isinstance(getattr(found, name), dict):
                raise TypeError(f"provenance: {name} is no table")
        return found
