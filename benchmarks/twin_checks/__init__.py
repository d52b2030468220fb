"""Parts of the benchmarks of the twin."""
