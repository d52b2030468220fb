"""Shape light into equal spots: on the digital twin, then with the camera in the loop."""

import labdiff

with labdiff.open_bench("mock-small") as bench:
    labdiff.calibrate(bench, needed_only=True, progress=True)

    # A grid of 5 x 5; an image file or an array (height, width) in its place is a picture.
    spots = labdiff.HologramSpots("5x5")
    options = labdiff.HologramOptions(frames=8, steps=150)
    shaped = labdiff.hologram(bench, spots, options=options, progress=True)

print(f"uniformity by the twin alone:       {shaped.twin_only.uniformity:.3f}")
print(f"uniformity with the camera's help:  {shaped.figures.uniformity:.3f}")
print(f"share of the light in the spots:    {shaped.figures.in_spots:.3f}")

# The pattern of the SLM (radians, and grey levels as png), the frames, and a page that shows them.
shaped.write("spots")
