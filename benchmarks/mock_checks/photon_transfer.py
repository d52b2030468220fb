"""Gain, read noise and statistics of the mock's sensor, as EMVA 1288 measures a real one's."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import stats

from benchmarks.claims import claim
from benchmarks.mock_checks.benches import SMALL, bench_geometry, lit
from benchmarks.parts import Outcome, Setting
from drivers.types import Roi
from mock_hardware.geometry import MockGeometry
from mock_hardware.sensor import Sensor
from mock_hardware.settings import MockSettings

EXPOSURES_MS = np.linspace(0.2, 2.4, 12)
NOISE = ("camera.shot_noise", "camera.read_noise_electrons", "camera.pedestal")
MEANS_ELECTRONS = (1.0, 7.0, 29.0, 31.0, 51.0, 90.0, 400.0, 5000.0)


def transfer(
    geometry: MockGeometry, *effects: str, pairs: int
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Return means and variances in counts at 12 exposures, and the configured gain and read noise.

    Variance from differences of equal exposures, so that no fixed pattern counts; means over a region
    in which nothing saturates.
    """
    lab = lit(geometry, MockSettings().only(*effects), seed=11)
    height, width = geometry.camera_shape
    side = min(120, height, width)
    lab.camera.roi = Roi((height - side) // 2, (width - side) // 2, side, side)
    means, variances = [], []
    for exposure_ms in EXPOSURES_MS:
        lab.camera.exposure_ms = float(exposure_ms)
        stack = np.stack([f.pixels for f in lab.camera.get_frames(2 * pairs)]).astype(np.float64)
        means.append(stack.mean() - lab.world.truth.pedestal_counts)
        variances.append(np.mean(np.square(stack[::2] - stack[1::2])) / 2.0)
    if stack.max() >= 2**geometry.camera_bit_depth - 1:
        raise RuntimeError("the longest exposure saturates: no photon transfer can be measured")
    gain = lab.world.truth.electrons_per_count
    return np.array(means), np.array(variances), gain, lab.world.truth.read_noise_electrons / gain


def least_p_value(geometry: MockGeometry, count: int) -> float:
    """Return the smallest p of chi-square tests of the sensor's electrons against Poisson's."""
    lab = lit(geometry, MockSettings().only("camera.shot_noise"))
    truth = dataclasses.replace(lab.world.truth, electrons_per_count=1.0, pedestal_counts=0.0)
    sensor = Sensor(truth, 16, 120_000.0, seed=5)
    height, width = geometry.camera_shape
    least = 1.0
    for number, mean in enumerate(MEANS_ELECTRONS):
        draws = [
            sensor.convert(
                sensor.expose(
                    np.full((height, width), mean, np.float32), Roi(0, 0, height, width), 1.0, n
                )
            )
            for n in range(number * count, (number + 1) * count)
        ]
        found = np.concatenate(draws).ravel()
        spread = 6.0 * np.sqrt(mean)
        values = np.arange(max(0, int(mean - spread)), int(mean + spread) + 3)
        expected = stats.poisson.pmf(values, mean) * found.size
        keep = expected >= 20.0
        seen = np.array([(found == v).sum() for v in values[keep]])
        rest_seen, rest = found.size - seen.sum(), found.size - expected[keep].sum()
        chi2 = np.sum((seen - expected[keep]) ** 2 / expected[keep])
        chi2 += (rest_seen - rest) ** 2 / max(rest, 1.0)
        least = min(least, float(stats.chi2.sf(chi2, keep.sum())))
    return least


def read_noise_p_value(geometry: MockGeometry) -> float:
    """Return p of a Kolmogorov-Smirnov test of the read noise against the normal distribution."""
    lab = lit(geometry, MockSettings().only("camera.read_noise_electrons"))
    lab.laser.emission = False
    lab.world.clock.sleep_s(1.0)
    truth = dataclasses.replace(lab.world.truth, electrons_per_count=0.01, pedestal_counts=30_000.0)
    sensor = Sensor(truth, 16, 20_000.0, seed=6)
    shape = lab.camera.shape
    counts = sensor.convert(
        sensor.expose(np.zeros(shape, np.float32), Roi(0, 0, *shape), 1.0, 1)
    ).astype(np.float64)
    standard = (counts.ravel() - 30_000.0) * 0.01 / truth.read_noise_electrons
    return float(stats.kstest(standard, "norm").pvalue)


def measure(setting: Setting) -> Outcome:
    """Measure gain, read noise and the statistics of both."""
    pairs = setting.amount("pairs of frames an exposure", smoke=2, quick=16, full=16)
    geometry = SMALL if setting.smoke else bench_geometry("mock")
    means, variances, gain, read = transfer(geometry, *NOISE, pairs=pairs)
    # var = mean / K + read^2 + 1/12 of the converter's steps, weighted by the variance's own error.
    slope, offset = np.polyfit(means, variances, 1, w=1.0 / variances)
    found_read = np.sqrt(max(offset - 1.0 / 12.0, 0.0))
    flat_means, flat, *_ = transfer(geometry, *NOISE[1:], pairs=min(pairs, 4))
    flat_slope = np.polyfit(flat_means, flat, 1)[0]
    claims = [
        claim("gain by photon transfer, relative error", abs(1.0 / slope / gain - 1.0), "<= 0.02"),
        claim(
            "read noise by photon transfer, relative error", abs(found_read / read - 1), "<= 0.05"
        ),
        claim(
            "shot noise against Poisson, least p of 8 chi-square tests",
            least_p_value(geometry, 2),
            ">= 0.01",
        ),
        claim("read noise against normal, p of a KS test", read_noise_p_value(geometry), ">= 0.01"),
        claim("slope without shot noise over slope with it", abs(flat_slope / slope), "<= 0.01"),
    ]
    return Outcome(claims)
