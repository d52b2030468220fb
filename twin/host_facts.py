"""Which formulas a twin's parameters need, read once: a GPU would be waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from twin.parameters import ALIGNMENT_PARAMETERS, NO_EDGE_PX


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What is 0 in a twin, and need not be computed.

    Attributes:
        open_mirror: no edge of the mirror reaches into the beam.
        straight: the output plane needs no resampling.
        sharp: pixels have no fringing field.
        unbent: the phase response has no error.
    """

    open_mirror: bool
    straight: bool
    sharp: bool
    unbent: bool


class FactsReader:
    """Reads the facts again when a parameter has been written to.

    parameter: returns a twin's parameter by its name.
    """

    def __init__(self, parameter: Callable[[str], Tensor]) -> None:
        self._parameter = parameter
        self._versions: tuple[int, ...] = ()
        self._facts: HostFacts | None = None

    def read(self) -> HostFacts:
        """Return the facts; the parameters are looked at only if one was written to."""
        versions = self._now()
        if self._facts is None or versions != self._versions:
            self._facts, self._versions = self._look(), versions
        return self._facts

    def moved(self) -> None:
        """Take the facts over to parameters that have moved to another device, with their values."""
        self._versions = self._now()

    def _now(self) -> tuple[int, ...]:
        return tuple(self._parameter(record.name)._version for record in ALIGNMENT_PARAMETERS)

    def _look(self) -> HostFacts:
        def zero(name: str) -> bool:
            return not bool(self._parameter(name).detach().any())

        return HostFacts(
            open_mirror=float(self._parameter("mirror_edge_px").detach()) <= NO_EDGE_PX,
            straight=zero("output_shift_px")
            and zero("output_shear_percent")
            and zero("distortion_percent"),
            sharp=zero("crosstalk_px"),
            unbent=zero("stroke_percent") and zero("bend_rad"),
        )
