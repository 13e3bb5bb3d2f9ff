"""The benchmark that `make bench` runs. docs/benchmarks.md says what it measures and how to read it."""
