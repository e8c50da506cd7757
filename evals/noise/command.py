"""The command line: ``python -m evals.noise fit|next|reliability|simulate|example|pictures``."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evals.noise.asking import Bar, Top
from evals.noise.example import skating_rows
from evals.noise.fitting import fit
from evals.noise.pictures import save_pictures
from evals.noise.posterior import Posterior
from evals.noise.printing import as_json, as_text, fits_of, save_plot
from evals.noise.priors import PRIORS
from evals.noise.reliability import Plan
from evals.noise.simulation import Shape, design_cohort, simulate
from evals.noise.spreadsheet import Files, read_rows, write_rows

BAD_INPUT = 2
MOST_WORKERS = 2
PICTURES = (".svg", ".png", ".pdf")
READ = ("ratings", "credit", "people", "pairs")
WRITTEN = ("json", "plot", "out", "credit_out", "truth")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; bad input is one sentence on standard error and exit code 2."""
    options = make_parser().parse_args(arguments)
    try:
        options.run(options)
    except ValueError as error:
        print(f"error: {_counted(str(error))}", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:
        print(f"error: {error.filename or 'The output'} can't be written: {error.strerror}.", file=sys.stderr)
        return BAD_INPUT
    return 0


def _counted(sentence: str) -> str:
    """Spreadsheets count the header as row 1; here rows are those below it."""
    if sentence.startswith(("Row ", "Credit row ")):
        return sentence.removesuffix(".") + " (rows are counted below the header, empty ones not)."
    return sentence


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evals.noise", description="What noisy ratings say about people."
    )
    commands = parser.add_subparsers(required=True, metavar="fit|next|reliability|simulate|example|pictures")
    for name, run, about in (
        ("fit", run_fit, "estimate everybody's level"),
        ("next", run_next, "which ratings to ask for next"),
        ("reliability", run_reliability, "how many raters and outputs are enough"),
    ):
        command = commands.add_parser(name, help=about, description=about)
        add_fit_options(command)
        command.set_defaults(run=run)
        if name == "fit":
            command.add_argument("--plot", type=Path, metavar="OUT.svg", help="or .png, .pdf")
        if name == "next":
            add_next_options(command)
        if name == "reliability":
            add_reliability_options(command)
    add_simulate(commands.add_parser("simulate", help="draw a cohort", description="draw a cohort"))
    example = commands.add_parser("example", help="write a real cohort: judges of figure skating")
    example.add_argument("--discipline", help="ICE DANCE, LADIES, MEN or PAIRS; without it, all")
    example.add_argument("--out", type=Path, required=True, metavar="RATINGS.csv")
    example.add_argument("--credit-out", type=Path, required=True, metavar="CREDIT.csv")
    example.set_defaults(run=run_example)
    pictures = commands.add_parser("pictures", help="draw the pictures of docs/model.md")
    pictures.add_argument("folder", type=Path)
    pictures.set_defaults(run=lambda options: print(*save_pictures(options.folder), sep="\n"))
    return parser


def add_fit_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("ratings", type=Path, metavar="RATINGS.csv")
    add("--credit", type=Path, metavar="CREDIT.csv", help="columns output, person, share")
    add("--people", type=Path, metavar="FILE", help="people without evidence, one a line")
    add("--covariate", action="append", default=[], metavar="COLUMN")
    add("--column", action="append", default=[], metavar="OURS=THEIRS", type=assignment)
    add("--terms", default=None, help="separated by commas")
    add("--luck", choices=("symmetric", "asymmetric"), default="asymmetric")
    add("--link", choices=("numeric", "ordinal"), default="numeric")
    add("--hyper", choices=("mode", "integrated"), default="integrated")
    add("--prior", choices=PRIORS, default="program")
    add("--reference-sd", type=float)
    add("--noise", choices=("common", "instrument"), default="common")
    add("--rater-noise", choices=("common", "own"), default="common")
    add("--credit-exponent", default="1", metavar="A|estimate", type=exponent)
    add("--credit-norm", choices=("sum", "euclidean"), default="sum")
    add("--form", choices=("independent", "walk"), default="independent")
    add("--at", type=float, help="time at which the level is meant")
    add("--points", type=int, help="least points of the integration")
    add("--seed", type=int, default=0)
    add("--memory", type=float, metavar="GB", help="refuse what would take more; without it, what is free")
    add("--json", type=Path, metavar="OUT.json")


