"""Graders against scikit-learn, SciPy and closed forms; intervals against the law of large numbers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as oracle
import torch

from evals.grading.graders import GRADERS, RANGES, grader
from evals.grading.metrics.answers import Answers, NotMeasurable, Truth
from evals.grading.metrics.grade import MAXIMUM_MEAN_UNITS, mean_grade
from evals.grading.tasks import DIRECTIONS, TASKS
from evals.grading.uncertainty import Interval, analytic, bootstrap, draws, not_certain

ITEMS = 600
CLASS_METRICS = TASKS["classification"].metrics


def make_classes(items: int = ITEMS, classes: int = 4, seed: int = 3) -> tuple[Answers, Truth]:
    """Answers that are right more often than not, on uneven classes."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, items, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    logits = rng.normal(size=(items, classes)) + 1.2 * np.eye(classes)[labels]
    table = torch.tensor(logits).softmax(dim=1)
    return Answers(classes=table.argmax(dim=1), probabilities=table), Truth(
        labels=torch.tensor(labels), class_count=classes
    )


def make_task(task: str, items: int = 200) -> tuple[Answers, Truth]:
    """Answers and truth for any task."""
    rng = np.random.default_rng(5)
    if task == "classification":
        return make_classes(items)
    target = rng.normal(size=items)
    guess = torch.tensor(target + rng.normal(size=items))
    if task == "regression":
        quantiles = guess[:, None] + torch.tensor([-1.0, 0.0, 1.0])
        truth = Truth(labels=torch.tensor(target), levels=(0.1, 0.5, 0.9))
        return Answers(values=guess, quantiles=quantiles), truth
    if task == "ranking":
        gains = torch.tensor(rng.integers(0, 4, items)).double()
        return Answers(scores=guess), Truth(labels=gains, groups=torch.arange(items) % 20)
    if task == "multilabel":
        labels = torch.tensor(rng.random((items, 3)) < 0.4).double()
        answered = (labels - torch.tensor(rng.random((items, 3)) < 0.2).double()).abs()
        return Answers(labels=answered), Truth(labels=labels, class_count=3)
    texts = tuple(("the red cat", "a blue dog")[number % 2] for number in range(items))
    keys = tuple((("red cat", "the red cat!"), ("blue dog",))[number % 2] for number in range(items))
    return Answers(texts=texts), Truth(texts=keys)


def numpy_of(pair: tuple[Answers, Truth]):
    """Labels, answered classes and probabilities as arrays."""
    answers, truth = pair
    return truth.labels.numpy(), answers.classes.numpy(), answers.probabilities.numpy()


