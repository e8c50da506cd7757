"""The demo's benchmark data; see docs/grading.md for how to copy one."""
