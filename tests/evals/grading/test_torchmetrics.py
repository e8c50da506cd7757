"""Graders against a second library, torchmetrics."""

from __future__ import annotations

import pytest
import torch
import torchmetrics.functional as peer
import torchmetrics.functional.classification as classes_of
from torchmetrics.functional.text import rouge_score

from evals.grading.graders import grader
from evals.grading.metrics.answers import Answers, Truth
from tests.evals.grading.test_graders import make_classes, make_task

COUNT = 4
BY_CLASS = {
    "accuracy": lambda a, y: classes_of.multiclass_accuracy(a, y, COUNT, average="micro"),
    "balanced_accuracy": lambda a, y: classes_of.multiclass_accuracy(a, y, COUNT, average="macro"),
    "macro_f1": lambda a, y: classes_of.multiclass_f1_score(a, y, COUNT, average="macro"),
    "kappa": lambda a, y: classes_of.multiclass_cohen_kappa(a, y, COUNT),
    "mcc": lambda a, y: classes_of.multiclass_matthews_corrcoef(a, y, COUNT),
}
BY_PROBABILITY = {
    "auroc": lambda p, y: classes_of.multiclass_auroc(p, y, COUNT, average="macro"),
    "average_precision": lambda p, y: classes_of.multiclass_average_precision(p, y, COUNT, average="macro"),
    "calibration_error": lambda p, y: classes_of.multiclass_calibration_error(
        p, y, COUNT, n_bins=15, norm="l1"
    ),
    "log_loss": lambda p, y: torch.nn.functional.nll_loss(p.log(), y),
}
BY_VALUE = {
    "rmse": lambda a, y: peer.mean_squared_error(a, y, squared=False),
    "mae": peer.mean_absolute_error,
    "r2": peer.r2_score,
    "spearman": peer.spearman_corrcoef,
}


@pytest.mark.parametrize("name", BY_CLASS)
def test_it_matches_torchmetrics_by_class(name):
    answers, truth = make_classes(classes=COUNT)

    expected = float(BY_CLASS[name](answers.classes, truth.labels))

    assert grader(name)(answers, truth).value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", BY_PROBABILITY)
def test_it_matches_torchmetrics_by_probability(name):
    answers, truth = make_classes(classes=COUNT)

    expected = float(BY_PROBABILITY[name](answers.probabilities, truth.labels))

    assert grader(name)(answers, truth).value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", BY_VALUE)
def test_it_matches_torchmetrics_by_value(name):
    answers, truth = make_task("regression")

    expected = float(BY_VALUE[name](answers.values, truth.labels))

    assert grader(name)(answers, truth).value == pytest.approx(expected, abs=1e-6)


def test_labels_match_torchmetrics():
    answers, truth = make_task("multilabel")
    on, actual = answers.labels, truth.labels.long()
    expected = {
        "subset_accuracy": classes_of.multilabel_exact_match(on, actual, 3),
        "hamming_loss": classes_of.multilabel_hamming_distance(on, actual, 3, average="micro"),
        "micro_f1": classes_of.multilabel_f1_score(on, actual, 3, average="micro"),
        "mean_iou": classes_of.multilabel_jaccard_index(on, actual, 3, average="macro"),
    }

    found = {name: grader(name)(answers, truth).value for name in expected}

    assert found == pytest.approx({name: float(value) for name, value in expected.items()}, abs=1e-6)


def test_ranking_matches_torchmetrics_query_by_query():
    answers, truth = make_task("ranking")
    queries = [(answers.scores[truth.groups == q], truth.labels[truth.groups == q]) for q in range(20)]
    gains = torch.stack([peer.retrieval.retrieval_normalized_dcg(s, y.long()) for s, y in queries])
    first = torch.stack([peer.retrieval.retrieval_reciprocal_rank(s, y > 0) for s, y in queries])

    assert grader("ndcg")(answers, truth).value == pytest.approx(float(gains.mean()), abs=1e-6)
    assert grader("mrr")(answers, truth).value == pytest.approx(float(first.mean()), abs=1e-6)


def test_rouge_matches_torchmetrics():
    answered, accepted = "the red cat sat on the mat", "a red cat sat quietly on a mat"
    expected = float(rouge_score(answered, accepted, rouge_keys="rougeL")["rougeL_fmeasure"])

    found = grader("rouge_l")(Answers(texts=(answered,)), Truth(texts=((accepted,),))).value

    assert found == pytest.approx(expected, abs=1e-6)
