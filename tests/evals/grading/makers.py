"""Small benchmarks, submissions and hostile files, made by plain functions."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np

HEADS = {
    "classification": ("accuracy", "higher"),
    "regression": ("rmse", "lower"),
    "ranking": ("ndcg", "higher"),
}
HEADS |= {"multilabel": ("micro_f1", "higher"), "text": ("exact_match", "higher")}


def make_benchmark(
    folder: Path, *, labels: str = "id,label\n1,0\n2,1\n", inputs: str = "", **values: object
) -> Path:
    """A minimal valid benchmark folder; ``values`` are added to its declaration, None removes one."""
    task = str(values.get("task", "classification"))
    metric, direction = HEADS.get(task, ("accuracy", "higher"))
    declared: dict[str, object] = {
        "name": "Tiny",
        "version": "1",
        "task": task,
        "classes": ["0", "1"] if task in ("classification", "multilabel") else [],
        "formats": ["csv", "jsonl", "npz", "parquet"],
        "seed": 1,
        "per_day": 5,
        "licence": "CC0",
        "data": {"inputs": "inputs.csv", "labels": "hidden/labels.csv"},
        "headline": {"metric": metric, "direction": direction},
        "anchors": {"start": 0.0, "reference": 1.0}
        if direction == "higher"
        else {"start": 1.0, "reference": 0.0},
        "metrics": [{"name": metric, "direction": direction}],
    }
    declared |= values
    (folder / "hidden").mkdir(parents=True, exist_ok=True)
    lines = [f"{name} = {toml(value)}" for name, value in declared.items() if value is not None]
    (folder / "benchmark.toml").write_text("\n".join(lines) + "\n", "utf-8")
    ids = [line.split(",")[0] for line in labels.strip().split("\n")]
    (folder / "inputs.csv").write_text(inputs or "\n".join(ids) + "\n", "utf-8")
    (folder / "hidden" / "labels.csv").write_text(labels, "utf-8")
    return folder


def toml(value: object) -> str:
    """A value as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(value)


def make_safetensors(
    arrays: dict[str, np.ndarray], *, header: dict[str, object] | None = None, tail: bytes = b""
) -> bytes:
    """A safetensors file of float32 arrays, its header replaceable."""
    entries: dict[str, object] = {}
    body = b""
    for name, array in arrays.items():
        data = np.asarray(array, np.float32).tobytes()
        offsets = [len(body), len(body) + len(data)]
        entries[name] = {"dtype": "F32", "shape": list(np.shape(array)), "data_offsets": offsets}
        body += data
    text = json.dumps(entries if header is None else header).encode()
    return struct.pack("<Q", len(text)) + text + body + tail


def make_zip(members: dict[str, bytes], **values: object) -> bytes:
    """A deflated zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def make_npz(**arrays: np.ndarray) -> bytes:
    """An .npz file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
