"""The same on a bench that hangs on another computer.

There, on the computer in the laboratory:  labdiff bench serve mock-small
Here:                                      python served_bench.py ray://HOST:PORT
"""

import sys

import numpy as np

import labdiff

address = sys.argv[1] if len(sys.argv) > 1 else "ray://127.0.0.1:6379"

# Nobody else can use the bench meanwhile. If this program or the network dies, the laser goes off
# there within two seconds.
with labdiff.open_bench(address) as bench:
    calibration = labdiff.calibrate(bench, needed_only=True, progress=True)
    inputs = np.zeros((1, *bench.layout.patch_shape))
    layers = np.zeros((bench.planes - 1, *bench.layout.patch_shape))
    measured = bench.measure(inputs, layers).intensity

agreement = np.corrcoef(measured.ravel(), calibration.predict(inputs, layers).ravel())[0, 1]
print(f"correlation of the camera there and the twin here: {agreement:.4f}")
