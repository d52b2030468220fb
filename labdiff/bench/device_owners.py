"""One program at a time uses a device of this computer: a second is refused with who holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack

from drivers.own_process import runtime_folder
from drivers.registry import WITHOUT_ADDRESS
from labdiff.atomic_write import digest
from labdiff.config.bench import BenchConfig
from labdiff.owner import Owner

MOCK = "mock"
"""Driver of simulated devices, of which each program has its own."""


def own_devices(config: BenchConfig) -> ExitStack:
    """Own the real devices of a bench file until what is returned is closed.

    They are the same devices, whatever the bench file that names them: same kind, driver and address (or
    serial number), or the same options where there is neither. Owners are seen by the programs of one user
    on one computer.

    Raises:
        UserError: if another program owns one, with its process, computer and time.
        DeviceNotFoundError: if there is no folder for what owners write.
    """
    with ExitStack() as owners:
        for kind, driver, place, options in _devices(config):
            if driver == MOCK or driver in WITHOUT_ADDRESS:
                continue
            key = place or json.dumps(options, sort_keys=True, default=str)
            path = runtime_folder() / f"{kind}-{digest(f'{driver} {key}')}"
            called = f"{kind} {driver} {place}".rstrip()
            owners.enter_context(Owner(path, f"bench {config.name!r}: {called}"))
        return owners.pop_all()


def _devices(config: BenchConfig) -> list[tuple[str, str, str, Mapping[str, object]]]:
    """Return kind, driver, address and options of each device."""
    devices = [
        ("laser", config.laser.driver, config.laser.address, config.laser.options),
        ("slm", config.slm.driver, config.slm.address, config.slm.options),
        ("camera", config.camera.driver, config.camera.serial, config.camera.options),
    ]
    if config.input.kind == "dmd":
        given = config.input
        devices.append(("dmd", given.driver, given.address, given.options))
    if config.shutter is not None:
        shutter = config.shutter
        devices.append(("shutter", shutter.driver, shutter.address, shutter.options))
    if config.meter is not None:
        meter = config.meter
        devices.append(("meter", meter.driver, meter.address, meter.options))
    return [(kind, driver, place or "", options) for kind, driver, place, options in devices]
