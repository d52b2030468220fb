"""Parts of benchmarks/house.py: what is counted in the source, a subject a file."""
