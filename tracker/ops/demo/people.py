"""Everybody in the demo, with the log-ins that `up` prints."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tracker.cohorts.models import Cohort, Enrollment
from tracker.funding.models import Fund
from tracker.mentoring.models import Support
from tracker.people.models import ApiKey, Person, Program, Role, Scope, ShareGrant, User

PASSWORD = "plumbline-demo"
KEY = "plb_demo-key-for-this-machine-only"
SHARING_PEOPLE = 6

EMAILS = {
    "lead": "lead@demo.example",
    "committee": "committee@demo.example",
    "research_manager": "manager@demo.example",
    "mentor": "mentor@demo.example",
    "mentee": "mentee@demo.example",
    "fund_manager": "fund@demo.example",
}
LOGINS = {
    "Lead": f"{EMAILS['lead']}  {PASSWORD}",
    "Mentor": f"{EMAILS['mentor']}  {PASSWORD}",
    "Mentee": f"{EMAILS['mentee']}  {PASSWORD}",
    "Research manager": f"{EMAILS['research_manager']}  {PASSWORD}",
    "Fund manager": f"{EMAILS['fund_manager']}  {PASSWORD}  (at /admin/)",
    "Program key": KEY,
}


@dataclass(frozen=True)
class Cast:
    """Who is who, by name."""

    lead: Person
    mentors: dict[str, Person]
    mentees: dict[str, Person]

    @property
    def mentor(self) -> Person:
        """The one who can log in."""
        return next(iter(self.mentors.values()))

    @property
    def mentee(self) -> Person:
        return next(iter(self.mentees.values()))


def invite_everybody(program: Program, cohort: Cohort, plan: dict[str, Any]) -> Cast:
    """Staff, mentors and mentees; the first mentor and the first mentee can log in."""
    staff = plan["staff"]
    lead = join(program, staff["lead"], Role.LEAD, email=EMAILS["lead"])
    if lead.user is not None:
        lead.user.become_staff()
    join(program, staff["committee"], Role.COMMITTEE, email=EMAILS["committee"])
    manager = join(
        program, staff["research_manager"], Role.RESEARCH_MANAGER, email=EMAILS["research_manager"]
    )
    mentors = everybody(program, plan["mentors"]["names"], Role.MENTOR, first=EMAILS["mentor"])
    names = [name for project in plan["projects"] for name in project["authors"]]
    mentees = everybody(program, names, Role.MENTEE, first=EMAILS["mentee"])
    for mentee in mentees.values():
        Enrollment.objects.enroll(mentee, cohort=cohort, joined_on=cohort.starts_on)
        Support.objects.begin(mentee, manager=manager)
    return Cast(lead=lead, mentors=mentors, mentees=mentees)


def everybody(program: Program, names: Iterable[str], role: Role, *, first: str) -> dict[str, Person]:
    found: dict[str, Person] = {}
    for name in names:
        found[name] = join(program, name, role, email="" if found else first)
    return found


def join(program: Program, name: str, role: Role, *, email: str = "") -> Person:
    user = User.objects.create_user(email, PASSWORD, name=name) if email else None
    return Person.objects.join(program=program, name=name, roles=(role,), user=user)


def open_other_doors(program: Program, cast: Cast, staff: dict[str, str]) -> None:
    """A fund with whom some people share, and the program's key to the API."""
    fund = Fund.objects.found(staff["fund"])
    fund.appoint(User.objects.create_user(EMAILS["fund_manager"], PASSWORD, name=staff["fund_manager"]))
    for person in list(cast.mentees.values())[:SHARING_PEOPLE]:
        ShareGrant.objects.share(person, shared_with=fund.group, what=ShareGrant.What.ESTIMATES)
    ApiKey.objects.enter(KEY, program=program, name="Harbour's own systems", scopes=list(Scope.values))
