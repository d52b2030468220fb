"""Figure 9: input pattern, camera intensity, predicted and true noise, for several timesteps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from matplotlib.figure import Figure
from torch import Tensor

from labdiff.events import JobStarted
from labdiff.generation.denoise import denoise
from labdiff.job import Job
from labdiff.metrics.baselines import WienerDenoiser
from labdiff.metrics.noise_error import noise_mse
from labdiff.reproduce.context import Context
from labdiff.reproduce.drawing import hide_axes
from labdiff.reproduce.recipes import Recipe
from labdiff.reproduce.result import Result, Row, number
from labdiff.reproduce.trained_units import standard_bench, standard_options, trained_unit
from labdiff.session.training_session import TrainingSession

COLUMNS = ("noisy image", "input pattern", "camera intensity", "predicted noise", "true noise")
"""Titles of the columns."""
AVERAGED = 32
"""Number of held-out images over which the error at each timestep is averaged."""


@dataclass(frozen=True, slots=True)
class Figure9Settings:
    """Figure9Settings of figure 9.

    Attributes:
        data: the data set.
        recipe: how the unit is trained.
        t: the timesteps, each of which has a row.
        options: training options that replace the scale's.
    """

    data: str = "mnist-0-2"
    recipe: Recipe = "paper"
    t: tuple[int, ...] = (150, 350, 550, 750, 950)
    options: Mapping[str, object] = field(default_factory=lambda: {"offline_steps": 1500})


PAPER_SETTINGS = Figure9Settings(options={})


def job(context: Context, settings: Figure9Settings | None = None) -> Job[Result]:
    """Show what the unit of figure 3 does at each timestep; it is trained if it is not stored."""
    chosen = settings or context.choose(Figure9Settings(), PAPER_SETTINGS)
    yield JobStarted(context.name, 1)
    options = standard_options(context, chosen.data, chosen.recipe, **chosen.options)
    unit = yield from trained_unit(context, standard_bench(context), options)
    session = unit.session
    wiener = WienerDenoiser(session.images.train, session.schedule)
    rows: list[Row] = []
    lines = []
    for t in chosen.t:
        noisy, noise, steps = _noisy(session, t, context.seed)
        predicted = denoise(session, noisy, steps, "twin")[0]
        lines.append(_pictures(session, noisy, predicted, noise, t))
        pairs = torch.stack([predicted.flatten(), noise.flatten()])
        rows.append(
            {
                "t": t,
                "noise_mse": noise_mse(predicted, noise),
                "correlation": float(torch.corrcoef(pairs)[0, 1]),
                "mse_wiener": noise_mse(wiener(noisy, steps), noise),
            }
        )
    return Result(picture(rows, lines, options.prediction), rows, sentence(rows, chosen))


def _noisy(session: TrainingSession, t: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    clean = session.images.test[:AVERAGED]
    rng = torch.Generator().manual_seed(30_000 + 1000 * seed + t)
    noise = torch.randn(clean.shape, generator=rng)
    steps = torch.full((len(clean),), t)
    return session.schedule.add_noise(clean, noise, steps), noise, steps


def _pictures(
    session: TrainingSession, noisy: Tensor, predicted: Tensor, noise: Tensor, t: int
) -> tuple[Tensor, ...]:
    """Return the pictures of a row, of the first image."""
    layer_set = session.policy.layer_set(t)
    with torch.no_grad():
        inputs, layers = session.calibrated.displayed(*session.odu.encode(noisy[:1], layer_set))
        intensity = session.calibrated.twin(inputs, layers)
    return noisy[0], inputs[0], intensity[0], predicted[0], noise[0]


def picture(rows: list[Row], lines: list[tuple[Tensor, ...]], prediction: str) -> Figure:
    """Draw a row for each timestep; noise and noisy image have one scale, -3 ... 3.

    Args:
        rows: figures of each timestep.
        lines: pictures of each timestep, in the order of COLUMNS.
        prediction: of the unit.
    """
    figure = Figure(figsize=(9.2, 1.75 * len(lines) + 0.5), layout="constrained")
    grid = figure.subplots(len(lines), len(COLUMNS), squeeze=False)
    for axes, row, pictures in zip(grid, rows, lines, strict=True):
        for ax, name, shown in zip(axes, COLUMNS, pictures, strict=True):
            if name == "camera intensity":
                # Speckle has a long tail: a few bright points would leave all else black.
                top = float(shown.quantile(0.995))
                ax.imshow(shown.numpy(), cmap="inferno", vmin=0.0, vmax=top)
            elif name == "input pattern":
                ax.imshow(shown.numpy(), cmap="viridis", interpolation="nearest")
            else:
                ax.imshow(shown.numpy(), cmap="gray", vmin=-3.0, vmax=3.0, interpolation="nearest")
            hide_axes(ax)
            if axes is grid[0]:
                ax.set_title(name, fontsize=10)
        axes[0].set_ylabel(f"t = {row['t']}", fontsize=10)
        axes[3].set_xlabel(f"MSE {number(row['noise_mse']):.2g}", fontsize=9)
    figure.supxlabel(f"on the digital twin; prediction {prediction}", fontsize=9, color="0.35")
    return figure


def sentence(rows: list[Row], settings: Figure9Settings) -> str:
    """Report error and correlation at each timestep."""
    parts = [
        f"t = {row['t']} {number(row['noise_mse']):.2g} (Wiener {number(row['mse_wiener']):.2g}, "
        f"correlation {number(row['correlation']):.2f})"
        for row in rows
    ]
    return (
        f"Noise MSE over {AVERAGED} held-out images of {settings.data}, recipe {settings.recipe!r}, on the "
        f"digital twin: {'; '.join(parts)}. The paper shows the same columns as its bench recorded them, "
        "and prints no number."
    )
