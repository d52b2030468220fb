"""Parts of benchmarks/drivers.py, one a file, each with check(quick) -> list[Claim]."""
