"""What benchmarks/generation.py measures, a part a file."""
