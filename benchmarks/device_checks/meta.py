"""All paths on torch's `meta` device, where a tensor made elsewhere raises, and transfers count."""

from __future__ import annotations

import torch

from benchmarks.claims import Claim, claim
from benchmarks.device_checks.host_transfers import META, host_transfers
from benchmarks.device_checks.steps import DESIGNS, small_session, training_step
from benchmarks.parts import Outcome, Setting
from labdiff.generation.denoise import denoise
from labdiff.metrics.inception import InceptionV3
from labdiff.reproduce.digital_denoisers.architectures import ARCHITECTURES
from labdiff.training.batch_queue import BatchQueue
from labdiff.training.forward_choice import forward_of
from labdiff.training.methods import Method
from labdiff.training.optimiser import LayerOptimiser

METHODS: tuple[Method, ...] = ("offline", "calibrated")


def measure(setting: Setting) -> Outcome:
    """Take a training step and a denoising step in every design, and one of each peer and Inception."""
    every = tuple(DESIGNS)
    designs = setting.amount("designs", smoke=every[:1], quick=every, full=every)
    claims = [_training(design, method) for design in designs for method in METHODS]
    failed = [name for name in designs if not _denoises(name)]
    claims.append(
        claim("meta: designs whose denoising step leaves the device", len(failed), "<= 0")
    )
    claims.append(claim("meta: peers whose training step leaves the device", _peers(), "<= 0"))
    with META:
        network = InceptionV3()
    left = network(torch.empty(2, 28, 28, device=META)).device != META
    claims.append(claim("meta: Inception leaves the device", float(left), "<= 0"))
    setting.leave_out("online refinement and calibration fits: they compute on the CPU")
    return Outcome(claims)


def _training(design: str, method: Method) -> Claim:
    calibrated = method == "calibrated"
    session = small_session(design, calibrated, quantised=calibrated)
    session.move_to(META)
    with forward_of(session, method) as forward:
        optimiser = LayerOptimiser(session.odu, 0, session.options, 0.1, 3)
        queue = BatchQueue(session, forward, optimiser, method)
        # The first step sends what is sent once: the SLM's table, the twin's elements.
        training_step(session, forward, optimiser, queue, 0)
        with host_transfers() as transfers:
            training_step(session, forward, optimiser, queue, 1)
    title = f"host transfers in a {method} training step, {design}"
    return claim(title, len(transfers.found), "<= 0")


def _denoises(design: str) -> bool:
    session = small_session(design, calibrated=True, quantised=True)
    session.move_to(META)
    side = session.options.image_size
    x_t = torch.empty(3, side, side, device=META)
    return denoise(session, x_t, torch.tensor([100, 200, 900]), "twin")[0].device == META


def _peers() -> int:
    """Return how many peers do not stay on the device."""
    left = 0
    for architecture in ARCHITECTURES.values():
        net = architecture((28, 28)).to(META)
        adam = torch.optim.Adam(net.parameters())
        x_t, t = torch.empty(2, 28, 28, device=META), torch.zeros(2, dtype=torch.long, device=META)
        torch.autograd.backward(net(x_t, t).square().mean())
        adam.step()
        left += any(parameter.grad is None for parameter in net.parameters())
    return left
