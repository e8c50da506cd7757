"""``cohort_a`` beside NumPyro's NUTS: how near the long chain, and seconds to 1,000 effective draws of every sd.

The long chain comes with the reference data. NUTS runs in another Python (``--peers``) that has numpyro;
its seconds are scaled to 1,000 effective draws of the slowest sd, with and without compilation.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

# Fits have threads or processes of their own: with those of linear algebra beside them they would only wait.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np

from evals.noise import Observations, fit

DATA = Path(__file__).parents[2] / "shared" / "data" / "noise"

NUTS = """
import csv, json, sys, time
import numpy as np
import jax, jax.numpy as jnp, numpyro, numpyro.distributions as dist
from numpyro.diagnostics import effective_sample_size
from numpyro.infer import MCMC, NUTS
jax.config.update("jax_enable_x64", True)
folder = sys.argv[1]
rows = list(csv.DictReader(open(folder + "/cohort_a_ratings.csv")))
credit = list(csv.DictReader(open(folder + "/cohort_a_credit.csv")))
output, rater, criterion = (np.array([int(r[k]) for r in rows]) for k in ("output", "rater", "criterion"))
score = np.array([float(r["score"]) for r in rows])
share = np.zeros((120, 60))
for line in credit:
    share[int(line["output"]), int(line["person"])] = float(line["credit"])

def model():
    names = ("person", "rater", "output", "luck", "noise")
    sds = {name: numpyro.sample("sd_" + name, dist.Exponential(3.0)) for name in names}
    mu = numpyro.sample("mu", dist.ImproperUniform(dist.constraints.real, (), (2,)))
    theta = numpyro.sample("theta", dist.Normal(0, 1).expand([60])) * sds["person"]
    b = numpyro.sample("b", dist.Normal(0, 1).expand([12])) * sds["rater"]
    v = numpyro.sample("v", dist.Normal(0, 1).expand([120])) * sds["output"]
    a = numpyro.sample("a", dist.Exponential(1.0).expand([120])) * sds["luck"]
    q = share @ theta + v - (a - sds["luck"])
    numpyro.sample("y", dist.Normal(mu[criterion] + q[output] + b[rater], sds["noise"]), obs=score)

def run(seed):
    mcmc = MCMC(NUTS(model), num_warmup=1000, num_samples=2000, num_chains=1, progress_bar=False)
    began = time.perf_counter()
    mcmc.run(jax.random.PRNGKey(seed))
    draws = mcmc.get_samples(group_by_chain=True)
    least = min(float(effective_sample_size(np.asarray(draws[k]))) for k in draws if k.startswith("sd_"))
    return mcmc, time.perf_counter() - began, least

mcmc, first, least = run(0)
began = time.perf_counter()
mcmc.run(jax.random.PRNGKey(1))
mcmc.get_samples()["mu"].block_until_ready()
print(json.dumps({"with": first, "without": time.perf_counter() - began, "effective": least}))
"""


def cohort() -> Observations:
    rows = list(csv.DictReader((DATA / "cohort_a_ratings.csv").open()))
    credit = list(csv.DictReader((DATA / "cohort_a_credit.csv").open()))
    return Observations.from_columns(
        [float(row["score"]) for row in rows],
        output=[int(row["output"]) for row in rows],
        rater=[int(row["rater"]) for row in rows],
        instrument=[row["criterion"] for row in rows],
        credit=[(int(line["output"]), int(line["person"]), float(line["credit"])) for line in credit],
        people=range(60),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="a Python that has numpyro")
    options = parser.parse_args()
    if not DATA.is_dir():
        sys.exit("The reference data are missing: put them under ../shared/data/noise.")
    began = time.perf_counter()
    posterior = fit(
        cohort(),
        terms=("person", "rater", "output"),
        luck="asymmetric",
        hyper="integrated",
        prior="pc",
        reference_sd=1.0,
        beside=False,
    )
    seconds = time.perf_counter() - began
    chain = json.loads((DATA / "cohort_a_nuts.json").read_text())["skew"]["theta"]
    away = np.abs(posterior.persons.mean - np.array(chain["mean"])) / np.array(chain["sd"])
    print(
        f"means of persons off the long chain by {np.quantile(away, 0.95):.3f} sd at 95 %, {away.max():.3f} at most"
    )
    print(f"ours: {seconds:.1f} s, {posterior.engine.effective_points:.0f} effective points")
    good = bool(np.quantile(away, 0.95) < 0.1 and away.max() < 0.15)
    if options.peers:
        done = subprocess.run([options.peers, "-c", NUTS, str(DATA)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"NUTS failed: {done.stderr.strip().splitlines()[-1]}")
        found = json.loads(done.stdout.strip().splitlines()[-1])
        scale = 1000 / found["effective"]
        for name in ("with", "without"):
            whole = (
                found["with"] + (scale - 1) * found["without"] if name == "with" else scale * found["without"]
            )
            print(
                f"NUTS to 1,000 effective draws {name} compilation: {whole:.1f} s, ratio {whole / seconds:.1f}"
            )
            good &= name == "without" or whole > seconds
    print("all bars reached" if good else "a bar is not reached")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
