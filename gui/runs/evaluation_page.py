"""The results of `labdiff evaluate` for a run, as rich text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

from labdiff.errors import UserError
from labdiff.reports.markup import Markup, element, joined, simulated_part, table

FOLDER, FIGURES = "evaluation", "evaluation.json"
PREDICTORS = {
    "odu": "optical denoising unit",
    "identity": "identity",
    "wiener": "Wiener, one map per 100 t",
    "wiener_each_t": "Wiener, each t",
}
Json: TypeAlias = dict[str, Any]
NONE_YET = element(
    "p",
    "Not evaluated yet. ",
    element("b", "Evaluate"),
    " scores the layers on the digital twin: errors by timestep range, and how near generated images are "
    "to real ones. It takes some minutes.",
)


def read_evaluation(run_file: Path) -> str | None:
    """Return the page of the evaluation beside a run file; None if the run was not evaluated.

    Raises:
        UserError: If the evaluation cannot be read.
    """
    path = run_file.parent / FOLDER / FIGURES
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return _page(found) if Path(found["run"]).name == run_file.name else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise UserError(f"{path}: not what 'labdiff evaluate' writes; evaluate again") from None


def _page(found: Json) -> Markup:
    parts = [
        element(
            "p",
            f"On the {found['where']}, seed {found['seed']}, {found['data']}, {found['sampler']}",
        )
    ]
    parts += simulated_part(str(found.get("simulated", "")))
    for kind, title in (("noise_mse", "Noise MSE"), ("clean_mse", "Clean-image MSE")):
        parts += [element("h4", f"{title}, with one standard error"), _errors(found, kind)]
    for images in found["images"]:
        without = _light_off(found, images["features"])
        rows = [
            [
                name,
                element("b", f"{figure['value']:.4g}"),
                f"{figure['low']:.4g} ... {figure['high']:.4g}",
                *([f"{without[name]['value']:.4g}" if name in without else ""] if without else []),
                f"{figure['real']:.4g}",
            ]
            for name, figure in images["figures"].items()
        ]
        heads = ["", "value", f"95 % of {images['resamples']} resamples"]
        heads += ["light off"] if without else []
        heads.append("real images")
        parts += [
            element("h4", f"{images['count']} generated images, {images['features']}"),
            _table([heads, *rows]),
        ]
    parts.append(
        element(
            "p",
            f"The classifier tells apart {found['classifier_task']}: "
            f"{found['classifier_accuracy']:.1%} right on held-out real images.",
        )
    )
    return joined(parts)


def _light_off(found: Json, features: str) -> Json:
    """Return the same figures of images without light; empty in evaluations that had none."""
    for images in found.get("light_off", []):
        if images["features"] == features:
            return dict(images["figures"])
    return {}


def _errors(found: Json, kind: str) -> Markup:
    """Return a table with one row for each timestep range and one column for each predictor."""
    names = list(found["mean_errors"])
    rows: dict[tuple[int, int], list[str]] = {}
    for error in found["errors"]:
        if error[kind] is not None:
            cell = f"{error[kind]:.3g} ± {error[f'{kind}_se']:.1g}"
            rows.setdefault((error["first_t"], error["end_t"]), []).append(cell)
    body = [[f"t = {first} ... {end - 1}", *cells] for (first, end), cells in sorted(rows.items())]
    means = [element("b", f"{found['mean_errors'][name][kind]:.4g}") for name in names]
    heads = [PREDICTORS.get(name, name) for name in names]
    return _table([["", *heads], *body, [element("b", "mean"), *means]])


def _table(rows: list[list[str]]) -> Markup:
    return table(rows, cellpadding="4", cellspacing="0")
