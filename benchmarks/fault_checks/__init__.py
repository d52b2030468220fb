"""Parts of benchmarks/faults.py: each module has check(quick) -> list[Claim]."""
