"""Parts of benchmarks/bench_duty.py."""
