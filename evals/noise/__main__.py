"""Runs the command line of the noise engine."""

import os
import sys

from evals.noise.command import main

THREADS = "OPENBLAS_NUM_THREADS"


def start_again_with_own_threads() -> None:
    """An integration has threads of its own: with those of linear algebra beside them, all of them wait.

    How many linear algebra has is settled when it is loaded, before this module is.
    """
    if THREADS not in os.environ and not any(word.endswith("mode") for word in sys.argv[1:]):
        os.environ[THREADS] = "1"
        os.execv(sys.executable, sys.orig_argv)


if __name__ == "__main__":
    start_again_with_own_threads()
    sys.exit(main())
