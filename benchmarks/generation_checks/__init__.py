"""What benchmarks/generation.py measures, a part a file."""

import claims as claims  # puts the benchmarks' own folder behind the packages on the path
