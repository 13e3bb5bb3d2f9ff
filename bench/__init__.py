"""The benchmark: `make bench`. What it measures and how to read it: docs/benchmarks.md."""
