"""Calibrate a bench, then let its digital twin predict what the camera will see."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter

import labdiff

with labdiff.open_bench("mock-small") as bench:
    # Stored results that still hold are used; the others are measured. Without needed_only
    # also what nothing else rests on, such as how long the SLM takes to settle.
    calibration = labdiff.calibrate(bench, needed_only=True, progress=True)

    # A smooth random pattern that was not part of the calibration, in radians.
    rng = np.random.default_rng(1)
    patches = rng.normal(size=(bench.planes, *bench.layout.patch_shape))
    patches = gaussian_filter(patches, sigma=(0, 4, 4))
    patches *= 2.0 / patches.std()
    inputs, layers = patches[:1], patches[1:]  # one input, written by the first patch

    measured = bench.measure(inputs, layers).intensity[0]

predicted = calibration.predict(inputs, layers)[0]
agreement = np.corrcoef(measured.ravel(), predicted.ravel())[0, 1]
print(f"correlation of camera and twin: {agreement:.4f}")
print(f"distance of SLM and mirror: {calibration.twin.alignment()['z_gap_mm']:.3f} mm")

figure, axes = plt.subplots(1, 2)
for ax, image, title in zip(axes, (measured, predicted), ("camera", "twin"), strict=True):
    ax.imshow(image, cmap="inferno")
    ax.set_title(title)
figure.savefig("prediction.png")
