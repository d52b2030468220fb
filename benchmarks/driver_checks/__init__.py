"""Parts of benchmarks/drivers.py, one a file."""
