"""An application is sent: what was written becomes outputs of the round's stage, read as all others are."""

from typing import Any
from uuid import UUID

from django.db import transaction

from tracker.cohorts.models import AdmissionRound, Application, Stream, Track
from tracker.errors import RuleBroken
from tracker.projects.models import Output
from tracker.wording import worded


def receive_application(
    round: AdmissionRound,
    *,
    name: str,
    email: str,
    track: str = "",
    stream: str = "",
    by: UUID | None = None,
    **said: str,
) -> Application:
    """An application that came in elsewhere: its applicant is invited, and what they wrote is sent."""
    with transaction.atomic():
        application = round.invite(name=name, email=email, by=by)
        application.wish(**wish_by_name(round, track=track, stream=stream))
        send_application(application, by=by, **said)
    return application


def wish_by_name(round: AdmissionRound, *, track: str, stream: str) -> dict[str, Any]:
    tracks = Track.objects.filter(cohort=round.cohort)
    found: dict[str, Any] = {"track": None, "stream": None}
    if track:
        found["track"] = tracks.filter(name=track).first()
        if found["track"] is None:
            raise RuleBroken(f"{round.cohort} has no track of this name.", field="track", code="no-track")
    if stream:
        named = Stream.objects.filter(name=stream, track__in=[found["track"]] if track else tracks)
        found["stream"] = named.select_related("track").first()
        if found["stream"] is None:
            raise RuleBroken(f"{round.cohort} has no stream of this name.", field="stream", code="no-stream")
        found["track"] = found["stream"].track
    return found


def send_application(
    application: Application, *, text: str, url: str = "", work_test: str = "", by: UUID | None = None
) -> None:
    """Send it, or send it again changed; a work test is an output of its own."""
    text = worded(text, "Write your application before you send it.")
    if application.round.work_test:
        work_test = worded(work_test, "Give your answer to the work test too.", field="work_test")
    with transaction.atomic():
        application.submit()
        put(application, Output.Kind.PROPOSAL, f"Application of {application.person}", by, text=text, url=url)
        if application.round.work_test:
            put(application, Output.Kind.WORK_TEST, f"Work test of {application.person}", by, text=work_test)


def put(application: Application, kind: str, title: str, by: UUID | None, **values: str) -> None:
    known = sent_of(application, kind)
    if known is not None:
        known.revise(by=by, **values)
        return
    Output.objects.publish_personal(
        application.person,
        cohort=application.round.cohort,
        kind=kind,
        title=title,
        stage=application.round.stage,
        by=by,
        **values,
    )


def sent_of(application: Application, kind: str) -> Output | None:
    """What was sent of this kind."""
    outputs = Output.objects.standing().filter(stage=application.round.stage, kind=kind)
    return outputs.filter(project__person=application.person).first()


def withdraw_application(application: Application, *, by_program: bool = False) -> None:
    """Taken back with what was sent: nobody reads it any more. Taken back again it stays so.

    A program's own systems do it only while the applicant can send it again: later it would be an end by a machine.
    """
    if application.state == Application.State.WITHDRAWN:
        return
    if by_program and not application.round.is_open:
        raise RuleBroken(
            f"{application.round} has closed: only the applicant takes it back now, or a decision ends it.",
            code="own-word",
        )
    with transaction.atomic():
        application.withdraw()
        sent = Output.objects.standing().filter(stage=application.round.stage)
        for output in sent.filter(project__person=application.person):
            output.retract()
