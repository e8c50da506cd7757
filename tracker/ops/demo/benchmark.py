"""The demo's benchmark: handwritten digits, shipped with the science."""

from pathlib import Path

import evals.grading.demo

DIGITS = Path(evals.grading.demo.__file__).parent / "digits"
SLUG = "digits"
