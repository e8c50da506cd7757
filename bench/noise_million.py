"""A million ratings of 100,000 persons: seconds and memory of a mode fit with everybody's sd, and how time grows."""

import argparse
import resource
import sys
import time

import numpy as np

from evals.noise import Observations, fit

PEOPLE_PER_ROW = 0.1
GIGABYTE = 1024**2  # of ru_maxrss, which counts kilobytes
BARS = {1_000: (600.0, 8.0), 3_000: (60.0, 8.0), 10_000: (600.0, 8.0)}  # raters: seconds, gigabytes
GROWTH_BAR = 1.2


def draw(rows: int, raters: int) -> Observations:
    rng = np.random.default_rng(0)
    people = int(rows * PEOPLE_PER_ROW)
    person = np.repeat(np.arange(people), rows // people)
    rater = rng.integers(0, raters, person.size)
    score = rng.normal(0, 0.6, people)[person] + rng.normal(0, 0.4, raters)[rater]
    return Observations.from_columns(score + rng.normal(0, 0.8, person.size), person=person, rater=rater)


def measure(rows: int, raters: int, device: str) -> float:
    observations = draw(rows, raters)
    began = time.perf_counter()
    posterior = fit(observations, terms=("person", "rater"), prior="flat", device=device)
    sds = posterior.persons.sd
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIGABYTE
    found = ", ".join(f"{name} {at.mean:.3f}" for name, at in posterior.sds.items())
    print(
        f"{rows:>9,} rows, {sds.size:>7,} persons, {raters:>6,} raters: {seconds:7.1f} s, {memory:.1f} GB, {found}"
    )
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raters", type=int, action="append", help="default 3000; 10000 takes minutes")
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--growth", action="store_true", help="measure 10,000 to 1,000,000 rows at 1,000 raters"
    )
    options = parser.parse_args()
    good = True
    if options.growth:
        measure(10_000, 1_000, options.device)
        small = measure(10_000, 1_000, options.device)
        large = measure(1_000_000, 1_000, options.device)
        ratio = large / small / 100.0
        print(f"time grows {ratio:.2f} times as fast as rows (bar {GROWTH_BAR:g})")
        good &= ratio <= GROWTH_BAR
    for raters in options.raters or ([] if options.growth else [3_000]):
        seconds = measure(1_000_000, raters, options.device)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIGABYTE
        most_seconds, most_memory = BARS.get(raters, (600.0, 8.0))
        print(f"bars: {most_seconds:g} s, {most_memory:g} GB")
        good &= seconds <= most_seconds and memory <= most_memory
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
