"""What the database itself refuses about gradings: rules that need more than one row, and rows that never change.

A thorough run shows the clearance that both earlier phases gave the same submission, for the same artifact and the
same content of the benchmark. A check or a foreign key sees one row at a time, so these are triggers.
"""

from tracker.events.guards import Guard, changed

BOTH_PASSED = """NOT EXISTS (
    SELECT 1 FROM grading_submission sent
    JOIN grading_run first ON first.submission_id = sent.id AND first.id = NEW.qualification_id
    JOIN grading_run second ON second.submission_id = sent.id AND second.id = NEW.safety_id
    JOIN grading_benchmark task ON task.id = first.benchmark_id AND task.id = second.benchmark_id
    WHERE sent.id = NEW.submission_id AND sent.artifact_id = NEW.artifact_id
    AND task.content_hash = NEW.benchmark_hash AND first.id < second.id
    AND first.phase = 'qualification' AND first.state = 'succeeded'
    AND second.phase = 'safety' AND second.state = 'succeeded'
    AND (second.message = '' OR NEW.let_through_by IS NOT NULL))"""
NOT_CLEARED = """NEW.phase = 'thorough' AND NOT EXISTS (
    SELECT 1 FROM grading_clearance shown
    JOIN grading_submission sent ON sent.id = shown.submission_id
    JOIN grading_benchmark task ON task.id = NEW.benchmark_id
    WHERE shown.id = NEW.clearance_id AND sent.id = NEW.submission_id
    AND shown.artifact_id = sent.artifact_id AND shown.benchmark_hash = task.content_hash)"""
UNDOES_A_CLEARANCE = """(NEW.state <> 'succeeded' OR NEW.phase <> OLD.phase
    OR NEW.submission_id <> OLD.submission_id) AND EXISTS (
    SELECT 1 FROM grading_clearance given WHERE given.qualification_id = NEW.id OR given.safety_id = NEW.id)"""
OF_ANOTHER_BENCHMARK = """NOT EXISTS (
    SELECT 1 FROM grading_submission sent
    JOIN grading_benchmark task ON task.id = sent.benchmark_id
    JOIN grading_benchmark version ON version.program_id = task.program_id AND version.slug = task.slug
    WHERE sent.id = NEW.submission_id AND version.id = NEW.benchmark_id)"""
GOES_ON_AFTER_A_CHECK = """NEW.phase <> 'qualification' AND EXISTS (
    SELECT 1 FROM grading_submission sent WHERE sent.id = NEW.submission_id AND sent.is_check_only)"""
STAYS_CLEARED = "A thorough run shows the clearance of its own submission, artifact and benchmark."

GUARDS = (
    Guard(
        "a_clearance_rests_on_two_passed_phases",
        "grading_clearance",
        "INSERT",
        BOTH_PASSED,
        "A clearance rests on the passed qualification and safety of its submission, artifact and benchmark.",
        locks="PERFORM 1 FROM grading_run WHERE id IN (NEW.qualification_id, NEW.safety_id) FOR SHARE;",
    ),
    Guard(
        "a_clearance_never_changes", "grading_clearance", "UPDATE", "1 = 1", "A clearance is never changed."
    ),
    Guard("a_thorough_run_begins_cleared", "grading_run", "INSERT", NOT_CLEARED, STAYS_CLEARED),
    Guard("a_thorough_run_stays_cleared", "grading_run", "UPDATE", NOT_CLEARED, STAYS_CLEARED),
    Guard(
        "a_run_measures_on_a_version_of_its_benchmark",
        "grading_run",
        "INSERT",
        OF_ANOTHER_BENCHMARK,
        "A run measures on a version of the benchmark that its submission was sent to.",
    ),
    Guard(
        "a_run_keeps_its_version",
        "grading_run",
        "UPDATE",
        changed("benchmark_id", "submission_id"),
        "A run keeps its submission and its version of the benchmark: make a new one.",
    ),
    Guard(
        "a_check_stops_after_the_first_phase",
        "grading_run",
        "INSERT",
        GOES_ON_AFTER_A_CHECK,
        "What was sent to be checked alone goes through the first phase alone.",
    ),
    Guard(
        "what_cleared_stays_passed",
        "grading_run",
        "UPDATE",
        UNDOES_A_CLEARANCE,
        "A phase that cleared a submission stays passed.",
    ),
    Guard(
        "what_was_sent_never_changes",
        "grading_submission",
        "UPDATE",
        changed("artifact_id", "benchmark_id", "is_check_only", "training_id"),
        "What was sent, and to which benchmark, is never changed: send it anew.",
    ),
    Guard(
        "content_of_a_benchmark_never_changes",
        "grading_benchmark",
        "UPDATE",
        changed("content_hash", "slug", "program_id"),
        "A version of a benchmark is never changed: install a new one.",
    ),
)
