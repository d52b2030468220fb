"""Trained units out of files: a layer file or a run file, read without the images of their training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labdiff.config.bench import BenchConfig, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.events import Checkpoint
from labdiff.runs.reader import RunFile, read_run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.checkpoint import checkpoint_of, data_of, load_denoiser, options_of
from labdiff.session.denoiser import Denoiser
from labdiff.session.layer_file import is_layer_file, read_layers
from labdiff.session.models import build_odu
from labdiff.session.training_session import images_of, prompt_classes
from twin.denoising_unit import OpticalDenoisingUnit


@dataclass(frozen=True, slots=True)
class TrainedUnit:
    """A trained unit, its options, and the bench that it was trained for.

    name: of the file. classes: that can be prompted. checkpoint: of a run, whose twin was trained too;
    None for a layer file, which holds no twin.
    """

    name: str
    bench_text: str
    config: BenchConfig
    options: TrainingOptions
    unit: OpticalDenoisingUnit
    classes: tuple[int, ...]
    checkpoint: Checkpoint | None = None

    def denoiser(self, calibrated: CalibratedBench, options: TrainingOptions) -> Denoiser:
        """Return the unit on a bench (or a twin alone) of its bench file.

        options: its own, perhaps with another sampler. Raises UserError if a run's checkpoint is that of
        another program.
        """
        denoiser = Denoiser(calibrated, options, self.unit, self.classes)
        if self.checkpoint is not None:
            load_denoiser(denoiser, self.checkpoint, self.name)
        return denoiser


def read_trained_unit(path: Path, data_dir: Path | None = None) -> TrainedUnit:
    """Read a layer file or a run file.

    data_dir: folder of data files, which some classes are read from. Raises UserError for any other file.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such run file or layer file")
    name = str(path)
    if is_layer_file(path):
        layers = read_layers(path)
        config = parse_bench(layers.bench_text, name)
        classes = layers.classes
        if classes is None:
            classes = _classes(layers.options, data_dir)
        return TrainedUnit(name, layers.bench_text, config, layers.options, layers.unit, classes)
    return unit_of_run(read_run(path), data_dir)


def unit_of_run(run: RunFile, data_dir: Path | None = None) -> TrainedUnit:
    """Return the trained unit of a run, without the images of its training.

    data_dir: folder of data files, which a run of format 1 reads some classes from. Raises UserError if
    the run has no checkpoint, or that of another program.
    """
    name = str(run.path)
    options, config, checkpoint = (
        options_of(run),
        parse_bench(run.bench_text, name),
        checkpoint_of(run),
    )
    data = data_of(checkpoint, name)
    classes = _classes(options, data_dir) if data is None else data.classes
    unit = build_odu(config, options, prompts=len(classes))
    return TrainedUnit(name, run.bench_text, config, options, unit, classes, checkpoint)


def _classes(options: TrainingOptions, data_dir: Path | None) -> tuple[int, ...]:
    """Return the classes that can be prompted, for files that do not state them.

    Images are loaded only if the options do not name them.
    """
    if not options.prompt or options.classes:
        return tuple(sorted(set(options.classes))) if options.prompt else ()
    return prompt_classes(options, images_of(options, data_dir))
