"""A model for some observations: which terms, noise and scales, and the priors of their sds."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import sparse

from evals.noise.arrays import Floats, Ints, Label
from evals.noise.design import Design, fixed_effects
from evals.noise.gaussian import Hyper
from evals.noise.observations import Observations
from evals.noise.priors import PRIORS, Flat, HalfNormal, Prior, PriorName, sd_prior
from evals.noise.reports import Moment, identity_report, joined, output_report, person_report
from evals.noise.terms import DEFAULT_TERMS, Catalogue, Term, credit_weights, indicator, merge_equal
from evals.noise.validation import LARGEST_SCORE

Luck = Literal["asymmetric", "symmetric"]
NoiseBy = Literal["common", "instrument"]


@dataclass(frozen=True)
class Settings:
    """Everything that a fit can be told, checked."""

    terms: tuple[str, ...] = DEFAULT_TERMS
    luck: Luck = "symmetric"
    prior: PriorName = "program"
    reference_sd: float | None = None
    noise: NoiseBy = "common"
    link: Literal["numeric", "ordinal"] = "numeric"
    rater_noise: Literal["common", "own"] = "common"
    form: Literal["independent", "walk"] = "independent"
    credit_exponent: float | Literal["estimate"] = 1.0
    credit_norm: str = "sum"
    at: float | None = None
    device: str = "cpu"
    memory: float | None = None  # gigabytes that a fit may take; without it, what is free

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("luck", self.luck, ("asymmetric", "symmetric")),
            ("prior", self.prior, PRIORS),
            ("noise", self.noise, ("common", "instrument")),
            ("link", self.link, ("numeric", "ordinal")),
            ("rater_noise", self.rater_noise, ("common", "own")),
            ("form", self.form, ("independent", "walk")),
        ):
            if value not in allowed:
                raise ValueError(f"{name}={value!r} is unknown: use {' or '.join(allowed)}.")
        if self.link == "ordinal" and self.rater_noise == "own":
            raise ValueError("Raters' own noise needs the numeric link: leave out one of the two.")
        if self.link == "ordinal" and self.credit_exponent == "estimate":
            raise ValueError(
                "The exponent of credit is estimated with the numeric link: give it as a number."
            )
        if self.reference_sd is not None and not 1.0 / LARGEST_SCORE <= self.reference_sd <= LARGEST_SCORE:
            raise ValueError(
                f"The reference sd is {self.reference_sd!r}: give a positive number, at most {LARGEST_SCORE:g}."
            )
        if self.at is not None and not np.isfinite(self.at):
            raise ValueError(f"The time of the level is {self.at!r}: give a finite number.")
        if self.memory is not None and not self.memory > 0:
            raise ValueError(f"The memory is {self.memory!r} GB: give a positive number.")
        if self.credit_exponent != "estimate" and not 0 <= self.credit_exponent < np.inf:
            raise ValueError(f"The credit exponent is {self.credit_exponent!r}: give a number of at least 0.")

    @property
    def exponent(self) -> float:
        """Of credit; 1 until it is estimated."""
        return 1.0 if self.credit_exponent == "estimate" else self.credit_exponent


@dataclass(frozen=True)
class Model:
    """Observations, the design made of them, and a prior for each hyperparameter."""

    observations: Observations
    settings: Settings
    design: Design
    priors: tuple[Prior, ...]  # of term sds, noise sds, scales, and luck where it is asymmetric
    reference: float
    unit: Floats  # what each instrument's scores were divided by
    notes: tuple[str, ...] = ()
    levels: tuple[tuple[str, tuple[Label, ...]], ...] = field(default=())
    rater_noise: Floats | None = None  # each rater's factor on the noise sd
    thresholds: Floats | None = None  # between categories, with the ordinal link
    best_sds: Floats | None = None  # that go with the thresholds

    @classmethod
    def build(cls, observations: Observations, settings: Settings) -> "Model":
        """The model of these settings; terms without columns or that can't be told apart are merged or left out."""
        return _Builder.of(observations, settings).model()

    @property
    def is_asymmetric(self) -> bool:
        if self.settings.luck == "symmetric" or self.settings.link == "ordinal":
            return False
        return "output" in self.design.slices

    @property
    def least_noise(self) -> float:
        """The floor of noise sds: below it rounding errors would pass for information."""
        return NOISE_FLOOR * self.reference

    @cached_property
    def symmetric(self) -> "Model":
        """The same model with symmetric luck, on the same design."""
        settings = replace(self.settings, luck="symmetric")
        return replace(
            self, settings=settings, priors=self.priors[:-1] if self.is_asymmetric else self.priors
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The hyperparameters' names, in the order of their vector."""
        terms = tuple(term.name for term in self.design.terms)
        scales = tuple(f"scale[{name}]" for name in self.design.scale_names)
        return (*terms, *self.design.noise_names, *scales, *(("luck",) if self.is_asymmetric else ()))

    @cached_property
    def start(self) -> Hyper:
        """Where the search begins: every source of variation there, none of them large."""
        design = self.design
        inner = np.array([_START.get(term.kind, 0.3) for term in design.terms]) * self.reference
        noise = np.full(len(design.noise_names), 0.6 * self.reference)
        for at, name in enumerate(design.noise_names):
            if any(name == f"noise[{level}]" for level in self.observations.measured_instruments):
                noise[at] = 0.6
        return Hyper(
            inner, noise, np.full(len(design.scale_names), 0.5), 0.3 * self.reference * self.is_asymmetric
        )

    def labels(self, report: str) -> tuple[Label, ...]:
        return dict(self.levels)[report]


_START = {"person": 0.5, "output": 0.4}


@dataclass(frozen=True)
class _Builder:
    observations: Observations
    settings: Settings
    terms: tuple[Term, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, observations: Observations, settings: Settings) -> "_Builder":
        weights = credit_weights(observations.shares, exponent=settings.exponent, norm=settings.credit_norm)[
            observations.owner.codes
        ]
        catalogue = Catalogue(observations, weights, walk=settings.form == "walk")
        built = [term for name in dict.fromkeys(settings.terms) for term in catalogue.build(name)]
        terms, notes = merge_equal(built, asymmetric=settings.luck == "asymmetric")
        return cls(observations, settings, tuple(terms), tuple(notes))

    def model(self) -> Model:
        if not self.terms:
            raise ValueError("No term is left: name at least one that the observations have columns for.")
        design = self.ordinal_design() if self.settings.link == "ordinal" else self.design()
        if self.reference == 0:
            raise ValueError("All scores are equal: there is nothing to tell people apart by.")
        return Model(
            observations=self.observations,
            settings=self.settings,
            design=design,
            priors=self.priors(design),
            reference=self.reference,
            unit=self.unit,
            notes=self.notes,
            levels=tuple(self.levels()),
        )

    @property
    def instrument(self) -> Ints:
        return self.observations.instrument.codes

    @property
    def measured(self) -> tuple[Label, ...]:
        return self.observations.measured_instruments

    @cached_property
    def own_sd(self) -> Floats:
        """Each instrument's sd of scores."""
        y, code = self.observations.score, self.instrument
        count = np.bincount(code)
        away = y - (np.bincount(code, y) / count)[code]
        return np.asarray(np.sqrt(np.bincount(code, away**2) / np.maximum(count - 1, 1)))

    @cached_property
    def unit(self) -> Floats:
        """1 for what raters score; a grader's instrument is divided by its own sd."""
        levels = self.observations.instrument.levels
        free = np.array([level in self.measured for level in levels])
        flat = free & (self.own_sd == 0)
        if flat.any():
            raise ValueError(
                f"All scores of {levels[int(np.argmax(flat))]!r} are equal: leave this instrument out."
            )
        return np.where(free, self.own_sd, 1.0)

    @cached_property
    def reference(self) -> float:
        """The given reference sd, or the pooled sd within the instruments that raters use."""
        if self.settings.reference_sd is not None:
            return self.settings.reference_sd
        if self.settings.link == "ordinal" and np.ptp(self.observations.score) > 0:
            return ORDINAL_REFERENCE
        kept = np.array([level not in self.measured for level in self.observations.instrument.levels])
        count = np.bincount(self.instrument)
        squares = (np.maximum(count - 1, 0) * self.own_sd**2)[kept].sum()
        return float(np.sqrt(squares / max((count - 1)[kept].sum(), 1)))

    def design(self) -> Design:
        seen = self.observations
        levels = seen.instrument.levels
        fixed, names = fixed_effects(
            tuple(seen.covariates.items()), indicator(seen.instrument), levels, time=self.mean_change()
        )
        noise, noise_names = self.noise_groups()
        benchmarks = list(seen.metrics)
        place = {level: at for at, name in enumerate(benchmarks) for level in seen.metrics[name]}
        scale = np.array([place.get(level, -1) for level in levels])
        return Design(
            y=seen.score / self.unit[self.instrument],
            terms=self.terms,
            fixed=fixed,
            fixed_names=names,
            noise_of_row=noise[self.instrument],
            noise_names=noise_names,
            variance_of_row=(np.nan_to_num(seen.se) / self.unit[self.instrument]) ** 2 * self.copies(),
            scale_of_row=scale[self.instrument],
            scale_names=tuple(map(str, benchmarks)),
            reports=self.reports(fixed.shape[1]),
            kept=("output",) if self.keeps_outputs() else (),
            memory=self.settings.memory,
        )

    def copies(self) -> Floats:
        """How many metrics of its run a row is one of: they share one error, which each then has a part of."""
        seen, copies = self.observations, np.ones(len(self.observations))
        for term in self.terms:
            if term.kind == "halo" and not term.is_scaled:
                mine = np.asarray(term.weights.sum(axis=0)).ravel()
                copies += np.maximum(term.weights @ mine - 1.0, 0.0)
        return copies if seen.metrics else np.ones(len(seen))

    def ordinal_design(self) -> Design:
        """Without grand means, and with a noise of 1: thresholds say the rest."""
        if self.measured:
            names = ", ".join(map(str, self.measured))
            raise ValueError(f"The ordinal link can't take measurements: leave out the rows of {names}.")
        seen, rows = self.observations, len(self.observations)
        nothing = sparse.csr_matrix((rows, 0))
        fixed, names_of_fixed = fixed_effects(tuple(seen.covariates.items()), nothing, ())
        return Design(
            y=seen.score,
            terms=self.terms,
            fixed=fixed,
            fixed_names=names_of_fixed,
            noise_of_row=np.full(rows, -1),
            noise_names=(),
            variance_of_row=np.ones(rows),
            scale_of_row=np.full(rows, -1),
            scale_names=(),
            reports=self.reports(fixed.shape[1]),
            own_weights=True,
            memory=self.settings.memory,
        )

    def mean_change(self) -> Floats | None:
        """With growth in the model, time itself: the cohort's mean change is no one person's."""
        time = self.observations.time
        has_growth = any(term.name == "growth" for term in self.terms)
        return time - self.observations.start if has_growth and time is not None else None

    def keeps_outputs(self) -> bool:
        output = self.observations.column("output")
        has_output = any(term.name == "output" for term in self.terms)
        if self.settings.luck != "asymmetric" or output is None or not has_output:
            return False
        return len(output.levels) <= LARGEST_KEPT

    def noise_groups(self) -> tuple[Ints, tuple[str, ...]]:
        """Each instrument's noise sd: one for all that raters score, or one each; always one per benchmark."""
        levels = self.observations.instrument.levels
        if len(levels) == 1:
            return np.zeros(1, dtype=np.intp), ("noise",)
        by_instrument = self.settings.noise == "instrument"
        names = [
            f"noise[{level}]" if by_instrument or level in self.measured else "noise" for level in levels
        ]
        distinct = tuple(dict.fromkeys(names))
        return np.array([distinct.index(name) for name in names]), distinct

    def reports(self, fixed: int) -> dict[str, sparse.csr_matrix]:
        level = person_report(
            self.observations,
            self.terms,
            Moment.of(self.observations, self.settings.at, walk=self.settings.form == "walk"),
        )
        reports = {"person": joined(level, fixed)}
        output = self.observations.column("output")
        if output is not None and output.levels:
            reports["output"] = joined(output_report(self.terms, output, level), fixed)
        names = [term.name for term in self.terms]
        for report, term in (("rater", "rater"), ("luck", "output")):
            if term in names:
                reports[report] = joined(identity_report(self.terms, term), fixed)
        return reports

    def levels(self) -> Sequence[tuple[str, tuple[Label, ...]]]:
        seen, found = self.observations, [("person", self.observations.people)]
        for report, column in (("output", "output"), ("rater", "rater"), ("luck", "output")):
            labels = seen.column(column)
            if labels is not None:
                found.append((report, labels.levels))
        return found

    def priors(self, design: Design) -> tuple[Prior, ...]:
        name, given = self.settings.prior, self.settings.reference_sd
        found = [
            sd_prior(name, term.kind, self.reference if term.is_scaled else 1.0) for term in design.terms
        ]
        own = {
            f"noise[{level}]": float(sd)
            for level, sd in zip(self.observations.instrument.levels, self.own_sd / self.unit, strict=True)
        }
        for noise in design.noise_names:
            found.append(sd_prior(name, "noise", given or own.get(noise, self.reference)))
        found += [Flat() if name == "flat" else HalfNormal(1.0) for _ in design.scale_names]
        if (
            self.settings.luck == "asymmetric"
            and self.settings.link == "numeric"
            and "output" in design.slices
        ):
            found.append(sd_prior(name, "luck", self.reference))
        return tuple(found)


NOISE_FLOOR = 1e-3  # of the reference sd
ORDINAL_REFERENCE = 3.0  # in units of the probit's noise
LARGEST_KEPT = 1000  # outputs that stay in the dense core, so that a sweep over luck costs little
