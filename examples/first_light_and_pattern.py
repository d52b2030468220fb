"""First light: show two patterns on the SLM, look at them with the camera."""

import matplotlib.pyplot as plt

import labdiff

# The laser goes on here. At the end of the block, whatever happens in it, it goes off,
# the SLM is flattened and the devices are closed. For your own bench: open_bench("bench.toml").
with labdiff.open_bench("mock-small") as bench:
    # Patches of the SLM in the order in which light meets them, (patches, height, width) in radians.
    bench.camera.exposure_ms = 0.1
    flat = bench.layout.flat()
    bench.show(flat)
    before = bench.camera.get_frame().pixels

    # A lens on the last patch focuses the light on the middle of the camera's image.
    height, width = bench.layout.patch_shape
    lens = flat.copy()
    lens[-1] = bench.layout.lens((height - 1) / 2, (width - 1) / 2)
    bench.show(lens)
    after = bench.camera.get_frame().pixels

print(f"brightest pixel: {before.max()} counts when flat, {after.max()} with the lens")
plt.imsave("focus.png", after, cmap="inferno")
