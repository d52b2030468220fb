"""Presets: settings of a bench's devices by name, as readable TOML in the user's own folder.

The pattern of the SLM lies beside it as an array. A preset never switches a laser on.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drivers.types import Roi
from drivers.validation_messages import explain
from labdiff.atomic_write import write_atomically
from labdiff.config.toml_text import parse_toml, read_toml_file
from labdiff.config.user_folder import user_folder
from labdiff.errors import UserError, reading

EXPECTED = "a preset of device settings"
NAME = re.compile(r"[\w][\w +,.=-]{0,59}", re.ASCII)
"""What a preset may be called: it becomes the name of its file."""
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Power = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Place = Annotated[int, Field(ge=0, lt=1 << 20)]
Size = Annotated[int, Field(gt=0, lt=1 << 20)]


class Window(BaseModel):
    """The window of a camera, in raw-sensor pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    top: Place
    left: Place
    height: Size
    width: Size


class DevicePreset(BaseModel):
    """What is set of a bench's devices; None for what the preset leaves as it is.

    pattern: "flat", or "file" for the array beside the preset.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    bench: str
    exposure_ms: Positive | None = None
    gain_db: Finite | None = None
    power_mw: Power | None = None
    pattern: Literal["flat", "file"] | None = None
    roi: Window | None = None

    @property
    def window(self) -> Roi | None:
        """The window of the camera; None if the preset leaves it as it is."""
        return None if self.roi is None else Roi(**self.roi.model_dump())


def preset_folder() -> Path:
    """Return the folder of this user's presets, which may not exist yet."""
    return user_folder() / "presets"


def preset_names() -> list[str]:
    """Return the names of all presets, in alphabetical order."""
    found = (path.stem for path in preset_folder().glob("*.toml"))
    return sorted(name for name in found if NAME.fullmatch(name))


def read_preset(name: str) -> DevicePreset:
    """Return a preset. Raises UserError with file, key and value for what is not understood."""
    path = _path(name, "toml")
    values = parse_toml(read_toml_file(path, EXPECTED), str(path))
    try:
        return DevicePreset.model_validate(values, strict=True)
    except ValidationError as error:
        raise UserError(explain(error, str(path), DevicePreset)) from None


def read_pattern(name: str, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return the pattern of a preset, rad. Raises UserError if it has not the shape (height, width)."""
    path = _path(name, "npy")
    with reading(path, "an array of radians"):
        # Mapped, so that a header that promises terabytes costs nothing.
        found: npt.NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
        if found.shape != shape or found.dtype != np.float32:
            raise UserError(
                f"{path}: {found.dtype} of shape {found.shape}; expected float32 of shape {shape}, that "
                "of the SLM"
            )
        phase_rad = np.array(found, np.float32)
    if not np.isfinite(phase_rad).all():
        raise UserError(f"{path}: has values that are no numbers")
    return phase_rad


def write_preset(name: str, preset: DevicePreset, phase_rad: npt.NDArray[np.floating]) -> Path:
    """Write a preset, in place of one of that name, and return its path.

    Args:
        name: Its name.
        preset: The settings.
        phase_rad: The pattern, (height, width), rad; written only where the preset's pattern is "file".

    Raises:
        UserError: If the name is not allowed, or the file cannot be written.
    """
    path = _path(name, "toml")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if preset.pattern == "file":
            content = io.BytesIO()
            np.save(content, np.ascontiguousarray(phase_rad, np.float32), allow_pickle=False)
            write_atomically(_path(name, "npy"), content.getvalue())
        write_atomically(path, _toml(preset).encode())
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path


def delete_preset(name: str) -> None:
    """Delete a preset. Raises UserError if it cannot be deleted."""
    path = _path(name, "toml")
    try:
        path.unlink()
        _path(name, "npy").unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be deleted: {error.strerror or error}") from None


def _path(name: str, ending: str) -> Path:
    if not NAME.fullmatch(name):
        raise UserError(
            f"preset {name!r}: a name has 1 to 60 letters, digits, spaces and + , . = - _, and begins "
            "with a letter or a digit"
        )
    return preset_folder() / f"{name}.{ending}"


def _toml(preset: DevicePreset) -> str:
    values = preset.model_dump(exclude_none=True)
    window = values.pop("roi", None)
    lines = [f"{key} = {_value(value)}" for key, value in values.items()]
    if window is not None:
        lines += ["", "[roi]", *(f"{key} = {value}" for key, value in window.items())]
    return "\n".join([*lines, ""])


def _value(value: object) -> str:
    if not isinstance(value, str):
        return repr(value)
    shown = value.replace("\\", "\\\\").replace('"', '\\"')
    plain = "".join(c if c.isprintable() else " " for c in shown)
    return f'"{plain}"'
