"""What a generation needs to know; plain values, so that it crosses to another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from labdiff.config.option import Value
from labdiff.errors import UserError

STRONGEST_GUIDANCE = 20.0


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """path: a run file or a layer file; the pretrained layers if None. where: twin or bench.

    sampler: options of the sampler by name (`labdiff.config.training.SamplerOptions`), and `device`, if it
    is not left open; all others are those of the file.
    label: the class asked for, with the weight `guidance`.
    calibrations: folder of the bench's stored calibrations; None: all is measured, and nothing stored.
    bench: bench file here, which the file's bench has to be. confirmed: whether a person has said yes to
    the devices of the file's bench.
    """

    path: Path | None = None
    count: int = 16
    where: Literal["twin", "bench"] = "twin"
    seed: int = 0
    label: int | None = None
    guidance: float = 1.0
    calibrations: Path | None = None
    sampler: Mapping[str, Value] = field(default_factory=dict)
    bench: str | None = None
    confirmed: bool = False

    def check(self) -> None:
        """Raise UserError for guidance out of range, or one that does nothing."""
        if not 0.0 <= self.guidance <= STRONGEST_GUIDANCE:
            raise UserError(
                f"--guidance {self.guidance:g}: allowed is 0 ... {STRONGEST_GUIDANCE:g}"
            )
        if self.label is None and self.guidance != 1.0:
            raise UserError(
                f"--guidance {self.guidance:g}: weighs a prompt; ask for a class with --class"
            )
