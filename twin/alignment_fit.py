"""Find the alignment parameters from what the bench answered to known patterns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from twin.cached_path import CachedPath
from twin.digital_twin import DigitalTwin
from twin.discrepancy import centred
from twin.parameter_vector import is_among, load_parameter_vector, parameter_vector, prior_sigma
from twin.parameters import free_in
from twin.prior import Prior, data_sheet_prior


@dataclass(frozen=True, slots=True)
class Triples:
    """Patterns and answers: inputs (B, h, w), phases (B, N, h, w), intensity (B, h, w).

    valid: (B, h, w), False where the camera was saturated; None if it was nowhere.
    """

    inputs: Tensor
    phases: Tensor
    intensity: Tensor
    valid: Tensor | None = None

    @classmethod
    def joined(cls, parts: Sequence[Triples]) -> Triples:
        """Join the frames of several measurements."""
        columns = zip(*((p.inputs, p.phases, p.intensity) for p in parts), strict=True)
        joined = cls(*(torch.cat(column) for column in columns))
        if all(part.valid is None for part in parts):
            return joined
        return replace(joined, valid=torch.cat([part.valid_pixels for part in parts]))

    def part(self, number: int) -> Triples:
        """Return one of the frames by itself."""
        one = slice(number, number + 1)
        valid = None if self.valid is None else self.valid[one]
        return Triples(self.inputs[one], self.phases[one], self.intensity[one], valid)

    @property
    def valid_pixels(self) -> Tensor:
        """Return where the camera was not saturated, (B, h, w) bool."""
        if self.valid is None:
            return torch.ones_like(self.intensity, dtype=torch.bool)
        return self.valid


@dataclass(frozen=True, slots=True)
class FitStep:
    """One iteration: mean discrepancy before it, covariance of the parameters, 0 where fixed.

    The covariance is (P, P), in the order of `parameter_vector`: the curvature of misfit and prior
    (Fisher information), and between its inverses how far the frames disagree, each with its pull on the
    parameters (Huber's sandwich, by frames). Where the twin errs, or the bench drifts, all pixels of a
    frame err together; to count them as independent would understate the deviations many times.
    measured_share: (P,) share of what is known of each parameter that comes from the frames and not from
    the data sheet, 0 ... 1 (diagonal of the resolution matrix): a small one is a parameter that the
    frames cannot separate from others.
    released, released_sigma: (P,) where the frames and all other priors would have each parameter without
    the prior on itself, and how well they know it; 0 where fixed, and where they tell nothing. explained:
    (P,) share of the misfit that would vanish by that. All to first order, around this iteration.
    """

    iteration: int
    discrepancy: float
    covariance: Tensor
    measured_share: Tensor
    released: Tensor
    released_sigma: Tensor
    explained: Tensor

    @property
    def deviation(self) -> Tensor:
        """Standard deviations (P,)."""
        return self.covariance.diagonal().clamp_min(0.0).sqrt()


DIFFERENCE = 0.005
"""First step of the finite differences, in the parameters' units: mrad, percent, pixels."""
CHANGE = 3e-3
"""Share of an image that later steps change: rounding and curvature then count about alike, and as
little as can be. Parameters that nearly compensate each other need a Jacobian as good as that."""
LONGEST_STEP = 1.5
LEAST_TOLD = 1e-9
"""Share of what is known of a parameter, beside its prior, below which it is rounding: nothing is told."""
OUTLIER = 3.0
"""Medians by which a frame may miss before it counts less."""


def blur(images: Tensor, sigma_px: float) -> Tensor:
    """Return images (B, h, w) after a periodic Gaussian blur by the FFT; sigma 0 returns the images."""
    if sigma_px <= 0.0:
        return images
    height, width = images.shape[-2:]
    rows = torch.fft.fftfreq(height)[:, None]
    columns = torch.fft.rfftfreq(width)[None, :]
    kernel = torch.exp(-2.0 * (torch.pi * sigma_px) ** 2 * (rows.square() + columns.square()))
    result: Tensor = torch.fft.irfft2(torch.fft.rfft2(images) * kernel, s=(height, width))
    return result


def fit_alignment(
    twin: DigitalTwin,
    triples: Triples,
    blur_px: Sequence[float],
    free: Collection[str] = free_in("finest"),
    prior: Prior | None = None,
    damping: float = 1e-2,
    chord: bool = False,
    finer: DigitalTwin | None = None,
) -> Iterator[FitStep]:
    """Fit the twin to frames by Levenberg-Marquardt on normalised, blurred images; yield each iteration.

    Far from the solution only a blurred comparison has a slope that leads there. The tilts of successive
    planes nearly compensate each other, which is a narrow valley for gradient descent (in trials 400 Adam
    steps left 0.8 mrad) and nothing special for a second-order method. The Jacobian is taken by
    finite differences: some hundred parameters, and a forward pass is cheap.

    Args:
        twin: starts where it is, and holds the parameters that were reached at each yield.
        triples: patterns and the bench's answers.
        blur_px: standard deviation of the blur at each iteration, from coarse to fine.
        free: names of the parameters to fit; a crosstalk of 0 (sharp pixels) is left as it is.
        prior: what is known of the parameters; the data sheet if None.
        damping: of the first step, a share of each parameter's curvature; close by, where only what
            nearly compensates each other is left to find, a small one gets there.
        chord: the first iteration's Jacobian serves for all; close by, that is nearly as good a step, for
            the price of one forward pass instead of one a parameter.
        finer: the same twin with more samples a pixel, which is compared with the frames and gets the
            parameters too; the Jacobian stays that of `twin`, for a quarter of the time. A fit that
            explains the frames ends at the same place: what is left has no part along either Jacobian.
    """
    prior = prior or data_sheet_prior(twin)
    theta = parameter_vector(twin)
    sharp = {"crosstalk_px"} if float(twin.crosstalk_px) == 0.0 else set()
    fitted = is_among(twin, set(free) - sharp).nonzero()[:, 0]
    steps = torch.full((len(fitted),), DIFFERENCE)
    path = CachedPath(twin, triples.inputs, triples.phases)
    compared = path
    if finer is not None:
        compared = CachedPath(finer, triples.inputs, triples.phases, with_fields=False)
    for iteration, sigma in enumerate(blur_px):
        misfit = _Misfit(compared, triples, sigma, prior)
        residual = misfit.start(theta)
        if iteration == 0 or not chord:
            coarse = misfit if finer is None else _Misfit(path, triples, sigma, prior)
            modelled = residual if finer is None else coarse.start(theta)
            jacobian = _jacobian(coarse, theta, modelled, fitted, steps)
        steps = CHANGE * len(residual) ** 0.5 / jacobian.norm(dim=0).clamp_min(1e-6)
        steps = steps.clamp(1e-4, 0.05)
        weight = misfit.prior_weight[fitted].double()
        pull = weight * (theta - prior.mean)[fitted].double()
        slope = (jacobian.T @ residual.flatten()).double() + pull
        curvature = (jacobian.T @ jacobian).double() + torch.diag(weight)
        cost = misfit.cost(theta, residual)
        before = theta
        for _ in range(5):
            step = torch.linalg.solve(
                curvature + damping * torch.diag(curvature.diagonal()), -slope
            ).float()
            candidate = theta.index_add(0, fitted, step.clamp(-LONGEST_STEP, LONGEST_STEP))
            if misfit.cost(candidate, misfit.residual(candidate)) < cost:
                theta, damping = candidate, max(damping / 5.0, 1e-6)
                break
            damping *= 6.0
        load_parameter_vector(twin, theta)
        if finer is not None:
            load_parameter_vector(finer, theta)
        inverse = torch.linalg.inv(curvature)
        # What a parameter's own prior leaves of its variance: that of the frames is larger by one over it.
        left = 1.0 - weight * inverse.diagonal()
        told = left > LEAST_TOLD
        left = left.clamp_min(LEAST_TOLD)
        moved = (-(inverse @ slope) + pull * inverse.diagonal()) / left
        disagreement, noise = _spread(jacobian, residual, curvature, cost)
        spread = disagreement + noise
        own = (disagreement.diagonal() / left**2 + noise.diagonal() / left).clamp_min(0.0).sqrt()
        # The frames' own curvature for it, with all others following.
        curved = left / inverse.diagonal()
        explained = torch.zeros(len(theta))
        share = curved * moved**2 / residual.square().sum().clamp_min(1e-20)
        explained[fitted] = (share * told).float()
        released, released_sigma = torch.zeros(len(theta)), torch.zeros(len(theta))
        released[fitted] = ((before[fitted].double() + moved) * told).float()
        released_sigma[fitted] = (own * told).float()
        covariance, measured_share = torch.zeros(len(theta), len(theta)), torch.zeros(len(theta))
        covariance[fitted[:, None], fitted[None, :]] = spread.float()
        by_data_sheet = weight * (prior.sigma / prior_sigma(twin))[fitted].double().square()
        measured_share[fitted] = (1.0 - inverse.diagonal() * by_data_sheet).clamp(0.0, 1.0).float()
        mean_d = 0.5 * float(residual.square().sum()) / len(residual)
        yield FitStep(
            iteration, mean_d, covariance, measured_share, released, released_sigma, explained
        )


def _jacobian(
    misfit: _Misfit, theta: Tensor, residual: Tensor, free: Tensor, steps: Tensor
) -> Tensor:
    """Return the Jacobian (pixels of all frames, free parameters), by finite differences."""
    jacobian = torch.empty(residual.numel(), len(free))
    for column, index in enumerate(free):
        moved = theta.clone()
        moved[index] += steps[column]
        # What was added is not quite the step, in single precision.
        added = moved[index] - theta[index]
        jacobian[:, column] = (misfit.nearby(moved) - residual).flatten() / added
    return jacobian


@dataclass(frozen=True, slots=True)
class Information:
    """What normalised frames tell of all parameters, around the twin as it is.

    curvature (P, P) float64: J^T J of a frame, 0 where fixed. unexplained: variance of a pixel of the
    residual that is left when all free parameters are fitted to these frames. together: how many times
    more the frames pull at the parameters, each by itself, than if the pixels of that were independent.
    """

    curvature: Tensor
    unexplained: float
    together: float


def information(
    twin: DigitalTwin, triples: Triples, residual: Tensor, covariance: Tensor
) -> Information:
    """Find what frames tell of the parameters, by finite differences.

    Args:
        twin: Whose parameters are meant.
        triples: Patterns and frames.
        residual: (B, h, w), of this twin or of a finer one.
        covariance: (P, P) float64, what is known of the parameters before; 0 for what is fixed.
    """
    theta = parameter_vector(twin)
    path = CachedPath(twin, triples.inputs, triples.phases)
    misfit = _Misfit(path, triples, 0.0, data_sheet_prior(twin))
    free = (covariance.diagonal() > 0.0).nonzero()[:, 0]
    among = free[:, None], free[None, :]
    steps = torch.full((len(free),), DIFFERENCE)
    jacobian = _jacobian(misfit, theta, misfit.residual(theta), free, steps)
    load_parameter_vector(twin, theta)
    frames = len(residual)
    curvature = torch.zeros(covariance.shape, dtype=torch.float64)
    curvature[among] = (jacobian.T @ jacobian).double()
    left, variance = residual.flatten(), float(residual.square().mean())
    for _ in range(3):  # the prior's weight depends on how much is left
        known = torch.linalg.inv(covariance[among]) * max(variance, 1e-14)
        step = torch.linalg.solve(
            curvature[among] + known, (jacobian.T @ residual.flatten()).double()
        )
        left = residual.flatten() - jacobian @ step.float()
        variance = float(left.square().mean())
    pulls = torch.einsum("fpk,fp->fk", jacobian.view(frames, -1, len(free)), left.view(frames, -1))
    alone = variance * curvature.diagonal()[free].float() / frames
    together = float((pulls.square().mean(0) / alone.clamp_min(1e-20)).median())
    return Information(curvature / frames, variance, max(together, 1.0))


def frame_curvatures(twin: DigitalTwin, inputs: Tensor, phases: Tensor) -> Tensor:
    """Return J^T J of each normalised frame, (B, P, P) float64, by finite differences around the twin.

    Args:
        twin: whose parameters are meant; it is left as it is.
        inputs: (B, h, w), as displayed.
        phases: (B, N, h, w), as displayed.
    """
    theta = parameter_vector(twin)
    with torch.no_grad():
        triples = Triples(inputs, phases, twin(inputs, phases))
    path = CachedPath(twin, triples.inputs, triples.phases)
    misfit = _Misfit(path, triples, 0.0, data_sheet_prior(twin))
    steps = torch.full((len(theta),), DIFFERENCE)
    every = torch.arange(len(theta))
    jacobian = _jacobian(misfit, theta, misfit.residual(theta), every, steps)
    load_parameter_vector(twin, theta)
    of_frames = jacobian.view(len(inputs), -1, len(theta))
    return (of_frames.mT @ of_frames).double()


def _spread(
    jacobian: Tensor, residual: Tensor, curvature: Tensor, cost: float
) -> tuple[Tensor, Tensor]:
    """Return the two parts of the covariance of the free parameters, as `FitStep` has it, float64.

    They are how far the frames disagree, and the noise of their pixels. The first is that of fits without
    each of the frames (jackknife; MacKinnon and White, 1985): frames that lead a fit are missed little.
    """
    frames = len(residual)
    of_frames = jacobian.view(frames, -1, jacobian.shape[1])
    pulls = torch.einsum("fpk,fp->fk", of_frames, residual.flatten(1)).double()
    others = curvature - (of_frames.mT @ of_frames).double()
    moved = torch.linalg.solve(others if frames > 1 else curvature[None], pulls[:, :, None])[
        :, :, 0
    ]
    noise = 2.0 * cost / max(residual.numel() - jacobian.shape[1], 1)
    disagreement = moved.T @ moved * (max(frames - 1.0, 1.0) / frames)
    return disagreement, torch.linalg.inv(curvature) * noise


def normalised(images: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return images (B, h, w) without their mean, of norm 1 each; 0 where pixels are not valid."""
    without_mean = centred(images, valid)
    norm = without_mean.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None]
    result: Tensor = without_mean / norm
    return result


class _Misfit:
    """What a fit makes small: half the squares of frames' differences, and the prior's.

    The difference of two normalised images has the discrepancy as its half sum of squares. A frame that
    misses by far more than the others do is one that went wrong, and counts less (Huber).
    """

    def __init__(self, path: CachedPath, triples: Triples, sigma: float, prior: Prior) -> None:
        self._path, self._sigma, self._prior = path, sigma, prior
        self._valid = triples.valid
        self._target = self._compared(triples.intensity)
        self._weights = torch.ones(len(triples.intensity), 1, 1)
        self.prior_weight = torch.zeros_like(prior.mean)

    def start(self, theta: Tensor) -> Tensor:
        """Weigh frames and prior by the residual at theta, and return it.

        The prior weighs as much as the data are wrong: it leads while the twin is far off and fades as
        the twin comes to explain the frames.
        """
        residual = self.residual(theta)
        misses = residual.flatten(1).norm(dim=1)
        expected = OUTLIER * misses.median().clamp_min(1e-6)
        self._weights = (expected / misses.clamp_min(1e-6)).clamp(max=1.0)[:, None, None]
        residual = residual * self._weights
        share = self._prior.share * residual.square().sum()
        self.prior_weight = share / self._prior.sigma.square()
        return residual

    def residual(self, theta: Tensor) -> Tensor:
        """Return the residual (B, h, w) at parameters theta."""
        load_parameter_vector(self._path.twin, theta)
        return self._weighted(self._path.intensity())

    def nearby(self, theta: Tensor) -> Tensor:
        """Return what `residual` does at parameters few of which have changed since that was called."""
        load_parameter_vector(self._path.twin, theta)
        return self._weighted(self._path.nearby_intensity())

    def _weighted(self, images: Tensor) -> Tensor:
        return (self._compared(images) - self._target) * self._weights

    def _compared(self, images: Tensor) -> Tensor:
        """Return images as they are compared; saturated pixels are taken out of both before the blur."""
        if self._valid is not None:
            images = images * self._valid
        return normalised(blur(images, self._sigma), self._valid)

    def cost(self, theta: Tensor, residual: Tensor) -> float:
        """Return half the squares of residual and prior."""
        penalty = (self.prior_weight * (theta - self._prior.mean).square()).sum()
        return 0.5 * float(residual.square().sum() + penalty)
