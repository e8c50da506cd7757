"""The command line of grading: exit 0 done, 3 refused, 1 our fault."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from evals.grading.benchmarks import LARGEST_SEED, Benchmark, load_benchmark
from evals.grading.claims import check_claims, check_known, parse_claims
from evals.grading.inputs import read_columns, read_features
from evals.grading.intake import inspect_artifact
from evals.grading.phases import PHASES, GradeRequest, PhaseResult, run_phase
from evals.grading.refusals import ChildCrashed, Refused
from evals.grading.reports import as_json, out, show
from evals.grading.scoring import Scorer, ScorerFault
from evals.grading.strict_json import parse_json

DONE, FAULT, REFUSED = 0, 1, 3
console = Console(stderr=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    try:
        check_place(options.json)
        return int(options.run(options))
    except Refused as error:
        write_json(options.json, {"code": error.code, "message": error.message})
        say("refused", f"{error.code}: {error.message}")
        return REFUSED
    except FileNotFoundError as error:
        say("failed", f"There is no file {error.filename}.")
        return FAULT
    except (ValueError, OSError, ChildCrashed, ScorerFault) as error:
        say("failed", str(error))
        return FAULT


def say(how: str, what: str) -> None:
    """One line, however long, and in it nothing that a name could turn into colours."""
    console.print(f"[red]{how}[/] {escape(what)}", highlight=False, soft_wrap=True)


def check_place(path: Path | None) -> None:
    """Say before anything is computed that its result could not be written."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise ValueError(f"{path} cannot be written: name a file in a folder that exists.")


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="python -m evals.grading", description=__doc__)
    commands = top.add_subparsers(required=True)
    for name, run in (("check", check), ("grade", grade), ("inspect", inspect), ("compare", compare)):
        command = commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("--json", type=Path, help="also write the result as JSON to this file")
        ARGUMENTS[name](command)
    return top


def check_arguments(command: argparse.ArgumentParser) -> None:
    """Options of check."""
    command.add_argument("benchmark", type=Path)


def grade_arguments(command: argparse.ArgumentParser) -> None:
    """Options of grade."""
    command.add_argument("benchmark", type=Path)
    command.add_argument("artifact", type=Path)
    command.add_argument("--claims", type=Path, help="a JSON list of claims to check")
    command.add_argument("--training", type=Path, help="declared training data: is the benchmark in it?")
    command.add_argument("--phase", choices=PHASES, action="append", help="only these phases, in order")
    command.add_argument("--device", choices=("cpu", "cuda"), default="")
    command.add_argument("--seed", type=seed, help="a whole number that draws start from")


def seed(text: str) -> int:
    """A whole number that draws can start from."""
    if not text.isdecimal() or int(text) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"the seed must be a whole number from 0 to {LARGEST_SEED}")
    return int(text)


def inspect_arguments(command: argparse.ArgumentParser) -> None:
    """Options of inspect."""
    command.add_argument("path", type=Path)
    command.add_argument("--benchmark", type=Path, help="also check expected ids, classes and shapes")


def compare_arguments(command: argparse.ArgumentParser) -> None:
    """Options of compare."""
    command.add_argument("first", type=Path)
    command.add_argument("second", type=Path)


ARGUMENTS = {
    "check": check_arguments,
    "grade": grade_arguments,
    "inspect": inspect_arguments,
    "compare": compare_arguments,
}


def check(options: argparse.Namespace) -> int:
    """Say whether a benchmark folder is in order."""
    from evals.grading.hidden import load_hidden

    benchmark = load_benchmark(options.benchmark)
    load_hidden(benchmark)
    check_architectures(benchmark)
    repeated = repeated_inputs(benchmark)
    facts = {
        "name": benchmark.name,
        "version": benchmark.version,
        "hash": benchmark.content_hash,
        "items": len(benchmark.ids),
        "repeated_inputs": repeated,
    }
    write_json(options.json, facts)
    if repeated and not benchmark.data.cluster:
        console.print(
            f"{repeated} inputs occur more than once: declare a cluster column, or errors come out too small."
        )
    out.print(f"{benchmark.name} {benchmark.version}: in order, {len(benchmark.ids)} items.", highlight=False)
    return DONE


