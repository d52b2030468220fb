"""Parts of benchmarks/online_learning.py, one a file."""
