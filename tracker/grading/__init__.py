"""Submissions to benchmarks, and the runs that measure them."""
