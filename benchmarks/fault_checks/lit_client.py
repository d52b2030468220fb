"""A client that holds a served bench lit: python -m benchmarks.fault_checks.lit_client HOST:PORT."""

from __future__ import annotations

import sys
import time

from labdiff.remote.lease import Lease
from labdiff.remote.ray_connection import RayConnection

if __name__ == "__main__":
    Lease(RayConnection(sys.argv[1])).attach()
    print("lit", flush=True)
    while True:
        time.sleep(60.0)