def add_next_options(command: argparse.ArgumentParser) -> None:
    aim = command.add_mutually_exclusive_group(required=True)
    aim.add_argument("--top", type=int, metavar="K", help="the decision is who are the best K")
    aim.add_argument("--bar", type=float, help="the decision is who is above this deviation")
    command.add_argument("--n", type=int, default=5, help="how many ratings to ask for")
    command.add_argument("--pairs", type=Path, metavar="PAIRS.csv", help="candidates: output, rater")


def add_reliability_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--raters", type=int, default=2)
    command.add_argument("--outputs", type=int, default=2)
    command.add_argument("--per-rater", type=int, default=1)
    command.add_argument("--target", type=float, default=0.8)
    command.add_argument("--nested", action="store_true", help="no two people share a rater")


def add_simulate(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    for name, default in (("people", 60), ("raters", 12), ("outputs", 2), ("ratings", 2), ("criteria", 4)):
        add(f"--{name}", type=int, default=default)
    add("--teams", type=float, default=0.3, help="share of outputs by two people")
    add("--sd", action="append", default=[], type=assignment, metavar="TERM=SD")
    add("--mu", type=float, default=3.0)
    add("--seed", type=int, default=0)
    add("--out", type=Path, required=True, metavar="RATINGS.csv")
    add("--credit-out", type=Path, required=True, metavar="CREDIT.csv")
    add("--truth", type=Path, metavar="TRUTH.json")
    command.set_defaults(run=run_simulate)


def assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=VALUE")
    return name, value


def exponent(text: str) -> float | str:
    if text == "estimate":
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor estimate") from None


def posterior_of(options: argparse.Namespace) -> Posterior:
    terms = None if options.terms is None else tuple(name.strip() for name in options.terms.split(","))
    if terms is not None and "person" not in terms:
        raise ValueError("Without the term person nothing is said of anybody: put it among --terms.")
    files = Files(options.ratings, options.credit, options.people, options.covariate, dict(options.column))
    return fit(
        files.observations(),
        terms=terms,
        hyper=options.hyper,
        seed=options.seed,
        points=options.points,
        luck=options.luck,
        link=options.link,
        prior=options.prior,
        reference_sd=options.reference_sd,
        noise=options.noise,
        rater_noise=options.rater_noise,
        credit_exponent=options.credit_exponent,
        credit_norm=options.credit_norm,
        form=options.form,
        at=options.at,
        memory=options.memory,
        workers=min(os.cpu_count() or 1, MOST_WORKERS),
    )


def check_outputs(options: argparse.Namespace) -> None:
    """Refuse before a long fit what could not be written after it, or would take the place of another file."""
    written, read = _paths(options, WRITTEN), _paths(options, READ)
    for path in written:
        if not path.parent.is_dir():
            raise ValueError(f"{path} can't be written: there is no folder {path.parent}.")
        if path.is_dir():
            raise ValueError(f"{path} can't be written: it is a folder.")
    files = [path.resolve() for path in (*written, *read) if not path.is_char_device()]
    for path in written:
        if files.count(path.resolve()) > 1:
            raise ValueError(f"{path} is named for two files: give another name to what is written.")
    plot: Path | None = vars(options).get("plot")
    if plot is not None and plot.suffix.lower() not in PICTURES:
        raise ValueError(f"{plot} is no picture: end its name in {', '.join(PICTURES)}.")


def _paths(options: argparse.Namespace, names: Sequence[str]) -> list[Path]:
    return [path for name in names if isinstance(path := vars(options).get(name), Path)]


def run_fit(options: argparse.Namespace) -> None:
    check_outputs(options)
    posterior = posterior_of(options)
    fits = fits_of(posterior)
    print(as_text(posterior, fits))
    if options.json:
        save_json(options.json, as_json(posterior, fits))
    if options.plot:
        save_plot(posterior, options.plot)


def run_next(options: argparse.Namespace) -> None:
    decision = Top(options.top) if options.top is not None else Bar(options.bar)
    pairs = None
    if options.pairs:
        rows = read_rows(options.pairs)
        if not {"output", "rater"} <= set(rows[0]):
            raise ValueError(f"{options.pairs} lacks the column output or rater: give both.")
        pairs = [(row["output"], row["rater"]) for row in rows]
    check_outputs(options)
    asks = posterior_of(options).next_ratings(decision, pairs=pairs, n=options.n)
    for ask in asks:
        print(f"ask {ask.rater} to rate {ask.output}: expected gain {ask.gain:.4f}")
    if options.json:
        save_json(
            options.json,
            [{"output": str(ask.output), "rater": str(ask.rater), "gain": ask.gain} for ask in asks],
        )


def run_reliability(options: argparse.Namespace) -> None:
    check_outputs(options)
    found = posterior_of(options).reliability(
        options.raters, options.outputs, options.per_rater, target=options.target, nested=options.nested
    )
    print(
        f"{described(found.plan)}: G {found.relative.mean:.2f} ({found.relative.q05:.2f} to {found.relative.q95:.2f}), "
        f"Phi {found.absolute.mean:.2f} ({found.absolute.q05:.2f} to {found.absolute.q95:.2f})"
    )
    best = found.smallest
    print(
        f"smallest design for G of {found.target:g}: "
        + ("none of the designs tried reaches it" if best is None else described(best))
    )
    if options.json:
        small = (
            None
            if best is None
            else {"raters": best.raters, "outputs": best.outputs, "per_rater": best.per_rater}
        )
        save_json(options.json, {"G": vars(found.relative), "Phi": vars(found.absolute), "smallest": small})


def described(plan: Plan) -> str:
    raters, outputs = (
        f"{count} {name}{'s' * (count > 1)}"
        for count, name in ((plan.raters, "rater"), (plan.outputs, "output"))
    )
    return f"{raters}, {outputs}, {plan.per_rater} by each rater"


def run_simulate(options: argparse.Namespace) -> None:
    check_outputs(options)
    shape = Shape(
        options.people, options.raters, options.outputs, options.ratings, options.criteria, options.teams
    )
    if options.seed < 0:
        raise ValueError(f"The seed is {options.seed}: give at least 0.")
    rng = np.random.default_rng(options.seed)
    phi = {"person": 0.6, "rater": 0.4, "output": 0.3, "luck": 0.4, "noise": 0.5, "mu": options.mu}
    phi |= {name: as_number(name, value) for name, value in options.sd}
    template, credit = design_cohort(shape, rng)
    drawn = simulate(template, phi, rng)
    labels = [(name, drawn.observations.columns[name]) for name in ("output", "rater", "instrument")]
    rows = [
        {name: str(column.levels[column.codes[at]]) for name, column in labels}
        | {"score": repr(float(score))}
        for at, score in enumerate(drawn.observations.score)
    ]
    write_rows(options.out, rows)
    write_rows(
        options.credit_out, [{"output": str(o), "person": str(i), "share": repr(s)} for o, i, s in credit]
    )
    if options.truth:
        truth = {"persons": drawn.persons, "raters": drawn.raters, "outputs": drawn.outputs, "phi": phi}
        save_json(options.truth, truth)
    print(f"wrote {len(rows)} scores of {options.people} people to {options.out}")


def run_example(options: argparse.Namespace) -> None:
    check_outputs(options)
    rows, credit = skating_rows(options.discipline)
    write_rows(options.out, rows)
    write_rows(
        options.credit_out, [{"output": str(o), "person": str(i), "share": repr(s)} for o, i, s in credit]
    )
    print(f"wrote {len(rows)} scores to {options.out} (BuzzFeed News, CC BY 4.0)")


def as_number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"--sd {name}={value} is no number: give one, as in --sd person=0.5.") from None


def save_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
