"""Build the twin and the denoising unit of a bench file."""

from __future__ import annotations

import torch

from labdiff.config.bench import BenchConfig
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from twin.asserted import AssertedDeviations
from twin.denoising_unit import ImageStatistics, OpticalDenoisingUnit, UnitDesign
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.input_layout import InputLayout


def twin_geometry(config: BenchConfig) -> TwinGeometry:
    """Return what the twin knows of a bench file."""
    return TwinGeometry(
        shape=config.cavity.patch_shape,
        layers=config.layers,
        pixel_pitch_m=config.slm.pixel_pitch_um * 1e-6,
        wavelength_m=config.source.wavelength_nm * 1e-9,
        z_gap_m=config.cavity.z_gap_mm * 1e-3,
        waist_m=config.source.waist_mm * 1e-3,
        input_kind=config.input.kind,
        numerical_aperture=config.relay.numerical_aperture,
    )


def asserted_deviations(config: BenchConfig) -> AssertedDeviations:
    """Return how well the bench file knows what it asserts."""
    return AssertedDeviations(
        wavelength=config.source.wavelength_sigma_nm / config.source.wavelength_nm,
        pixel_pitch=config.slm.pixel_pitch_sigma_um / config.slm.pixel_pitch_um,
    )


def build_twin(config: BenchConfig) -> DigitalTwin:
    """Return the bench's twin at data-sheet values."""
    return DigitalTwin(twin_geometry(config))


def build_odu(
    config: BenchConfig,
    options: TrainingOptions,
    statistics: ImageStatistics | None = None,
    prompts: int = 0,
) -> OpticalDenoisingUnit:
    """Return an untrained unit for a bench.

    Args:
        config: the bench file.
        options: of the training.
        statistics: of the training images; the defaults where the unit is loaded from a file.
        prompts: number of classes that can be prompted.

    Raises UserError if images, and the prompt beside them, do not fit the patches.
    """
    if statistics is None and options.clusters > 1:
        empty = torch.zeros(options.clusters, options.image_size, options.image_size)
        statistics = ImageStatistics(cluster_means=empty, cluster_weights=empty[:, 0, 0])
    try:
        return OpticalDenoisingUnit(
            layer_sets=options.all_layer_sets,
            layers=config.layers,
            shape=config.cavity.patch_shape,
            image_shape=(options.image_size, options.image_size),
            design=UnitDesign(
                input_kind=config.input.kind,
                prediction=options.prediction,
                data_layers=options.layers == "data",
                detection=options.detection,
                writing=options.writing,
                soft_cells=options.cells == "soft",
                # With clusters a class is chosen by its clusters, and nothing is written beside images.
                prompts=0 if options.clusters > 1 else prompts,
                tone_curve=options.tone_curve,
            ),
            statistics=statistics,
        )
    except ValueError as error:
        allowed = InputLayout.sizes_that_fit(config.cavity.patch_shape, prompts, options.writing)
        raise UserError(
            f"image_size = {options.image_size}: {error}; "
            f"allowed are {', '.join(map(str, allowed)) or 'none'}"
        ) from None
