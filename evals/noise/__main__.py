"""Runs the command line of the noise engine."""

import sys

from evals.noise.command import main

if __name__ == "__main__":
    sys.exit(main())
