"""The one error that every door knows: a rule of the program was broken."""


class RuleBroken(Exception):
    """A deed that the rules do not allow, with one sentence that tells what to change.

    ``code`` is stable and for machines, ``field`` names the input at fault where there is one.
    """

    def __init__(self, message: str, *, code: str = "rule-broken", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field


class RulesBroken(RuleBroken):
    """Several rows of one request that the rules do not allow; nothing of it was kept."""

    def __init__(self, faults: list[tuple[int, RuleBroken]]) -> None:
        rows = "row" if len(faults) == 1 else "rows"
        numbers = ", ".join(str(row + 1) for row, _ in faults[:10])
        more = ", …" if len(faults) > 10 else ""
        super().__init__(
            f"Nothing was stored: correct {rows} {numbers}{more} and send all again.", code="rows-refused"
        )
        self.faults = faults