CLASS_ORACLES = {
    "accuracy": lambda y, a, p: oracle.accuracy_score(y, a),
    "balanced_accuracy": lambda y, a, p: oracle.balanced_accuracy_score(y, a),
    "macro_f1": lambda y, a, p: oracle.f1_score(y, a, average="macro"),
    "kappa": lambda y, a, p: oracle.cohen_kappa_score(y, a),
    "mcc": lambda y, a, p: oracle.matthews_corrcoef(y, a),
    "log_loss": lambda y, a, p: oracle.log_loss(y, p),
    "brier": lambda y, a, p: ((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1).mean(),
    "auroc": lambda y, a, p: oracle.roc_auc_score(
        y, p if p.shape[1] > 2 else p[:, 1], multi_class="ovr" if p.shape[1] > 2 else "raise"
    ),
    "average_precision": lambda y, a, p: np.mean(
        [
            oracle.average_precision_score(y == k, p[:, k])
            for k in (range(p.shape[1]) if p.shape[1] > 2 else [1])
        ]
    ),
}


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", CLASS_ORACLES)
def test_it_matches_scikit_learn(name, classes):
    pair = make_classes(classes=classes)

    assert grader(name)(*pair).value == pytest.approx(CLASS_ORACLES[name](*numpy_of(pair)), abs=1e-9)


@pytest.mark.parametrize("name", ["auroc", "average_precision"])
def test_tied_scores_are_counted_as_scikit_learn_counts_them(name):
    answers, truth = make_classes(classes=2)
    coarse = (answers.probabilities * 5).round() / 5
    pair = Answers(classes=answers.classes, probabilities=coarse), truth

    assert grader(name)(*pair).value == pytest.approx(CLASS_ORACLES[name](*numpy_of(pair)), abs=1e-9)


def test_calibration_error_matches_a_loop_over_its_bins():
    labels, answered, table = numpy_of(make_classes())
    confidence, right = table.max(axis=1), answered == labels
    edges = np.linspace(0, 1, 16)
    gaps = []
    for low, high in pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        gaps.append(abs(confidence[inside].sum() - right[inside].sum()))

    assert grader("calibration_error")(*make_classes()).value == pytest.approx(sum(gaps) / ITEMS, abs=1e-9)


def test_regression_matches_scikit_learn_and_scipy():
    answers, truth = make_task("regression")
    y, guess, quantiles = truth.labels.numpy(), answers.values.numpy(), answers.quantiles.numpy()
    pinball = [oracle.mean_pinball_loss(y, quantiles[:, k], alpha=a) for k, a in enumerate((0.1, 0.5, 0.9))]
    expected = {
        "rmse": oracle.root_mean_squared_error(y, guess),
        "mae": oracle.mean_absolute_error(y, guess),
        "r2": oracle.r2_score(y, guess),
        "spearman": scipy.stats.spearmanr(y, guess).statistic,
        "crps": 2 * np.mean(pinball),
    }

    found = {name: grader(name)(answers, truth).value for name in expected}

    assert found == pytest.approx(expected)


def test_ranking_matches_scikit_learn_query_by_query():
    answers, truth = make_task("ranking")
    gains, scores, groups = truth.labels.numpy(), answers.scores.numpy().round(1), truth.groups.numpy()
    rows = [groups == query for query in range(20)]

    found = grader("ndcg")(Answers(scores=torch.tensor(scores)), truth).value

    assert found == pytest.approx(np.mean([oracle.ndcg_score(gains[r][None], scores[r][None]) for r in rows]))


def test_reciprocal_rank_counts_ties_against_the_answer():
    truth = Truth(labels=torch.tensor([0.0, 1.0, 0.0]))

    assert grader("mrr")(Answers(scores=torch.tensor([3.0, 2.0, 1.0])), truth).value == 0.5
    assert grader("mrr")(Answers(scores=torch.tensor([2.0, 2.0, 2.0])), truth).value == pytest.approx(1 / 3)


def test_many_labels_match_scikit_learn():
    answers, truth = make_task("multilabel")
    y, answered = truth.labels.numpy(), answers.labels.numpy()
    expected = {
        "subset_accuracy": oracle.accuracy_score(y, answered),
        "hamming_loss": oracle.hamming_loss(y, answered),
        "micro_f1": oracle.f1_score(y, answered, average="micro"),
        "mean_iou": oracle.jaccard_score(y, answered, average="macro"),
    }

    assert {name: grader(name)(answers, truth).value for name in expected} == pytest.approx(expected)


def test_text_is_compared_by_its_words():
    answers = Answers(texts=("The  red cat!", "a dog", ""))
    truth = Truth(texts=(("red", "the red cat"), ("a big dog",), ("x",)))

    assert grader("exact_match")(answers, truth).value == pytest.approx(1 / 3)
    assert grader("rouge_l")(answers, truth).value == pytest.approx((1 + 2 * 2 / 5 + 0) / 3)


@pytest.mark.parametrize("task", TASKS)
def test_the_common_battery(task):
    """Order does not matter, seeds repeat, perfect answers get the best value, absent answers get none."""
    answers, truth = make_task(task)
    rows = torch.randperm(200, generator=torch.Generator().manual_seed(1))
    for name in TASKS[task].metrics:
        grade, shuffled = grader(name)(answers, truth), grader(name)(answers.at(rows), truth.at(rows))
        first, again = (bootstrap(grade, seed=7, resamples=200) for _ in range(2))

        assert shuffled.value == pytest.approx(grade.value, abs=1e-12), name
        assert first == again, name
        assert first.low <= grade.value + 3 * first.standard_error, name
        assert first.low <= first.high, name
        with pytest.raises(NotMeasurable):
            grader(name)(Answers(), truth)


@pytest.mark.parametrize("name", GRADERS)
def test_every_grader_has_a_task_a_direction_and_a_label(name):
    assert sum(name in task.metrics for task in TASKS.values()) == 1
    assert DIRECTIONS[name] in ("higher", "lower")
    assert GRADERS[name][0][0].isupper()


@pytest.mark.parametrize("name", CLASS_METRICS)
def test_perfect_answers_get_the_best_value(name):
    _, truth = make_classes()
    table = torch.nn.functional.one_hot(truth.labels, 4).double()

    best = grader(name)(Answers(classes=truth.labels, probabilities=table), truth).value

    assert best == pytest.approx(1.0 if DIRECTIONS[name] == "higher" else 0.0, abs=1e-9)


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "mcc", "calibration_error"])
def test_cells_give_the_interval_that_rows_give(name):
    answers, truth = make_classes(300)
    rng = np.random.default_rng(1)
    values = []
    for _ in range(600):
        rows = torch.tensor(rng.integers(0, 300, 300))
        values.append(grader(name)(answers.at(rows), truth.at(rows)).value)

    found = bootstrap(grader(name)(answers, truth), seed=2, resamples=4000)

    assert found.standard_error == pytest.approx(np.std(values), rel=0.12)
    assert [found.low, found.high] == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=0.012)


