"""Gates and decisions, for reading: they are made on their own pages, after one's own leaning."""

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest

from tracker.decisions.models import Appeal, GateRule, Proposal, StageDecision
from tracker.estimates.admin import LoggedAdmin
from tracker.estimates.models import Estimate
from tracker.people.scoped_admin import ScopedModelAdmin, ScopedRelatedFilter


@admin.register(GateRule)
class GateRuleAdmin(ScopedModelAdmin):
    """Every version; the seed of a lottery is not among what is shown."""

    program_path = "stage__cohort__program"
    is_computed = True
    list_display = ("stage", "version", "places", "bar", "middle", "set_by", "set_at", "is_after_results")
    list_select_related = ("stage", "set_by")
    list_filter = (("stage", ScopedRelatedFilter), "is_after_results")
    search_fields = ("stage__name",)
    date_hierarchy = "set_at"
    fields = (
        ("stage", "version"),
        ("places", "bar", "planned_readers", "floor"),
        ("yes_from", "no_to", "middle"),
        "commitment",
        ("set_by", "set_at", "is_after_results", "replaced_at"),
        "reason",
    )


@admin.register(Proposal)
class ProposalAdmin(LoggedAdmin):
    """What was proposed, to whom, after which leaning. It says what an estimate says, so looking is logged as there."""

    program_path = "leaning__stage__cohort__program"
    list_display = ("person", "decider", "leant", "answer", "outcome", "shown_at")
    list_select_related = ("leaning__enrollment__person", "leaning__decider")
    list_filter = ("answer", "outcome")
    search_fields = ("leaning__enrollment__person__name",)
    date_hierarchy = "shown_at"
    fields = ("leaning", "rule", "fit", "answer", "outcome", "through", "symmetric", "shown_at")

    def estimates_of(self, request: HttpRequest, rows: Iterable[Proposal]) -> list[Estimate]:
        shown = {(proposal.fit_id, proposal.leaning.enrollment.person_id) for proposal in rows}
        fits, people = {fit for fit, _ in shown}, {person for _, person in shown}
        known = Estimate.objects.visible_to(request.user).filter(fit__in=fits - {None}, person__in=people)
        return [estimate for estimate in known if (estimate.fit_id, estimate.person_id) in shown]

    @admin.display(ordering="leaning__enrollment__person__name")
    def person(self, proposal: Proposal) -> str:
        return proposal.leaning.enrollment.person.name

    @admin.display(ordering="leaning__decider__name")
    def decider(self, proposal: Proposal) -> str:
        return proposal.leaning.decider.name

    @admin.display(description="leaned to")
    def leant(self, proposal: Proposal) -> str:
        return proposal.leaning.get_outcome_display()


@admin.register(StageDecision)
class StageDecisionAdmin(ScopedModelAdmin):
    program_path = "stage__cohort__program"
    is_computed = True
    list_display = ("enrollment", "stage", "outcome", "origin", "decider", "decided_at", "took_effect_at")
    list_select_related = ("enrollment__person", "enrollment__cohort", "stage", "decider")
    list_filter = ("outcome", "origin", ("stage", ScopedRelatedFilter))
    search_fields = ("enrollment__person__name",)
    date_hierarchy = "decided_at"
    fields = (
        ("enrollment", "stage"),
        ("outcome", "weeks", "again_on"),
        ("origin", "decider", "decided_at", "forecast"),
        "reasons",
        ("second_reader", "second_agrees", "second_read_at"),
        "second_reasons",
        ("appeal_until", "took_effect_at", "replaced_at", "undone"),
        "fit",
    )


@admin.register(Appeal)
class AppealAdmin(ScopedModelAdmin):
    program_path = "decision__stage__cohort__program"
    is_computed = True
    list_display = ("decision", "made_at", "heard_by", "upholds", "heard_at")
    list_select_related = ("decision__enrollment__person", "heard_by")
    list_filter = ("upholds",)
    search_fields = ("decision__enrollment__person__name",)
    date_hierarchy = "made_at"
    fields = ("decision", "words", "made_at", "heard_by", "upholds", "reasons", "heard_at")
