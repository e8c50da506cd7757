"""User, Program, Person, Membership, ApiKey, ShareGrant."""

from tracker.people.models.keys import ApiKey, ApiKeyQuerySet, Scope
from tracker.people.models.people import Membership, MembershipQuerySet, Person, PersonQuerySet
from tracker.people.models.programs import DECIDERS, JUDGED, READERS, STAFF, Program, ProgramQuerySet, Role
from tracker.people.models.shares import ShareGrant, ShareGrantQuerySet
from tracker.people.models.users import Accounts, User, Visitor

__all__ = (
    "DECIDERS",
    "JUDGED",
    "READERS",
    "STAFF",
    "Accounts",
    "ApiKey",
    "ApiKeyQuerySet",
    "Membership",
    "MembershipQuerySet",
    "Person",
    "PersonQuerySet",
    "Program",
    "ProgramQuerySet",
    "Role",
    "Scope",
    "ShareGrant",
    "ShareGrantQuerySet",
    "User",
    "Visitor",
)
