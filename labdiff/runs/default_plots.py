"""What NeXus programs (h5web, silx, NeXpy) show of a run file at once: its curve, and its pictures.

    /                    NXroot, default = "entry"
    /entry               NXentry, default = "plot_loss"
    /entry/plot_loss     NXdata: the noise MSE over the training steps
    /entry/plot_camera   NXdata: the camera's latest picture
    /entry/plot_images   NXdata: the generated images

Each holds hard links to arrays that stand elsewhere in the file, and takes no room.
"""

from __future__ import annotations

import h5py
import numpy as np

from labdiff.runs.hdf5_tables import row_count

LOSS, CAMERA, IMAGES = "plot_loss", "plot_camera", "plot_images"
ROW = "row"
"""Axis of the loss: the training steps of the whole run; the column "step" begins anew with each method."""
SIGNAL, OTHER_SIGNALS = "twin_mse", ("bench_mse",)


def update_plots(entry: h5py.Group) -> None:
    """Let the plots of an entry show what it now holds; called after each change of its arrays."""
    events = entry["events"]
    if "training" in events and SIGNAL in events["training"]:
        _show_loss(entry, events["training"])
    if "pictures" in entry and "camera" in entry["pictures"]:
        _show_image(entry, CAMERA, entry["pictures/camera"], "Camera, latest picture")
    if "generated" in entry and "images" in entry["generated"]:
        _show_image(entry, IMAGES, entry["generated/images"], "Generated images")
    for name in (LOSS, CAMERA, IMAGES):
        if name in entry:
            entry.attrs["default"] = name
            return


def _show_loss(entry: h5py.Group, table: h5py.Group) -> None:
    plot = _plot(entry, LOSS, "Noise MSE of a batch", SIGNAL)
    others = [name for name in OTHER_SIGNALS if name in table]
    for name in (SIGNAL, *others):
        _link(plot, name, table[name])
    rows = row_count(table)
    if ROW not in plot:
        axis = plot.create_dataset(ROW, (0,), np.int64, maxshape=(None,), chunks=(256,))
        axis.attrs["long_name"] = "training step of the run"
        plot.attrs["axes"] = [ROW]
    before = min(len(plot[ROW]), rows)
    plot[ROW].resize((rows,))
    plot[ROW][before:] = np.arange(before, rows)
    plot.attrs["auxiliary_signals"] = others


def _show_image(entry: h5py.Group, name: str, image: h5py.Dataset, title: str) -> None:
    plot = _plot(entry, name, title, "image")
    _link(plot, "image", image)
    plot.attrs["axes"] = ["."] * image.ndim
    plot.attrs["interpretation"] = "image"


def _plot(entry: h5py.Group, name: str, title: str, signal: str) -> h5py.Group:
    plot = entry.require_group(name)
    if "NX_class" not in plot.attrs:
        plot.attrs["NX_class"] = "NXdata"
        plot.attrs["title"] = title
        plot.attrs["signal"] = signal
    return plot


def _link(plot: h5py.Group, name: str, target: h5py.Dataset) -> None:
    """Let a name in a plot stand for an array; one that was replaced elsewhere is replaced here."""
    if name in plot:
        if plot[name] == target:
            return
        del plot[name]
    plot[name] = target
