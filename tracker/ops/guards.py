"""Every rule that the database keeps by triggers: put in place after migrations, and asked for by the doctor."""

from django.db.backends.base.base import BaseDatabaseWrapper

from tracker.decisions.guards import GUARDS as OF_DECISIONS
from tracker.events.guards import PREFIX
from tracker.grading.guards import GUARDS as OF_GRADING

GUARDS = (*OF_GRADING, *OF_DECISIONS)
NEEDED_TABLES = frozenset(guard.table for guard in GUARDS)


def drop_guards(connection: BaseDatabaseWrapper) -> None:
    """Take the guards away, so that a migration may rebuild their tables."""
    with connection.cursor() as cursor:
        for name, table in present_guards(connection):
            cursor.execute(
                f"DROP TRIGGER {name}" + (f" ON {table}" if connection.vendor == "postgresql" else "")
            )


def install_guards(connection: BaseDatabaseWrapper) -> None:
    """Put every guard in place, where the tables that it watches are."""
    if not set(connection.introspection.table_names()) >= NEEDED_TABLES:
        return
    drop_guards(connection)
    with connection.cursor() as cursor:
        for guard in GUARDS:
            cursor.execute(guard.as_sql(connection.vendor))


def missing_guards(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of rules that this database does not hold."""
    return {guard.trigger for guard in GUARDS} - {name for name, _ in present_guards(connection)}


def present_guards(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    """Trigger and table of each guard that is in place, this version's and earlier ones'."""
    if connection.vendor == "sqlite":
        query = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s"
    else:
        query = (
            "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE NOT tgisinternal AND tgname LIKE %s"
        )
    with connection.cursor() as cursor:
        cursor.execute(query, [f"{PREFIX}%"])
        return list(cursor.fetchall())
