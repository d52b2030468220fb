"""A bench of simulated devices, or of simulated ones and a real camera's driver that plays their light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from drivers.absent import AbsentCamera
from drivers.protocols import SLM, Camera, InputModulator, Laser
from labdiff.bench.bench import Bench
from labdiff.bench.compose import OpenedDevices, patch_layout, reconnecting
from labdiff.bench.openers import Opened, camera_opener, mock_slm_opener
from labdiff.bench.snapshot import CombinedState, NotRestorable
from labdiff.config.bench import BenchConfig
from mock_hardware.geometry import MockGeometry

if TYPE_CHECKING:
    from mock_hardware.laboratory import MockLaboratory

MOCK = "mock"
"""Name of the driver of a simulated device."""
IMAGE_FOLDER = "image_folder"
"""Option of camera drivers that can play images; through them simulated light reaches a real driver."""


class MockBench(Bench):
    """A bench with the laboratory in which its devices are simulated, for tests and benchmarks."""

    laboratory: MockLaboratory


def laboratory_of(bench: Bench) -> MockLaboratory:
    """Return the laboratory in which a bench's devices are simulated. Raises TypeError for another."""
    if not isinstance(bench, MockBench):
        raise TypeError(f"{bench.slm.name}: is not simulated")
    return bench.laboratory


def mock_geometry(config: BenchConfig) -> MockGeometry:
    """Return what the bench file tells the mock laboratory."""
    return MockGeometry(
        wavelength_nm=config.source.wavelength_nm,
        pixel_pitch_um=config.slm.pixel_pitch_um,
        panel_shape=config.slm.shape,
        patch_shape=config.cavity.patch_shape,
        patch_top=config.cavity.patch_top,
        patch_lefts=config.cavity.patch_lefts,
        z_gap_mm=config.cavity.z_gap_mm,
        waist_mm=config.source.waist_mm,
        input_kind=config.input.kind,
        camera_shape=config.camera.used_shape,
        camera_pitch_um=config.camera.used_pitch_um,
        camera_bit_depth=config.camera.bit_depth,
        magnification=config.relay.magnification,
        slm_bit_depth=config.slm.bit_depth,
    )


def open_mock_bench(config: BenchConfig, seed: int) -> MockBench:
    """Open a simulated bench. Its hidden imperfections are drawn from the seed."""
    from mock_hardware.laboratory import MockLaboratory

    laboratory = MockLaboratory.create(mock_geometry(config), config.mock, seed)
    plugged_in = _plugged_in(laboratory.slm)
    slm = mock_slm_opener(config, lambda: plugged_in.device)()
    all_mock = config.camera.driver == "mock"
    if all_mock:
        camera: Opened[Camera] = _plugged_in(laboratory.camera)
    else:
        open_camera = _lit_camera(config, laboratory)
        camera = Opened(open_camera(), open_camera)
    opened = OpenedDevices(
        slm=Opened(slm, mock_slm_opener(config, plugged_in.open_again)),
        camera=camera,
        laser=_plugged_in(laboratory.laser),
        dmd=None if laboratory.dmd is None else _plugged_in(laboratory.dmd),
    )
    found = reconnecting(config, opened, laboratory.world.clock, frames_name_patterns=all_mock)
    bench = MockBench(
        patch_layout(config),
        found.devices,
        found.fault_log,
        config.watchdog.saturated_share,
        CombinedState(laboratory, found.states) if all_mock else NotRestorable(),
    )
    bench.laboratory = laboratory
    return bench


def _lit_camera(config: BenchConfig, laboratory: MockLaboratory) -> Callable[[], Camera]:
    """Return what opens a real camera's driver in the laboratory's light."""
    from mock_hardware.light_folder import LightFolder, LitCamera

    open_real = camera_opener(config)

    def open_camera() -> Camera:
        # The emulator wants to see pictures when it is opened.
        folder = LightFolder(Path(config.camera.options[IMAGE_FOLDER]), config.camera.shape)
        real = open_real()
        try:
            return LitCamera(real, laboratory, folder)
        except BaseException:
            real.close()
            raise

    return open_camera


@dataclass(frozen=True, slots=True)
class SimulatedOpeners:
    """What opens the simulated devices of a bench that has real ones too; None for a real device."""

    camera: Callable[[], Camera] | None = None
    slm: Callable[[], SLM] | None = None
    laser: Callable[[], Laser] | None = None
    dmd: Callable[[], InputModulator] | None = None


def simulated_openers(config: BenchConfig, seed: int) -> SimulatedOpeners:
    """Return what opens the devices that a bench file names "mock" beside real ones.

    Args:
        config: The bench file.
        seed: Of the mock's hidden imperfections.
    """
    from mock_hardware.laboratory import MockLaboratory

    laboratory = MockLaboratory.create(mock_geometry(config), config.mock, seed)
    dmd, given = laboratory.dmd, config.camera
    return SimulatedOpeners(
        camera=partial(AbsentCamera, given.shape, given.bit_depth)
        if given.driver == MOCK
        else None,
        slm=mock_slm_opener(config, _plugged_in(laboratory.slm).open_again)
        if config.slm.driver == MOCK
        else None,
        laser=_plugged_in(laboratory.laser).open_again if config.laser.driver == MOCK else None,
        dmd=_plugged_in(dmd).open_again
        if dmd is not None and config.input.driver == MOCK
        else None,
    )


class _Reopenable(Protocol):
    def reopen(self) -> None: ...


M = TypeVar("M", bound=_Reopenable)


def _plugged_in(device: M) -> Opened[M]:
    """Return a mock device, which is the same one when it is opened again."""

    def open_again() -> M:
        device.reopen()
        return device

    return Opened(device, open_again)
