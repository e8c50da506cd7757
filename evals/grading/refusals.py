"""Why a submission is refused or held: one table of codes, one fixed vocabulary of sentences."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """What a code means and the sentence that tells its submitter what to change."""

    meaning: str
    advice: str


REFUSALS: dict[str, Reason] = {
    # the file as a whole
    "unsafe-format": Reason(
        "A format that can run code or that no reader here opens: pickle, pt2, GGUF, tar, bare .npy, gzip, YAML, XML.",
        "Save predictions as .csv, .jsonl, .npz or .parquet and weights as .safetensors.",
    ),
    "wrong-format": Reason(
        "A safe format that this benchmark does not take.",
        "Send one of the formats that the benchmark's page lists.",
    ),
    "empty": Reason("A file or table with nothing in it.", "Send a file that has at least one row."),
    "too-big": Reason(
        "More bytes than the benchmark allows.", "Send a smaller file than the benchmark's size limit."
    ),
    "too-big-unpacked": Reason(
        "A compressed file that unpacks to far more than it may.",
        "Send files that unpack to no more than the benchmark's size limit.",
    ),
    "size-mismatch": Reason(
        "A declared size that is not the size found.",
        "Write the file again with an unmodified library: its declared sizes are wrong.",
    ),
    "bad-header": Reason(
        "A binary header that cannot be read.",
        "Write the file again with an unmodified library: its header is not valid.",
    ),
    # archives and folders
    "bad-archive": Reason(
        "A zip that is damaged, encrypted or uses an unknown compression.",
        "Make the zip again with ordinary deflate compression and no password.",
    ),
    "overlapping-entries": Reason(
        "Archive members that share bytes.", "Make the zip again with an ordinary tool."
    ),
    "bad-path": Reason(
        "A file name that is absolute, climbs out of the folder, is very long or holds control characters.",
        "Use plain relative file names of letters, digits, dots, dashes and underscores.",
    ),
    "link-entry": Reason("A symbolic or hard link.", "Replace links by the files they point to."),
    "special-entry": Reason("A device, fifo or socket.", "Send ordinary files only."),
    "duplicate-name": Reason(
        "Two names that are the same, or differ only by case.", "Give every file its own name."
    ),
    "unexpected-file": Reason(
        "A file that is no part of a model.",
        "Send only configuration, safetensors weights and tokenizer files under their usual names.",
    ),
    "too-many-files": Reason("More files than any submission needs.", "Send fewer files."),
    # arrays and weights
    "object-array": Reason(
        "A NumPy array of Python objects.", "Save arrays of numbers or text, not of Python objects."
    ),
    "bad-offsets": Reason(
        "Tensor offsets that overlap, leave holes or leave the file.",
        "Write the weights again with an unmodified safetensors library.",
    ),
    "bad-dtype": Reason(
        "A number type that is not taken here.",
        "Save numbers as float32, float16, bfloat16, float64 or integers.",
    ),
    "bad-name": Reason(
        "A tensor or array name that is not a plain dotted name.",
        "Name tensors with letters, digits, dots, dashes and underscores.",
    ),
    "suspicious-shape": Reason(
        "A shape with a zero size or absurd dimensions.", "Send arrays whose every dimension is at least 1."
    ),
    "non-finite": Reason("A NaN or an infinite number.", "Replace NaN and infinite numbers by finite ones."),
    "duplicate-key": Reason("A JSON key that occurs twice.", "Write every key once."),
    "missing-tensors": Reason(
        "Tensors that the declared architecture has and the file lacks.",
        "Save every tensor of one architecture that the benchmark declares.",
    ),
    "unexpected-tensors": Reason(
        "Tensors that the declared architecture does not have.",
        "Save only the tensors of one architecture that the benchmark declares.",
    ),
    "wrong-shape": Reason(
        "An array or tensor of another shape than asked for.", "Match the shapes that the benchmark declares."
    ),
    "too-many-parameters": Reason(
        "A model larger than the benchmark allows.", "Send a model within the benchmark's parameter limit."
    ),
    # model folders
    "bad-config": Reason(
        "A configuration that is not strict JSON with the known keys and sane values.",
        "Send the plain configuration of an allowed architecture, without quantization or extra keys.",
    ),
    "remote-code": Reason(
        "A model that asks to run code of its own.",
        "Remove auto_map, custom code, kernels and every file that is not weights, configuration or tokenizer.",
    ),
    "remote-base": Reason(
        "An adapter on a model kept elsewhere.", "Merge the adapter and send whole weights."
    ),
    "tokenizer-expands": Reason(
        "A tokenizer that needs too much time or memory, or makes texts explode.",
        "Send the tokenizer of a known model, without normalisers that lengthen texts.",
    ),
    "tokenizer-not-faithful": Reason(
        "A tokenizer that changes or cuts texts: decode(encode(text)) is not the text.",
        "Send a tokenizer without truncation and without rewriting rules.",
    ),
    "token-id-range": Reason(
        "Token ids beyond the model's embedding table.",
        "Send a tokenizer whose ids are all below the model's vocabulary size.",
    ),
    "bad-tokenizer": Reason("A tokenizer that cannot be read.", "Send the tokenizer.json of a known model."),
    "bad-template": Reason(
        "A chat template that fails, loops, reaches into Python or does not reproduce the messages.",
        "Remove the chat template: the benchmark brings its own prompts.",
    ),
    # tables
    "bad-encoding": Reason(
        "Text that is not clean UTF-8, or holds NUL characters.", "Save the table as UTF-8 text without NULs."
    ),
    "bad-columns": Reason(
        "Columns that are missing, doubled or unknown.",
        "Send a header row with id and the columns that the benchmark's page lists, each once.",
    ),
    "bad-row": Reason(
        "A row that is too short, too long, unclosed or holds something else than one value per column.",
        "Give every row exactly one plain value per column.",
    ),
    "bad-number": Reason(
        "Something else than a plain number where a number belongs, or one beyond 1e50.",
        "Write numbers of at most 1e50 with the digits 0 to 9, and classes as the benchmark names them.",
    ),
    "bad-class": Reason(
        "A class that the benchmark does not have.", "Use only the classes that the benchmark lists."
    ),
    "bad-probability": Reason(
        "Probabilities that are negative, above 1 or do not sum to 1.",
        "Make each row's probabilities lie in 0 to 1 and sum to 1.",
    ),
    "bad-quantiles": Reason(
        "Quantiles of a row that are not in rising order.", "Sort each row's quantiles from low to high."
    ),
    "missing-id": Reason("Expected ids without a row.", "Add one row for every id of the benchmark."),
    "unknown-id": Reason(
        "Ids that the benchmark does not have.", "Remove rows whose id is not in the benchmark."
    ),
    "duplicate-id": Reason("An id with two rows.", "Give every id exactly one row."),
    "too-many-rows": Reason("More rows than the benchmark allows.", "Send one row per id of the benchmark."),
    # documents that no door takes
    "bad-document": Reason("A document that is neither text nor known.", "Send plain UTF-8 text."),
    # running
    "over-time": Reason(
        "The submission needed more time than the benchmark allows.", "Send something that runs faster."
    ),
    "over-memory": Reason(
        "The submission needed more memory than the benchmark allows.",
        "Send something that needs less memory.",
    ),
    "over-output": Reason("More output than the benchmark allows.", "Write less output."),
    "bad-output": Reason(
        "The run ended without the answers that the benchmark asks for.",
        "Make the code write the declared predictions file and end without an error.",
    ),
    "code-failed": Reason(
        "The submitted code ended with an error.", "Run the code on your side until it ends cleanly."
    ),
    "needs-isolation": Reason(
        "Code submissions run only where full isolation is available.",
        "Ask the program's operators to install bubblewrap, or submit predictions instead.",
    ),
    "bad-claims": Reason(
        "Claims that are not a list of metric, value, and optional seeds, n and standard error.",
        "Write each claim as a known metric with a finite value.",
    ),
    # held: safety raised something for a person to look at
    "constant-answer": Reason(
        "Every item gets the same answer.", "A person looks at it: the submission answers every item alike."
    ),
    "non-finite-output": Reason(
        "The model's outputs are not finite numbers.",
        "A person looks at it: the model overflows on the benchmark's inputs.",
    ),
    "resource-hungry": Reason(
        "The full run would break the benchmark's time limit, by the probe's pace.",
        "A person looks at it: the full run would take longer than the benchmark allows.",
    ),
}
MAXIMUM_DETAILS = 4
DETAIL_WORDS = frozenset(
    [
        "row",
        "column",
        "item",
        "count",
        "expected",
        "found",
        "limit",
        "rows",
        "bytes",
        "classes",
        "shape",
        "line",
        "tensors",
        "files",
        "seconds",
        "parameters",
    ]
)
# Where a limit is one of bytes; elsewhere it counts rows, files or parameters.
MEASURED_IN_BYTES = frozenset(("too-big", "too-big-unpacked", "over-output"))
SIZE_WORDS = frozenset(("bytes", "limit"))


class Refused(Exception):
    """The submitter's fault, as a code of ``REFUSALS`` and a sentence that says what to change.

    Details are numbers only, under the words of ``DETAIL_WORDS``, so that nothing a submitter wrote
    and nothing hidden can travel in a sentence. ``names`` are the benchmark's own words, never the
    submitter's.

    >>> Refused("bad-row", row=3).message
    'Give every row exactly one plain value per column (row 3).'
    """

    def __init__(self, code: str, *, names: tuple[str, ...] = (), **details: int | float) -> None:
        if code not in REFUSALS:
            raise ValueError(f"{code!r} is not in the table of refusals.")
        self.code = code
        self.details = {word: number for word, number in details.items() if word in DETAIL_WORDS}
        self.names = names
        self.message = sentence(code, names=names, details=self.details)
        super().__init__(f"{code}: {self.message}")


def sentence(code: str, *, names: tuple[str, ...], details: dict[str, int | float]) -> str:
    """The advice of a code with its details in brackets."""
    advice = REFUSALS[code].advice
    said = [
        f"{word} {told(number, is_size=code in MEASURED_IN_BYTES and word in SIZE_WORDS)}"
        for word, number in list(details.items())[:MAXIMUM_DETAILS]
    ]
    said += list(names[:MAXIMUM_DETAILS])
    return f"{advice.rstrip('.')} ({', '.join(said)})." if said else advice


def told(number: int | float, *, is_size: bool) -> str:
    if is_size:
        return readable(number)
    return str(number) if isinstance(number, int) else f"{number:g}"


def readable(size: float) -> str:
    """Bytes as people write them.

    >>> readable(67_108_864)
    '67.1 MB'
    """
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= 0.9995 * unit:
            return f"{size / unit:.3g} {name}"
    return f"{size:.0f} bytes"


class ChildCrashed(Exception):
    """A child process ended without an answer; the run may be tried again."""


class Stopped(Exception):
    """``should_stop`` said so: the children are gone and nothing was measured."""
