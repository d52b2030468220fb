"""Commands as JSON: which of the engine's a script may send, and how each is read and checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from labdiff.config.training import TrainingOptions
from labdiff.engine import commands as ask
from labdiff.engine.door_messages import Array, Fields
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest

PLAIN: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        ask.Connect,
        ask.Disconnect,
        ask.SetExposure,
        ask.SetGain,
        ask.SetRoi,
        ask.SetOutputRoi,
        ask.AutoExpose,
        ask.SetPower,
        ask.SetEmission,
        ask.SetLive,
        ask.Calibrate,
        ask.Pause,
        ask.Resume,
        ask.Stop,
        ask.SafeState,
    )
}
"""Commands of plain values by name; those with arrays, options or folders are read one by one."""
LEFT_OUT = {
    "Connect": ("calibrations",),
    "SetLive": ("frames_per_s",),
    "SafeState": ("press",),
}
"""What a script cannot say: the window decides it."""
RUN_FOLDER = Path()
"""Folder of a training that a script has asked for: the window puts its own in its place."""


def encode(command: ask.Command) -> tuple[Fields, list[Array]]:
    """Return a command as fields and arrays."""
    name = type(command).__name__
    match command:
        case ask.ShowPhase(phase_rad):
            return {"command": name}, [] if phase_rad is None else [_float32(phase_rad)]
        case ask.ShowInput(field, label):
            return {"command": name, "name": label}, [_float32(field)]
        case ask.Train():
            return {
                "command": name,
                "options": command.options.model_dump(mode="json"),
                "start_from": None if command.start_from is None else str(command.start_from),
                "resume": None if command.resume is None else str(command.resume),
            }, []
        case ask.Generate(request):
            return {
                "command": name,
                "path": None if request.path is None else str(request.path),
                "count": request.count,
                "where": request.where,
                "seed": request.seed,
                "label": request.label,
                "guidance": request.guidance,
                "sampler": dict(request.sampler),
            }, []
    if name not in PLAIN:
        raise UserError(f"{name}: no script may send it")
    values: Fields = {**asdict(command)}
    for left_out in LEFT_OUT.get(name, ()):
        del values[left_out]
    return {"command": name, **values}, []


REQUEST = ("path", "count", "where", "seed", "label", "guidance", "sampler")
"""What a script can say of a request for images."""


def decode(given: Fields, arrays: Sequence[Array]) -> ask.Command:
    """Return the command that a message asks for. Raises UserError for what is not understood."""
    values = dict(given)
    name = values.pop("command", None)
    if not isinstance(name, str):
        raise UserError("command: is missing")
    if name not in ("ShowPhase", "ShowInput") and arrays:
        raise UserError(f"{name}: takes no array")
    match name:
        case "ShowPhase":
            _only(name, values, ())
            return ask.ShowPhase(_picture(name, arrays) if arrays else None)
        case "ShowInput":
            _only(name, values, ("name",))
            return ask.ShowInput(_picture(name, arrays), str(values.get("name", "field"))[:80])
        case "Train":
            _only(name, values, ("options", "start_from", "resume"))
            options = _validated(name, TrainingOptions, values.get("options", {}))
            start, resume = (_path(name, values.get(key)) for key in ("start_from", "resume"))
            return ask.Train(options, RUN_FOLDER, start, resume)
        case "Generate":
            _only(name, values, REQUEST)
            request: GenerationRequest = _validated(name, GenerationRequest, values)
            request.check()
            return ask.Generate(request)
    if name not in PLAIN:
        allowed = ", ".join([*PLAIN, "ShowPhase", "ShowInput", "Train", "Generate"])
        raise UserError(f"command {name!r:.80}: is not known; allowed are {allowed}")
    kind = PLAIN[name]
    _only(name, values, [f.name for f in fields(kind) if f.name not in LEFT_OUT.get(name, ())])
    command: ask.Command = _validated(name, kind, values)
    return command


def _validated(name: str, kind: type[Any], values: object) -> Any:
    try:
        # As JSON, where a list is a tuple and a text a path, but "1" is no number and 1 is not true.
        return TypeAdapter(kind).validate_json(json.dumps(values, allow_nan=False), strict=True)
    except ValueError as error:
        if not isinstance(error, ValidationError):
            raise UserError(f"{name}: a number is not finite") from None
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "value"
        raise UserError(f"{name}: {key} = {first['input']!r:.80}: {first['msg']}") from None


def _only(name: str, values: Fields, allowed: Sequence[str]) -> None:
    unknown = [key for key in values if key not in allowed]
    if unknown:
        raise UserError(
            f"{name}: {unknown[0]!r:.80} is not known; allowed are {', '.join(allowed) or 'none'}"
        )


def _path(name: str, value: object) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise UserError(f"{name}: a path is a text")
    return Path(value)


def _picture(name: str, arrays: Sequence[Array]) -> npt.NDArray[np.float32]:
    if len(arrays) != 1 or arrays[0].ndim != 2:
        raise UserError(f"{name}: takes one array (height, width)")
    picture = _float32(arrays[0])
    if not np.isfinite(picture).all():
        raise UserError(f"{name}: the array has values that are no numbers")
    return picture


def _float32(array: Array) -> npt.NDArray[np.float32]:
    return np.asarray(array, np.float32)
