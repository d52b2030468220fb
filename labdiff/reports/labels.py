"""Descriptions of figures and routines by name, which of many are shown, and times as text."""

from __future__ import annotations

from labdiff.events import TrainingStep
from labdiff.runs.training_quantities import layer_set_label

FIGURE_LABELS = {
    "mse_identity": "Identity: standardised x_t, what a bare relay lens would score",
    "mse_wiener": "Wiener: the best linear predictor, per 100 timesteps",
    "mse_offline_twin": "Trained offline (or loaded from a file), run on the ideal twin",
    "mse_offline_bench": "The same layers on the misaligned bench",
    "mse_calibrated_bench": "The same layers after calibration and pre-compensation",
    "mse_retrained_bench": "Trained again on the calibrated twin, on the bench",
    "mse_further_bench": "After as many further steps on the calibrated twin, on the bench",
    "mse_physics_aware_bench": "After physics-aware training (twin fixed, the same frames), on the bench",
    "mse_spsa_bench": "After simultaneous perturbation (light alone, the same frames), on the bench",
    "mse_policy_gradient_bench": "After policy gradients (light alone, the same frames), on the bench",
    "mse_online_bench": "After online learning, on the bench",
    "mse_online_twin": "After online learning, on the aligned twin",
    "discrepancy_before": "Mismatch camera vs. twin (1 - correlation) before calibration",
    "discrepancy_after": "Mismatch camera vs. twin (1 - correlation) at the end",
    "recognised_generated": "Generated images called a digit with confidence above 0.9",
    "recognised_real": "Held-out real images called a digit with confidence above 0.9",
    "recognised_noise": "Pure noise called a digit with confidence above 0.9",
    "recognised_as_asked": "Generated images called the class that the prompt asked for",
    "frames": "Frames measured",
    "seconds": "Duration, s",
}
"""Descriptions of the figures of a run, by name, in the order in which they are shown."""


def loss_note(step: TrainingStep) -> str:
    """Return a step's timesteps and loss, as a multiple of Wiener's: "t 0 ... 199, bench 1.23 x Wiener"."""
    where, mse = ("twin", step.twin_mse) if step.bench_mse is None else ("bench", step.bench_mse)
    loss = f"MSE {mse:.3g}" if not step.wiener_mse else f"{mse / step.wiener_mse:.3g} x Wiener"
    return f"{layer_set_label(step.layer_set, step.first_t, step.end_t)}, {where} {loss}"


def duration(seconds: float) -> str:
    """Return a time as text: "42 s", "3 min 05 s", "2 h 10 min"."""
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
