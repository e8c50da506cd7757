"""A guard: a rule that the database itself keeps by a trigger, on SQLite and PostgreSQL.

Guards are no migrations: SQLite loses a table's triggers when a migration rebuilds it, so `migrate` puts all of them
back each time (``tracker/ops/guards.py``).
"""

from dataclasses import dataclass

PREFIX = "guard_"


@dataclass(frozen=True)
class Guard:
    """A row is refused, with a sentence, where the condition over NEW (and OLD) holds.

    ``locks`` names the rows that must not change until the writer has committed; SQLite has one writer anyway.
    """

    name: str
    table: str
    event: str
    condition: str
    sentence: str
    locks: str = ""

    @property
    def trigger(self) -> str:
        return f"{PREFIX}{self.name}"

    def as_sql(self, vendor: str) -> str:
        if vendor == "sqlite":
            # Before its version 3.39 SQLite knows one spelling of this alone.
            condition = self.condition.replace("IS DISTINCT FROM", "IS NOT")
            return (
                f"CREATE TRIGGER {self.trigger} BEFORE {self.event} ON {self.table} FOR EACH ROW"
                f" WHEN {condition} BEGIN SELECT RAISE(ABORT, '{self.sentence}'); END"
            )
        return (
            f"CREATE OR REPLACE FUNCTION {self.trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" {self.locks} IF {self.condition} THEN"
            f" RAISE EXCEPTION '{self.sentence}' USING ERRCODE = 'check_violation'; END IF;"
            " RETURN NEW; END $$;"
            f" CREATE TRIGGER {self.trigger} BEFORE {self.event} ON {self.table}"
            f" FOR EACH ROW EXECUTE FUNCTION {self.trigger}()"
        )


def changed(*columns: str) -> str:
    """The condition of an update that changes one of these."""
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)
