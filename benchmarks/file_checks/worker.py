"""Read the files of a list, one after the other: python -m benchmarks.file_checks.worker LIST.

Prints a JSON line a file. It is a process of its own, so that a file that hangs or eats memory costs
the worker and not the benchmark: the processor time of each file is limited.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from pathlib import Path

from benchmarks.file_checks.readers import outcome
from benchmarks.posix_calls import limit_processor_time, peak_memory_mb

CPU_S = 20
"""Seconds of processor time that one file may take."""


def main() -> None:
    """Read every file of the list, beginning where the arguments say."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    listed = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for number in range(int(sys.argv[2]), len(listed)):
        reader, path = listed[number]
        limit_s = int(time.process_time()) + CPU_S
        limit_processor_time(limit_s)
        began_s = time.process_time()
        result, message = outcome(reader, Path(path))
        row = {
            "number": number,
            "outcome": result,
            "message": message,
            "cpu_s": round(time.process_time() - began_s, 3),
            "peak_mb": int(peak_memory_mb()),
        }
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
