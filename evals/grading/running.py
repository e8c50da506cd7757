"""One job in a fresh jail: the job's frame and the submitter's bytes in, an answer or a refusal out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from evals.grading.children import CHUNK_BYTES, Bounds, Supervisor, never
from evals.grading.frames import Frame
from evals.grading.jail import Cell, jailed
from evals.grading.refusals import REFUSALS, ChildCrashed, Refused

Contents = Mapping[str, Path | bytes]
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Watch:
    """How a caller looks at a running job and stops it."""

    on_progress: Report = lambda done, total: None
    should_stop: Callable[[], bool] = never


def run_job(job: Frame, files: Contents, cell: Cell, *, output: int, watch: Watch) -> Frame:
    """The jailed reader's answer to a job over these files."""
    bounds = Bounds(seconds=cell.seconds, memory=cell.memory, output=output)
    with jailed(cell) as start:
        supervisor = Supervisor(start.popen(), bounds)
        listen(supervisor, watch)
        answer = supervisor.run(parts(job, files))
    return judged(answer)


def listen(supervisor: Supervisor, watch: Watch) -> None:
    """Let the caller see this job's progress and stop it."""
    supervisor.should_stop = watch.should_stop
    supervisor.on_frame = lambda frame: tell(frame, watch)


def size_of(content: Path | bytes) -> int:
    """Bytes of a file, on disk or at hand."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def parts(job: Frame, files: Contents) -> Iterator[bytes]:
    """The job's frame with the files' names and sizes, then their bytes in blocks."""
    sizes = [{"name": name, "bytes": size_of(content)} for name, content in files.items()]
    yield Frame({**job.header, "files": sizes}, job.arrays).pack()
    for content in files.values():
        if isinstance(content, bytes):
            yield content
            continue
        with content.open("rb") as stream:
            while block := stream.read(CHUNK_BYTES):
                yield block


def tell(frame: Frame, watch: Watch) -> None:
    """Hand on a progress report if it is one: two whole numbers."""
    report = frame.header["progress"]
    if isinstance(report, list) and len(report) == 2 and all(type(number) is int for number in report):
        watch.on_progress(*report)


def judged(answer: Frame) -> Frame:
    """The answer, or the refusal that it states, in our own words."""
    state = answer.header.get("state")
    if state == "done":
        return answer
    code, details = answer.header.get("code"), answer.header.get("details")
    if state != "refused" or code not in REFUSALS or not isinstance(details, dict):
        raise ChildCrashed("The jailed reader gave an answer of the wrong form.")
    raise Refused(code, **{str(word): n for word, n in details.items() if type(n) in (int, float)})
