"""A posterior as text for a terminal, as JSON, and as a picture."""

from pathlib import Path
from typing import Any

from evals.noise.posterior import Posterior
from evals.noise.tables import Summary, SummaryTable

WIDTH = 24  # characters of a label
MOST_LINES = 200


def as_text(posterior: Posterior) -> str:
    """People with their likely ranges, the sds and the notes."""
    lines = [
        "Level of each person, as a deviation from the grand mean",
        "",
        _head("person", "likely range (90 %)", "mean"),
    ]
    people = sorted(posterior.persons, key=lambda person: -person.mean)
    lines += [_line(person) for person in people[:MOST_LINES]]
    if len(people) > MOST_LINES:
        lines.append(f"... and {len(people) - MOST_LINES} more")
    lines += ["", "Where the variation comes from (sd, 90 % interval)", ""]
    for name, sd in (
        posterior.sds | {f"scale of {name}": at for name, at in posterior.scales.items()}
    ).items():
        interval = "" if posterior.hyper.weight.size == 1 else f"  {sd.q05:.3f} to {sd.q95:.3f}"
        lines.append(f"  {name:<{WIDTH}} {sd.mean:8.3f}{interval}")
    lines += ["", "Grand means and covariates", ""]
    lines += [f"  {name:<{WIDTH}} {at.mean:8.3f}  sd {at.sd:.3f}" for name, at in posterior.fixed.items()]
    if posterior.notes:
        lines += ["", "Notes", "", *(f"  {note}" for note in posterior.notes)]
    return "\n".join(lines)


def _head(*titles: str) -> str:
    return f"  {titles[0]:<{WIDTH}} {titles[1]:>22} {titles[2]:>9} {'scores':>7} {'raters':>7} {'outputs':>8}"


def _line(row: Summary) -> str:
    span = f"{row.q05:+.2f} to {row.q95:+.2f}"
    counts = f"{row.observations:>7} {row.raters:>7} {row.outputs:>8}"
    return f"  {str(row.id)[:WIDTH]:<{WIDTH}} {span:>22} {row.mean:>+9.2f} {counts}"


def as_json(posterior: Posterior) -> dict[str, Any]:
    """What programs read; ids are texts."""
    engine = posterior.engine
    found: dict[str, Any] = {
        "criterion": posterior.criterion,
        "sds": {name: at.mean for name, at in posterior.sds.items()},
        "sds_intervals": {
            name: {"sd": at.sd, "q05": at.q05, "q95": at.q95} for name, at in posterior.sds.items()
        },
        "scales": {
            name: {"mean": at.mean, "q05": at.q05, "q95": at.q95} for name, at in posterior.scales.items()
        },
        "fixed": {name: {"mean": at.mean, "sd": at.sd} for name, at in posterior.fixed.items()},
        "persons": _table(posterior.persons),
        "raters": _table(posterior.raters),
        "outputs": _table(posterior.outputs),
        "notes": list(posterior.notes),
        "engine": {
            "effective_points": engine.effective_points,
            "evaluations": engine.evaluations,
            "seconds": engine.seconds,
            "converged": engine.converged,
            "pareto_k": engine.pareto_k,
        },
    }
    if posterior.symmetric is not None:
        found["symmetric"] = {
            "criterion": posterior.symmetric.criterion,
            "sds": {name: at.mean for name, at in posterior.symmetric.sds.items()},
            "persons": _table(posterior.symmetric.persons),
        }
    return found


def _table(table: SummaryTable) -> dict[str, dict[str, Any]]:
    names = ("mean", "sd", "q05", "q25", "q50", "q75", "q95", "observations", "raters", "outputs")
    rows = {}
    for row in table:
        rows[str(row.id)] = {name: getattr(row, name) for name in names}
        if table.luck is not None:
            rows[str(row.id)] |= {"luck": row.luck, "luck_sd": row.luck_sd}
    return rows


def save_plot(posterior: Posterior, path: Path) -> None:
    """Likely ranges of everybody, highest mean on top."""
    from matplotlib.figure import Figure

    people = sorted(posterior.persons, key=lambda person: person.mean)
    figure = Figure(figsize=(7, 1.2 + 0.18 * len(people)), layout="constrained")
    axes = figure.add_subplot()
    for at, person in enumerate(people):
        axes.plot([person.q05, person.q95], [at, at], color="#7a9cc6", linewidth=1.5)
        axes.plot([person.q25, person.q75], [at, at], color="#1f4e8c", linewidth=3.5)
        axes.plot(person.mean, at, "o", color="white", markeredgecolor="#1f4e8c", markersize=4)
    axes.axvline(0.0, color="#888888", linewidth=0.8)
    axes.set_yticks(range(len(people)), [str(person.id) for person in people], fontsize=7)
    axes.set_xlabel("level, as a deviation from the grand mean; thin: 90 %, thick: 50 %")
    figure.savefig(path)
