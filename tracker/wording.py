"""What people write into the record: kept whole, or refused with what to change."""

from tracker.errors import RuleBroken

LONGEST_TITLE = 300
LONGEST_REASON = 2_000
LONGEST_TEXT = 10_000


def worded(
    text: object,
    missing: str,
    *,
    field: str = "text",
    code: str = "text-missing",
    longest: int = LONGEST_TEXT,
) -> str:
    """A text that must be there, without blanks around it; ``missing`` tells what to write where there is none.

    Raises:
        RuleBroken: It is empty, has more than ``longest`` characters, or one that no database keeps.
    """
    written = wording(text, field=field, longest=longest)
    if not written:
        raise RuleBroken(missing, code=code, field=field)
    return written


def wording(text: object, *, field: str = "text", longest: int = LONGEST_TEXT) -> str:
    """As ``worded``, for a text that may be left out. It is never cut short: who wrote it would not know."""
    written = str(text).strip()
    if len(written) > longest:
        raise RuleBroken(
            f"Shorten this to {longest:,} characters: it has {len(written):,}.", code="too-long", field=field
        )
    if "\x00" in written:
        raise RuleBroken("Take out the character U+0000: it is no text.", code="no-text", field=field)
    return written
