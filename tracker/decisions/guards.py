"""What was said before results or a proposal were seen: the database lets none of it change."""

from tracker.events.guards import Guard, changed

GUARDS = (
    Guard(
        "a_gate_rule_never_changes",
        "decisions_gaterule",
        "UPDATE",
        changed(
            "stage_id",
            "version",
            "places",
            "bar",
            "planned_readers",
            "floor",
            "yes_from",
            "no_to",
            "middle",
            "seed",
            "commitment",
            "set_at",
            "reason",
            "is_after_results",
        ),
        "A version of a gate rule never changes: fix another one.",
    ),
    Guard(
        "a_leaning_never_changes",
        "decisions_leaning",
        "UPDATE",
        changed("stage_id", "outcome", "why", "said_at"),
        "A leaning is said once and never changes.",
    ),
    Guard(
        "a_proposal_never_changes",
        "decisions_proposal",
        "UPDATE",
        changed(
            "leaning_id",
            "rule_id",
            "fit_id",
            "answer",
            "outcome",
            "through",
            "symmetric",
            "readers",
            "against",
            "good_pieces",
            "has_failed_check",
            "is_drawn",
            "shown_at",
        ),
        "A proposal never changes: it is what was shown.",
    ),
    Guard(
        "a_lottery_is_drawn_once",
        "decisions_lottery",
        "UPDATE",
        changed("rule_id", "fit_id", "places", "entrants", "drawn_at"),
        "A lottery is drawn once and never changes.",
    ),
)