@pytest.mark.parametrize("name", ["auroc", "average_precision"])
def test_many_items_of_many_classes_have_the_interval_of_drawn_items(name, monkeypatch):
    answers, truth = make_classes(items=MAXIMUM_MEAN_UNITS + 500)
    quick = bootstrap(grader(name)(answers, truth), seed=1, resamples=2000)
    monkeypatch.setattr("evals.grading.metrics.probabilities.MAXIMUM_MEAN_UNITS", 10**6)
    plain = grader(name)(answers, truth)

    slow = bootstrap(plain, seed=2, resamples=400)

    assert grader(name)(answers, truth).value == pytest.approx(plain.value, abs=1e-12)
    assert quick.standard_error == pytest.approx(slow.standard_error, rel=0.12)
    assert (quick.low, quick.high) == pytest.approx((slow.low, slow.high), abs=0.5 * slow.standard_error)


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "log_loss", "brier", "kappa", "auroc"])
def test_the_analytic_error_is_near_the_bootstrap_s(name):
    for classes in (2, 4):
        grade = grader(name)(*make_classes(classes=classes))

        ratio = analytic(grade, name=name).standard_error / bootstrap(grade, seed=1).standard_error

        assert 0.85 < ratio < 1.15


def test_delong_s_variance_is_the_textbook_s():
    answers, truth = make_classes(classes=2)
    score, member = answers.probabilities[:, 1].numpy(), truth.labels.numpy() == 1
    above = (score[member][:, None] > score[~member]) + 0.5 * (score[member][:, None] == score[~member])
    variance = (
        above.mean(axis=1).var(ddof=1) / member.sum() + above.mean(axis=0).var(ddof=1) / (~member).sum()
    )

    found = analytic(grader("auroc")(answers, truth), name="auroc")

    assert found.method == "DeLong"
    assert found.standard_error == pytest.approx(np.sqrt(variance), rel=0.02)


def test_wilson_s_interval_never_leaves_zero_to_one():
    found = analytic(mean_grade(torch.ones(20)), name="accuracy")

    assert (found.low, found.high) == pytest.approx((20 / (20 + 1.959964**2), 1.0), abs=1e-6)


@pytest.mark.parametrize("right", [0, 10])
def test_all_right_or_all_wrong_on_few_items_is_not_certain(right):
    value = right / 10
    drawn = Interval(0.0, value, value, "bootstrap of cells, 2000 draws")

    found = not_certain(value, drawn, n=10)

    expected = scipy.stats.binomtest(right, 10).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.standard_error == pytest.approx((expected.high - expected.low) / (2 * 1.959964), rel=1e-5)


def test_an_interval_that_the_draws_give_stays_as_it_is():
    drawn = Interval(0.01, 0.97, 1.0, "bootstrap of cells, 2000 draws")

    assert not_certain(0.99, drawn, n=100) is drawn


def test_items_that_come_in_copies_widen_the_clustered_error():
    answers, truth = make_classes(200)
    copies = torch.arange(200).repeat(5)
    grade = grader("accuracy")(answers.at(copies), truth.at(copies))
    single = analytic(grader("accuracy")(answers, truth)).standard_error

    clustered = bootstrap(grade, seed=1, clusters=copies)

    assert clustered.clusters == 200
    assert clustered.standard_error == pytest.approx(single, rel=0.1)
    assert bootstrap(grade, seed=1).standard_error == pytest.approx(single / np.sqrt(5), rel=0.1)
    assert analytic(grade, clusters=copies).standard_error == pytest.approx(single, rel=0.02)


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(11)
    covered = 0
    for trial in range(300):
        right = torch.tensor(rng.random(150) < 0.7).double()
        found = bootstrap(mean_grade(right), seed=trial, resamples=400)
        covered += found.low <= 0.7 <= found.high

    assert 0.90 <= covered / 300 <= 0.98


def test_many_different_values_share_units_and_keep_mean_and_error():
    values = torch.tensor(np.random.default_rng(1).exponential(size=30_000))

    grade = mean_grade(values)

    assert grade.counts.numel() == MAXIMUM_MEAN_UNITS
    assert grade.value == pytest.approx(float(values.mean()), rel=1e-12)
    assert bootstrap(grade, seed=1, resamples=500).standard_error == pytest.approx(
        float(values.std()) / np.sqrt(30_000), rel=0.1
    )


def test_influences_average_to_nothing_and_add_up_to_the_error():
    grade = grader("macro_f1")(*make_classes())

    pull = grade.influence()

    assert float(pull.mean()) == pytest.approx(0.0, abs=1e-12)
    spread = draws(grade, seed=1, resamples=4000).std()
    assert float(pull.std()) / np.sqrt(ITEMS) == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize("task", TASKS)
def test_every_grade_lies_in_the_range_that_claims_are_held_to(task):
    answers, truth = make_task(task)
    rows = torch.randperm(200, generator=torch.Generator().manual_seed(1))
    for name in TASKS[task].metrics:
        low, high = RANGES[name]

        good, bad = (grader(name)(answers, one).value for one in (truth, truth.at(rows)))

        assert low <= min(good, bad) <= max(good, bad) <= high, name
        assert good != bad, name
