"""Choosing the model: which optional terms join the default set, and which kind of luck the scores allow."""

from dataclasses import replace

from evals.noise.credit import with_best_exponent
from evals.noise.identifiability import identification
from evals.noise.model import Model, Settings
from evals.noise.observations import Observations
from evals.noise.ordinal import with_thresholds
from evals.noise.rater_noise import with_own_noise
from evals.noise.terms import OPTIONAL_TERMS, Catalogue

MOST_AT_THE_TOP = 0.2  # of scores, beyond which a ceiling looks like bad luck


def choose_model(observations: Observations, settings: Settings, *, is_default: bool) -> Model:
    """The model of these settings; by default with the optional terms that the design can tell apart."""
    settings, notes = _without_false_luck(observations, settings)
    if is_default:
        settings, left_out = _with_optional_terms(observations, settings)
        notes += left_out
    else:
        notes += _without_columns(observations, settings)
    if settings.credit_exponent == "estimate":
        settings, note = with_best_exponent(observations, settings)
        notes.append(note)
    model = Model.build(observations, settings)
    model = replace(model, notes=(*model.notes, *notes))
    if settings.link == "ordinal":
        return with_thresholds(model)
    return with_own_noise(model) if settings.rater_noise == "own" else model


def _without_false_luck(observations: Observations, settings: Settings) -> tuple[Settings, list[str]]:
    """Symmetric luck where a ceiling would pass for bad luck."""
    share = observations.share_at_the_top()
    if settings.luck == "symmetric" or settings.link == "ordinal" or share <= MOST_AT_THE_TOP:
        return settings, []
    note = (
        f"{share:.0%} of the scores are in the top category: luck is taken as symmetric, because a ceiling "
        "looks like bad luck; the ordinal link treats it better."
    )
    return replace(settings, luck="symmetric"), [note]


def _without_columns(observations: Observations, settings: Settings) -> list[str]:
    """Terms that were asked for, though no column tells their levels apart."""
    catalogue = Catalogue(observations, observations.credit)
    absent = [name for name in settings.terms if not catalogue.build(name)]
    return [f"{name} is left out: no column tells its levels apart." for name in absent]


def _with_optional_terms(observations: Observations, settings: Settings) -> tuple[Settings, list[str]]:
    """Each optional term alone beside the default ones; those known well enough join."""
    joined, notes = [], []
    base = set(Model.build(observations, settings).design.slices)
    for name in OPTIONAL_TERMS:
        model = Model.build(observations, replace(settings, terms=(*settings.terms, name)))
        if name not in model.design.slices or name in base:
            if _has_column(observations, name):
                notes.append(f"{name} is left out: this design can't tell it apart from other terms.")
            continue
        error = identification(model).error[name]
        if name == "panel" or identification(model).is_known(name):
            joined.append(name)
        else:
            much = "unboundedly" if error > 100 else f"by {error:.0%}"
            notes.append(f"{name} is left out: this design would leave its variance uncertain {much}.")
    return replace(settings, terms=(*settings.terms, *joined)), notes


def _has_column(observations: Observations, name: str) -> bool:
    column = {"form": "period"}.get(name, name)
    return observations.time is not None if name == "growth" else observations.column(column) is not None
