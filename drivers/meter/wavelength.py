"""Power meters that know the wavelength for which they convert: a capability beside the reading."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class WavelengthMeter(Protocol):
    """A power meter whose sensor's response depends on the wavelength."""

    @property
    def wavelength_nm(self) -> float:
        """Wavelength for which counts become power."""
        ...
