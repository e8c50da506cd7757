"""A posterior as text for a terminal, as JSON, and as a picture."""

import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evals.noise.posterior import Posterior
from evals.noise.raters import RaterFit, Statistic
from evals.noise.tables import Summary, SummaryTable

WIDTH = 24  # characters of a label
MOST_LINES = 200
MOST_SCORES_WITH_FITS = 20_000  # beyond, raters' fits are left to whoever asks for them


def fits_of(posterior: Posterior) -> tuple[RaterFit, ...]:
    """Every rater's fit, where the cohort isn't too large to draw it hundreds of times."""
    seen, rater = posterior.observations, posterior.observations.column("rater")
    if rater is None or not rater.levels or posterior.model.thresholds is not None:
        return ()
    return posterior.rater_fit() if len(seen) <= MOST_SCORES_WITH_FITS else ()


def as_text(posterior: Posterior, fits: Sequence[RaterFit] = ()) -> str:
    """People with their likely ranges, the sds, the raters and the notes."""
    unit = "" if posterior.model.thresholds is None else ", in units of one score's noise"
    lines = [
        f"Level of each person, as a deviation from the grand mean{unit}",
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
    lines += ["", "Grand means and covariates", ""] if posterior.fixed else []
    lines += [f"  {name:<{WIDTH}} {at.mean:8.3f}  sd {at.sd:.3f}" for name, at in posterior.fixed.items()]
    lines += _raters(posterior, fits)
    if posterior.notes:
        lines += ["", "Notes", "", *(f"  {note}" for note in posterior.notes)]
    return "\n".join(lines)


def _raters(posterior: Posterior, fits: Sequence[RaterFit]) -> list[str]:
    """Each rater's leniency and fit; a star marks what lies outside its limits."""
    if not fits:
        return []
    names = f"{'infit':>7} {'outfit':>7} {'scale':>7} {'agreement':>16}"
    title = f"  {'rater':<{WIDTH}} {'likely range (90 %)':>22} {names}"
    lines = ["", "Raters: leniency and fit (1 is as others; * outside its limits)", "", title]
    for fit in fits[:MOST_LINES]:
        span = _span(posterior.raters[fit.rater]) if fit.rater in posterior.raters else ""
        agreement = "" if fit.agreement is None else f"{fit.agreement.q05:.2f} to {fit.agreement.q95:.2f}"
        numbers = " ".join(map(_marked, (fit.infit, fit.outfit, fit.use_of_scale)))
        lines.append(f"  {str(fit.rater)[:WIDTH]:<{WIDTH}} {span:>22} {numbers} {agreement:>16}")
    return lines


def _marked(statistic: Statistic | None) -> str:
    return " " * 7 if statistic is None else f"{statistic.value:6.2f}{'*' if statistic.is_off else ' '}"


def _span(row: Summary) -> str:
    return f"{row.q05:+.2f} to {row.q95:+.2f}"


def _head(*titles: str) -> str:
    return f"  {titles[0]:<{WIDTH}} {titles[1]:>22} {titles[2]:>9} {'scores':>7} {'raters':>7} {'outputs':>8}"


def _line(row: Summary) -> str:
    span = _span(row)
    counts = f"{row.observations:>7} {row.raters:>7} {row.outputs:>8}"
    return f"  {str(row.id)[:WIDTH]:<{WIDTH}} {span:>22} {row.mean:>+9.2f} {counts}"


def as_json(posterior: Posterior, fits: Sequence[RaterFit] = ()) -> dict[str, Any]:
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
        "raters": _with_fits(_table(posterior.raters), fits),
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
        if table.noise_factor is not None:
            rows[str(row.id)]["noise_factor"] = row.noise_factor
    return rows


def _with_fits(rows: dict[str, dict[str, Any]], fits: Sequence[RaterFit]) -> dict[str, dict[str, Any]]:
    """Rows of raters with their fit beside their leniency."""
    for fit in fits:
        row = rows.setdefault(str(fit.rater), {})
        for name in ("infit", "outfit", "use_of_scale"):
            found: Statistic | None = getattr(fit, name)
            row[name] = found and {
                "value": found.value,
                "low": found.limits[0],
                "high": found.limits[1],
                "is_off": found.is_off,
            }
        row["agreement"] = fit.agreement and asdict(fit.agreement)
    return rows


def save_plot(posterior: Posterior, path: Path) -> None:
    """Likely ranges of everybody, highest mean on top; in an SVG, names in any script are text."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    people = sorted(posterior.persons, key=lambda person: person.mean)
    figure = Figure(figsize=(7, 1.2 + 0.18 * len(people)), layout="constrained")
    axes = figure.add_subplot()
    for at, person in enumerate(people):
        axes.plot([person.q05, person.q95], [at, at], color="#7a9cc6", linewidth=1.5)
        axes.plot([person.q25, person.q75], [at, at], color="#1f4e8c", linewidth=3.5)
        axes.plot(person.mean, at, "o", color="white", markeredgecolor="#1f4e8c", markersize=4)
    axes.axvline(0.0, color="#888888", linewidth=0.8)
    names = [str(person.id) for person in people]
    axes.set_yticks(range(len(people)), names, fontsize=7, parse_math=False)
    axes.set_xlabel("level, as a deviation from the grand mean; thin: 90 %, thick: 50 %")
    with mpl.rc_context({"svg.fonttype": "none"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure.savefig(path)
