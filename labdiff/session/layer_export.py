"""Export the layers of a run as a layer file; the images of its training are not needed."""

from __future__ import annotations

from pathlib import Path

from labdiff.config.stored_options import with_unknown_options
from labdiff.errors import UserError
from labdiff.runs.reader import read_run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.checkpoint import checkpoint_of, data_of
from labdiff.session.data_record import DataRecord
from labdiff.session.layer_file import write_unit
from labdiff.session.trained_unit import unit_of_run
from labdiff.session.training_session import images_of


def export_layers(run_file: Path, path: Path, data_dir: Path | None = None) -> None:
    """Write the layers of a run file. Raises UserError if they are not trained to the end.

    Args:
        run_file: the run.
        path: of the layer file.
        data_dir: folder of data files, from which a run of format 1 has its images described.
    """
    run = read_run(run_file)
    trained = unit_of_run(run, data_dir)
    checkpoint = checkpoint_of(run)
    if checkpoint.scalars.get("stage", "offline") == "offline":
        raise UserError(
            f"{run_file}: its layers are not trained to the end (layer set "
            f"{checkpoint.scalars.get('layer_set', 0)} of {trained.options.all_layer_sets}); "
            "resume it first"
        )
    denoiser = trained.denoiser(CalibratedBench(trained.config), trained.options)
    data = data_of(checkpoint, str(run_file))
    if data is None:
        data = DataRecord.of(images_of(trained.options, data_dir), trained.classes)
    options = with_unknown_options(trained.options, run.options_json, f"{run_file}, options")
    write_unit(path, denoiser.odu, data, {"bench": run.bench_text, "options": options})
