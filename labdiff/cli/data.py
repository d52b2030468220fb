"""The commands `labdiff data list | show | get`: which data sets there are, and their images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option(help="Folder of data files (else LABDIFF_DATA, else a folder of this user's)."),
]


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    group = typer.Typer(help="List, show and download data sets.")
    app.add_typer(group, name="data")
    group.callback(invoke_without_command=True)(_list_by_default)
    group.command("list")(_list)
    group.command("show")(_show)
    group.command("get")(_get)


def _list_by_default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        _list()


def _list(data_dir: DataDir = None) -> None:
    """List the data sets known by name: their source, their licence, and whether they are here."""
    import os
    import sys

    from rich.console import Console
    from rich.table import Table

    from labdiff.data.catalogue import ALIASES, DATA_SETS, INCEPTION, SELECTIONS
    from labdiff.data.folder import data_folder, locate

    short = {full: alias for alias, full in ALIASES.items()}
    sets = Table(title="Data", title_justify="left")
    for heading in ("name", "in full", "from", "licence", "here"):
        sets.add_column(heading, overflow="fold")
    for entry in (*DATA_SETS.values(), INCEPTION):
        found = locate(entry, data_dir)
        here = "built in" if not entry.files else found.name if found else "no"
        also = f"\n{short[entry.name]}" if entry.name in short else ""
        sets.add_row(entry.name + also, entry.holds, entry.home, entry.licence, here)
    parts = Table("name", "of", "classes", "image size", "training images", title_justify="left")
    parts.title = "The paper's selections"
    for part in SELECTIONS.values():
        classes = ", ".join(map(str, part.classes)) or "all"
        limit = f"at most {part.limit}" if part.limit else "all"
        side = f"{part.image_size} x {part.image_size}"
        parts.add_row(part.name, part.data_set, classes, side, limit)
    console = Console(width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "110")))
    console.print(sets)
    console.print(parts)
    print(f"data folder: {data_folder(data_dir)}\nget one with: labdiff data get NAME")


def _show(
    name: Annotated[str, typer.Argument(help="Data set, selection, file or folder.")] = "digits",
    image_size: Annotated[
        int | None, typer.Option(help="Image side in cells (else as recommended).", min=2, max=512)
    ] = None,
    classes: Annotated[str, typer.Option(help="Classes, as 0,1,2; empty for all.")] = "",
    data_dir: DataDir = None,
    seed: Annotated[int, typer.Option(help="Seed of the shuffle.", min=0)] = 0,
    white: Annotated[
        int | None,
        typer.Option(help="Count that means white (else the type's largest).", min=0, max=65535),
    ] = None,
    background: Annotated[
        str | None, typer.Option(help="What transparent parts are laid on: white or black.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="PNG file of images, one row for each class."),
    ] = None,
) -> None:
    """Show how many images a data set has of which classes, and a picture of some."""
    import torch

    from labdiff.config.option import integers
    from labdiff.config.training import DataOptions
    from labdiff.data.catalogue import for_training
    from labdiff.data.contact_sheet import write_contact_sheet
    from labdiff.data.image_set import load_images

    size = image_size or for_training(name).image_size
    given = {"background": _ground(background), "white": white}
    options = DataOptions.model_validate({k: v for k, v in given.items() if v is not None})
    images = load_images(
        name,
        size,
        integers(classes, "--classes", "0,1,2"),
        data_dir,
        seed,
        options.white or None,
        options.background,
    )
    print(f"{name}: {images.source}; {size} x {size}")
    print(f"  {images.content}")
    for label in torch.unique(images.train_labels).tolist():
        title = images.class_names[label] if label < len(images.class_names) else ""
        count = int((images.train_labels == label).sum())
        held_out = int((images.test_labels == label).sum())
        shown = f" ({title})" if title and title != str(label) else ""
        print(f"  class {label}{shown}: {count} for training, {held_out} held out")
    if out is not None:
        print(f"wrote {write_contact_sheet(images.train, images.train_labels, out)}")


def _ground(background: str | None) -> str | None:
    """Return what transparent parts are laid on. Raises UserError for anything but white and black."""
    from labdiff.errors import UserError

    if background not in ("white", "black", None):
        raise UserError(f"--background {background}: allowed are white, black")
    return background


def _get(
    name: Annotated[str, typer.Argument(help="mnist, fashion, clock, afhq-cat or inception.")],
    data_dir: DataDir = None,
) -> None:
    """Download a data set, or the Inception weights, and check it; nothing else uses the internet."""
    from rich.console import Console

    from labdiff.data.catalogue import ALIASES, DATA_SETS, INCEPTION
    from labdiff.data.download import download
    from labdiff.data.download_bar import DownloadBars
    from labdiff.data.folder import locate, set_folder
    from labdiff.errors import JobStoppedError, UserError

    entries = {entry.name: entry for entry in (*DATA_SETS.values(), INCEPTION) if entry.files}
    entry = entries.get(ALIASES.get(name, name))
    if entry is None:
        allowed = ", ".join((*entries, *ALIASES))
        raise UserError(f"labdiff data get {name}: cannot be downloaded; allowed are {allowed}")
    folder = set_folder(entry, data_dir)
    found = locate(entry, data_dir)
    if found is not None and folder not in (found, found.parent):
        print(f"{entry.name} is here already: {found}")
        return
    try:
        with DownloadBars(Console(stderr=True)) as bars:
            files = download(entry, folder, bars)
    except KeyboardInterrupt:
        raise JobStoppedError("stopped by the user") from None
    for file in files:
        print(f"{file}  {file.stat().st_size / 1e6:.1f} MB")
    print(
        f"{entry.name}: {entry.holds}; licence {entry.licence}, see {entry.home}; "
        f"SHA-256 right, as published by {entry.checksum_by}"
    )
