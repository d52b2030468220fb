"""Train the layers of an optical denoising unit, then generate images with them."""

import matplotlib.pyplot as plt

import labdiff

# Few steps, so that this ends within half a minute; the defaults make better images.
options = labdiff.TrainingOptions(
    layer_sets=2,
    offline_steps=40,  # on a twin made from the data sheet
    calibrated_steps=20,  # on the twin that was aligned with the bench
    online_steps=10,  # with measured light
    batch=8,
    generated=0,
)
run = labdiff.train("mock-small", out="runs/example", options=options, progress=True)

for stage in ("offline_twin", "calibrated_bench", "online_bench"):
    print(f"noise MSE, {stage}: {run.figures[f'mse_{stage}']:.3f}")
print(f"a bare relay lens would score {run.figures['mse_identity']:.3f}")
print(f"report: {run.write_report()}")

# On the twin; on="mock-small" has the bench generate them by light.
images = labdiff.generate(run, count=16, sampler={"sampler_steps": 20})
print(f"images: {images.shape}, from {images.min():.2f} to {images.max():.2f}")
plt.imsave(
    "generated.png", images.reshape(4, 4, 10, 10).swapaxes(1, 2).reshape(40, 40), cmap="gray"
)