def repeated_inputs(benchmark: Benchmark) -> int:
    """How many inputs are copies of another, apart from their ids."""
    columns = read_columns(benchmark.inputs_path, benchmark.limits)
    rest = [column for name, column in columns.items() if name != "id"]
    rows = [str([np.asarray(column[row]).tolist() for column in rest]) for row in range(len(benchmark.ids))]
    return len(rows) - len(set(rows)) if rest else 0


def check_architectures(benchmark: Benchmark) -> None:
    """Every declared architecture takes the inputs and answers for every class."""
    if not benchmark.architectures:
        return
    import torch

    from evals.grading.networks import build

    features = read_features(benchmark.inputs_path, benchmark.limits, scale=benchmark.data.scale)
    for declared in benchmark.architectures:
        try:
            answered = build(declared).eval()(torch.from_numpy(features[:2]))
        except RuntimeError as error:
            raise ValueError(f"The architecture {declared.name} does not take the inputs' shape.") from error
        if answered.shape != (len(features[:2]), len(benchmark.classes)):
            raise ValueError(f"The architecture {declared.name} must answer for every class.")


def inspect(options: argparse.Namespace) -> int:
    """Say what a file or folder is, or why it is refused; runs only the safe intake."""
    benchmark = load_benchmark(options.benchmark) if options.benchmark else None
    artifact = inspect_artifact(options.path, benchmark=benchmark)
    write_json(options.json, asdict(artifact))
    out.print(f"{artifact.format}, {artifact.bytes} bytes", highlight=False)
    for name, fact in artifact.facts.items():
        out.print(f"  {name}: {fact}", highlight=False, markup=False)
    return DONE


def grade(options: argparse.Namespace) -> int:
    """Grade a submission and print its measurements."""
    benchmark = load_benchmark(options.benchmark)
    claims = (
        parse_claims(parse_json(options.claims.read_bytes(), code="bad-claims")) if options.claims else []
    )
    check_known(claims, benchmark)
    if options.training:
        options.training.stat()  # a name that is wrong is told before anything is graded
    request = GradeRequest(
        benchmark, options.artifact, seed=options.seed, device=options.device, training=options.training
    )
    results = run_phases(request, options.phase or PHASES)
    measurements = [row for result in results for row in result.measurements]
    checked = check_claims(claims, measurements)
    write_json(options.json, as_json(results, checked))
    show(benchmark, results, checked)
    return DONE if results[-1].state == "succeeded" else REFUSED


def run_phases(request: GradeRequest, phases: Sequence[str]) -> list[PhaseResult]:
    """The phases in order, up to the first that does not succeed."""
    results: list[PhaseResult] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Scorer(device=request.device) as scorer, Progress(*columns, console=console) as progress:
        for phase in phases:
            bar = progress.add_task(phase, total=None)
            results.append(
                run_phase(phase, request, scorer=scorer, on_progress=partial(advance, progress, bar))
            )
            progress.update(bar, completed=1, total=1)
            if results[-1].state != "succeeded":
                break
    return results


def advance(progress: Progress, bar: TaskID, done: int, total: int) -> None:
    """Move one bar."""
    progress.update(bar, completed=done, total=total)


def compare(options: argparse.Namespace) -> int:
    """Paired difference of two results on the same benchmark."""
    from evals.grading.comparisons import compare_results

    found = compare_results(*(read_json(path) for path in (options.first, options.second)))
    write_json(options.json, asdict(found))
    out.print(found.sentence, markup=False, highlight=False)
    return DONE


def read_json(path: Path) -> Any:
    """A result that was written before."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: compare two files that grade --json has written.") from error


def write_json(path: Path | None, value: dict[str, Any]) -> None:
    """Write a result where it was asked for."""
    if path is not None:
        path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", "utf-8")
