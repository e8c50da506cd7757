"""InstEval against lme4 with OpenBLAS and mixedlm: CPU seconds on one thread, and the criterion reached.

Needs R with lme4 on OpenBLAS (Debian: r-cran-lme4, libopenblas0-pthread) and, for mixedlm and pandas,
another Python given by ``--peers``. Which BLAS and LAPACK R really loads is printed, and another than OpenBLAS
fails, as do ratios below the bars.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data" / "noise" / "InstEval.csv"
BARS = {"lme4": 6.0, "mixedlm": 2.0}
INTEGRATED_BAR = 1.5  # times lme4's fit

OURS = """
import csv, json, sys, time
import numpy as np
from evals.noise import Observations, fit
rows = list(csv.DictReader(open(sys.argv[1])))
columns = {name: [row[name] for row in rows] for name in rows[0]}
began = time.process_time()
observations = Observations.from_columns(
    np.array([float(y) for y in columns["y"]]), person=columns["d"], rater=columns["s"],
    project=[f"{a}:{b}" for a, b in zip(columns["dept"], columns["service"])])
posterior = fit(observations, terms=("person", "rater", "project"), prior="flat", hyper=sys.argv[2],
                points=int(sys.argv[3]) or None)
sds = posterior.persons.sd.sum() + posterior.raters.sd.sum()
print(json.dumps({"seconds": time.process_time() - began, "criterion": posterior.criterion,
                  "effective": posterior.engine.effective_points}))
"""

LME4 = """
suppressMessages(library(lme4))
d <- read.csv(commandArgs(TRUE)[1])
for (name in c("s", "d", "dept", "service")) d[[name]] <- factor(d[[name]])
seconds <- function(spent) spent[["user.self"]] + spent[["sys.self"]]
fitted <- system.time(m <- lmer(y ~ 1 + (1|s) + (1|d) + (1|dept:service), d))
sds <- system.time(r <- ranef(m, condVar = TRUE))
cat(sprintf('{"fit": %.4f, "sds": %.4f, "criterion": %.8f, "blas": "%s", "lapack": "%s", "lme4": "%s"}\\n',
            seconds(fitted), seconds(sds), REMLcrit(m), normalizePath(extSoftVersion()[["BLAS"]]),
            La_library(), packageVersion("lme4")))
"""

MIXEDLM = """
import json, sys, time
import pandas as pd
import mixedlm
data = pd.read_csv(sys.argv[1])
data["g"] = data["dept"].astype(str) + ":" + data["service"].astype(str)
for name in ("s", "d", "g"):
    data[name] = data[name].astype(str)
began = time.process_time()
model = mixedlm.lmer("y ~ 1 + (1|s) + (1|d) + (1|g)", data)
print(json.dumps({"seconds": time.process_time() - began, "criterion": float(mixedlm.REMLcrit(model))}))
"""


def run(command: list[str]) -> dict[str, Any]:
    environment = os.environ | {
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "RAYON_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="a Python that has mixedlm and pandas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--points", type=int, default=128)
    options = parser.parse_args()
    if not DATA.is_file():
        sys.exit("InstEval.csv is missing: put the reference data under ../shared/data/noise.")
    if not shutil.which("Rscript"):
        sys.exit("R is missing: install r-cran-lme4 and libopenblas0-pthread.")
    ours, integrated, lme4, mixedlm = [], [], [], []
    with tempfile.NamedTemporaryFile("w", suffix=".R") as script:
        script.write(LME4)
        script.flush()
        for _ in range(options.rounds):
            ours.append(run([sys.executable, "-c", OURS, str(DATA), "mode", "0"]))
            lme4.append(run(["Rscript", script.name, str(DATA)]))
            integrated.append(run([sys.executable, "-c", OURS, str(DATA), "integrated", str(options.points)]))
            if options.peers:
                mixedlm.append(run([options.peers, "-c", MIXEDLM, str(DATA)]))
    return report(ours, integrated, lme4, mixedlm)


def report(ours, integrated, lme4, mixedlm) -> int:
    best = min(found["seconds"] for found in ours)
    fit_only = min(found["fit"] for found in lme4)
    theirs = min(found["fit"] + found["sds"] for found in lme4)
    whole = min(found["seconds"] for found in integrated)
    gap = ours[0]["criterion"] - lme4[0]["criterion"]
    print(f"lme4 {lme4[0]['lme4']} with BLAS {lme4[0]['blas']} and LAPACK {lme4[0]['lapack']}")
    print(f"ours, REML with all sds        {best:7.2f} s CPU   criterion {ours[0]['criterion']:.6f}")
    print(
        f"lme4, with sds                 {theirs:7.2f} s CPU   ratio {theirs / best:5.1f} (bar {BARS['lme4']:g})"
    )
    print(f"lme4, fit only                 {fit_only:7.2f} s CPU   criterion ours minus lme4 {gap:+.1e}")
    print(
        f"ours, integrated               {whole:7.2f} s CPU   {whole / fit_only:5.2f} times lme4's fit "
        f"(bar {INTEGRATED_BAR:g}; 1 is wished for), {integrated[0]['effective']:.0f} effective points"
    )
    good = theirs / best >= BARS["lme4"] and gap <= 1e-6 and whole <= INTEGRATED_BAR * fit_only
    good &= integrated[0]["effective"] >= 100
    if not all("openblas" in lme4[0][name] for name in ("blas", "lapack")):
        print("lme4 does not run on OpenBLAS: install libopenblas0-pthread, or it is no fair peer")
        good = False
    if mixedlm:
        peer = min(found["seconds"] for found in mixedlm)
        print(
            f"mixedlm, fit only              {peer:7.2f} s CPU   ratio {peer / best:5.1f} (bar {BARS['mixedlm']:g})"
        )
        good &= peer / best >= BARS["mixedlm"]
    print("all bars reached" if good else "a bar is not reached")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
