"""Learn layers with a loop of your own: the value from the bench, the gradient from its twin."""

import matplotlib.pyplot as plt
import torch

import labdiff

STEPS = 30

with labdiff.open_bench("mock-small") as bench:
    calibration = labdiff.calibrate(bench, needed_only=True, progress=True)
    twin = calibration.twin
    height, width = bench.layout.patch_shape

    # The task: send the light into the middle of the output plane.
    wanted = torch.zeros(height, width, dtype=torch.bool)
    wanted[height // 2 - 6 : height // 2 + 6, width // 2 - 6 : width // 2 + 6] = True
    inputs = torch.zeros(1, height, width)
    layers = torch.zeros(bench.planes - 1, height, width, requires_grad=True)
    optimiser = torch.optim.Adam([layers], lr=0.1)

    shares = []
    for _ in range(STEPS):
        modelled = twin(inputs, layers)
        measurement = bench.measure(inputs.numpy(), layers.detach().numpy())
        measured = torch.from_numpy(measurement.intensity)
        # Its value is what was measured; its gradient is that of the twin.
        intensity = modelled + (measured - modelled).detach()
        share = intensity[:, wanted].sum() / intensity.sum()
        optimiser.zero_grad()
        (-share).backward()
        optimiser.step()
        shares.append(share.item())

print(f"light in the middle: {shares[0]:.1%} at first, {shares[-1]:.1%} after {STEPS} steps")
plt.imsave("own_loop.png", measured[0], cmap="inferno")
