"""Declared architectures: their parameters by arithmetic are those that torch has; robustness is measured."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from evals.grading.architectures import KINDS, architecture
from evals.grading.benchmarks import load_benchmark
from evals.grading.commands import main
from evals.grading.corruptions import CORRUPTIONS, corrupted
from evals.grading.intake import inspect_artifact
from evals.grading.networks import build
from evals.grading.phases import GradeRequest, run_phase
from evals.grading.refusals import Refused
from evals.grading.scoring import Scorer
from tests.evals.grading.makers import make_benchmark, make_safetensors, make_zip

IMAGE = {"inputs": [3, 8, 8], "classes": 5}
DECLARED = {
    "linear": {"inputs": 6, "classes": 5},
    "mlp": {"inputs": 6, "hidden": [4, 3], "classes": 5},
    "cnn": IMAGE | {"channels": [4, 6]},
    "resnet": IMAGE | {"channels": [4, 8, 16], "blocks": 2},
    "decoder": {
        "vocabulary": 16,
        "width": 8,
        "inner": 12,
        "blocks": 2,
        "heads": 2,
        "key_heads": 1,
        "tied": False,
    }
    | {"answers": [1, 2, 3, 4, 5], "eps": 1e-6, "theta": 10000.0},
    "vit": IMAGE | {"patch": 4, "width": 12, "blocks": 2, "heads": 3},
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small networks on shared cores: threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("kind", KINDS)
def test_the_declared_parameters_are_the_module_s(kind):
    declared = architecture({"kind": kind, **DECLARED[kind]})

    network = build(declared)

    assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == declared.parameters()


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_for_every_class_and_learns(kind):
    torch.manual_seed(1)
    network = build(architecture({"kind": kind, **DECLARED[kind]}))
    shape = DECLARED[kind].get("inputs", [7])
    x = torch.randn(20, *(shape if isinstance(shape, list) else [shape]))
    if kind == "decoder":
        x = torch.randint(0, 16, (20, 7))
    labels = torch.arange(20) % 5
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(x), labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))

    assert network(x).shape == (20, 5)
    assert losses[-1] < 0.97 * losses[0]


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "vit", **DECLARED["vit"], "patch": 3},
        {"kind": "vit", **DECLARED["vit"], "blocks": 10_000},
        {"kind": "cnn", **DECLARED["cnn"], "inputs": 64},
        {"kind": "resnet", **DECLARED["resnet"], "channels": []},
        {"kind": "mlp", **DECLARED["mlp"], "more": 1},
    ],
)
def test_a_declaration_that_cannot_be_built_is_refused(values):
    with pytest.raises(ValueError, match=r"\.$"):
        architecture(values)


def test_a_decoder_does_not_see_its_padding():
    network = build(architecture({"kind": "decoder", **DECLARED["decoder"]})).eval()
    short = torch.tensor([[3.0, 7.0, 1.0]])

    padded = network(functional.pad(short, (0, 4), value=-1))

    torch.testing.assert_close(padded, network(short))


LLAMA = {"vocabulary": 64, "width": 16, "inner": 32, "blocks": 2, "heads": 2, "key_heads": 1, "tied": True}
LLAMA |= {"answers": [5, 6, 7, 8], "eps": 1e-6, "theta": 10000.0, "kind": "decoder"}
TRANSFORMERS_LOGITS = [
    [0.1405225396156311, 0.03923700749874115, 0.12455703318119049, 0.047207266092300415],
    [0.12624624371528625, 0.1350003480911255, 0.0899779349565506, -0.1415451467037201],
]


@pytest.mark.reference
def test_a_decoder_s_logits_are_those_of_transformers():
    network = build(architecture(LLAMA)).eval()
    network.load_state_dict(load_file("../shared/data/hostile/models/good/model.safetensors"))
    x = torch.tensor([[1, 5, 9, 40, 33, 20, 7, 3], [1, 6, 2, 60, 11, 50, 12, 30]])

    torch.testing.assert_close(network(x), torch.tensor(TRANSFORMERS_LOGITS), atol=1e-6, rtol=0)


CONFIG = {
    "model_type": "llama",
    "vocab_size": 16,
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
}
CONFIG |= {"num_attention_heads": 2, "num_key_value_heads": 1, "rms_norm_eps": 1e-6, "rope_theta": 10000.0}


def make_model_zip(*, split: bool = False, **config: object) -> bytes:
    """A model folder of the small decoder, zipped, its weights in one file or in two."""
    torch.manual_seed(2)
    network = build(architecture({"kind": "decoder", **DECLARED["decoder"]}))
    arrays = {name: value.numpy() for name, value in network.state_dict().items()}
    members = {"config.json": json.dumps(CONFIG | config).encode()}
    if not split:
        return make_zip(members | {"model.safetensors": make_safetensors(arrays)})
    names = {name: f"model-0000{1 + number % 2}-of-00002.safetensors" for number, name in enumerate(arrays)}
    members["model.safetensors.index.json"] = json.dumps({"weight_map": names}).encode()
    for shard in set(names.values()):
        members[shard] = make_safetensors({name: arrays[name] for name in names if names[name] == shard})
    return make_zip(members)


def extended(model: bytes, **members: bytes) -> bytes:
    """The same zip with more files in it."""
    with zipfile.ZipFile(io.BytesIO(model)) as archive:
        return make_zip({name: archive.read(name) for name in archive.namelist()} | members)


UNNAMED = make_safetensors({"model.norm.weight": np.full(8, np.nan)})


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (
            extended(make_model_zip(split=True), **{"model-00003-of-00003.safetensors": UNNAMED}),
            "unexpected-file",
        ),
        (extended(make_model_zip(split=True), **{"model.safetensors": UNNAMED}), "unexpected-file"),
        (extended(make_model_zip(), **{"model-00001-of-00001.safetensors": UNNAMED}), "unexpected-file"),
        (
            extended(
                make_model_zip(split=True),
                **{
                    "model.safetensors.index.json": json.dumps(
                        {"weight_map": {"model.norm.weight": "model-00009-of-00009.safetensors"}}
                    ).encode()
                },
            ),
            "missing-tensors",
        ),
    ],
)
def test_weights_that_the_index_does_not_name_or_that_are_absent_are_refused(tmp_path, model, code):
    (tmp_path / "a.zip").write_bytes(model)

    with pytest.raises(Refused, match=code):
        inspect_artifact(tmp_path / "a.zip")


def test_a_model_folder_may_hold_what_a_hub_and_a_desktop_leave_in_it(tmp_path):
    beside = {
        ".gitattributes": b"*.safetensors filter=lfs",
        "README.md": b"# A model",
        ".DS_Store": b"\0\0\0\1Bud1",
    }
    (tmp_path / "a.zip").write_bytes(extended(make_model_zip(split=True), **beside))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "model")

    assert inspect_artifact(tmp_path / "a.zip").facts["tensors"] == 21
    assert inspect_artifact(tmp_path / "model").facts["tensors"] == 21


def make_tokens(folder: Path) -> Path:
    """Items of tokens, five classes."""
    rows = "".join(f"{n},{n % 5}\n" for n in range(30))
    make_benchmark(
        folder,
        labels=f"id,label\n{rows}",
        data={"inputs": "inputs.npz", "labels": "hidden/labels.csv"},
        formats=["zip"],
        classes=["0", "1", "2", "3", "4"],
        architectures=[{"kind": "decoder", **DECLARED["decoder"]}],
    )
    np.savez(folder / "inputs.npz", id=np.arange(30), x=np.random.default_rng(1).integers(0, 16, (30, 7)))
    return folder


def test_a_zipped_model_is_graded_whole_or_in_shards(tmp_path):
    benchmark = load_benchmark(make_tokens(tmp_path / "b"))
    (tmp_path / "a.zip").write_bytes(make_model_zip())
    (tmp_path / "b.zip").write_bytes(make_model_zip(split=True))

    with Scorer(device="cpu") as scorer:
        results = [
            run_phase("thorough", GradeRequest(benchmark, tmp_path / name, device="cpu"), scorer=scorer)
            for name in ("a.zip", "b.zip")
        ]

    assert results[0].record["answers_hash"] == results[1].record["answers_hash"]
    assert results[0].measurements[0]["n"] == 30


def test_a_model_folder_is_graded_as_its_zip_is(tmp_path):
    benchmark = load_benchmark(make_tokens(tmp_path / "b"))
    (tmp_path / "a.zip").write_bytes(make_model_zip(split=True))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "model")

    with Scorer(device="cpu") as scorer:
        zipped, folder = (
            run_phase("thorough", GradeRequest(benchmark, tmp_path / name, device="cpu"), scorer=scorer)
            for name in ("a.zip", "model")
        )

    assert folder.record["answers_hash"] == zipped.record["answers_hash"]
    assert len(folder.record["artifact_hash"]) == 64


def test_a_folder_that_is_no_model_or_that_the_benchmark_does_not_take_is_refused(tmp_path):
    takes_zips = load_benchmark(make_tokens(tmp_path / "b"))
    takes_tables = load_benchmark(make_benchmark(tmp_path / "t"))
    (tmp_path / "empty").mkdir()

    found = [
        run_phase("qualification", GradeRequest(benchmark, tmp_path / "empty")).code
        for benchmark in (takes_zips, takes_tables)
    ]

    assert found == ["empty", "wrong-format"]


def test_a_configuration_that_disagrees_with_the_declaration_is_refused(tmp_path):
    benchmark = load_benchmark(make_tokens(tmp_path / "b"))
    (tmp_path / "a.zip").write_bytes(make_model_zip(rope_theta=500000.0))

    result = run_phase("qualification", GradeRequest(benchmark, tmp_path / "a.zip", device="cpu"))

    assert (result.state, result.code) == ("refused", "bad-config")


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_changes_inputs_and_repeats_by_its_seed(name):
    x = np.random.default_rng(1).random((10, 3, 4, 4)).astype(np.float32)

    once, again = (corrupted(x, name, seed=7) for _ in range(2))

    assert once.shape == x.shape
    assert once.dtype == np.float32
    assert not np.array_equal(once, x)
    np.testing.assert_array_equal(once, again)


def make_images(folder: Path) -> Path:
    """Bright and dark images, told apart by a small network of convolutions."""
    rows = "".join(f"{n},{n % 2}\n" for n in range(40))
    make_benchmark(
        folder,
        labels=f"id,label\n{rows}",
        data={"inputs": "inputs.npz", "labels": "hidden/labels.csv"},
        formats=["safetensors"],
        architectures=[{"kind": "cnn", "inputs": [1, 8, 8], "channels": [2], "classes": 2}],
        corruptions=["brightness", "dropout"],
    )
    level = (np.arange(40) % 2)[:, None, None, None]
    x = level + np.random.default_rng(1).random((40, 1, 8, 8)) * 0.1
    np.savez(folder / "inputs.npz", id=np.arange(40), x=x.astype(np.float32))
    return folder


def test_weights_are_measured_under_every_declared_corruption(tmp_path):
    benchmark = load_benchmark(make_images(tmp_path / "b"))
    one = np.zeros((2, 1, 3, 3))
    one[0, 0, 1, 1] = 1
    weights = {"convolutions.0.weight": one, "convolutions.0.bias": np.zeros(2)}
    weights |= {"head.weight": np.array([[-1, 0], [1, 0]]), "head.bias": np.array([0.6, -0.6])}
    (tmp_path / "a.safetensors").write_bytes(make_safetensors(weights))

    with Scorer(device="cpu") as scorer:
        request = GradeRequest(benchmark, tmp_path / "a.safetensors", device="cpu")
        rows = run_phase("thorough", request, scorer=scorer).measurements

    found = {row["slice"]: row["value"] for row in rows}
    assert found[""] == 1.0
    assert set(found) == {"", "corruption=brightness", "corruption=dropout"}


def test_checking_a_benchmark_tries_its_architectures(tmp_path, capsys):
    folder = make_images(tmp_path / "b")
    assert main(["check", str(folder)]) == 0
    np.savez(folder / "inputs.npz", id=np.arange(40), x=np.zeros((40, 9), np.float32))

    assert main(["check", str(folder), "--json", str(tmp_path / "o.json")]) == 1
    assert "does not take the inputs" in capsys.readouterr().err.replace("\n", " ")
