"""The benchmark of speed: `python -m benchmarks.speed`. See benchmarks/README.md."""
