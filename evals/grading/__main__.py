"""``python -m evals.grading``: check a benchmark, grade a submission, inspect a file, compare two results."""

import sys

from evals.grading.commands import main

if __name__ == "__main__":
    sys.exit(main())
