"""What a pasted link is: recognised, written in one normal form, or refused in a sentence. Nothing is fetched.

A link has a ``work``, the same wherever and however it is shown (a preprint's abstract, its PDF, its mirror), a
``version`` where one is named (a commit, ``v2``), and one ``url`` to open it by.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from tracker.errors import RuleBroken
from tracker.projects.link_patterns import PATTERNS, Pattern

LONGEST = 1000
MOST_PARAMETERS = 50
DEFAULT_PORTS = {"http": 80, "https": 443}
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SSH = re.compile(r"(?:ssh://)?git@([a-z0-9.-]+)[:/](.+)", re.IGNORECASE)
# How people write an identifier without a site: the site that keeps it.
SHORT = (
    (re.compile(r"arxiv:\s*(\S+)", re.IGNORECASE), "https://arxiv.org/abs/{}"),
    (re.compile(r"(\d{4}\.\d{4,5}(?:v\d+)?)"), "https://arxiv.org/abs/{}"),
    (re.compile(r"([a-z-]+(?:\.[A-Za-z-]+)?/\d{7}(?:v\d+)?)"), "https://arxiv.org/abs/{}"),
    (re.compile(r"(?:doi:\s*)?(10\.\d{4,9}/\S+)", re.IGNORECASE), "https://doi.org/{}"),
)
TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|twclid|igshid|mc_cid|mc_eid|_hsenc|_hsmi|mkt_tok"
    r"|ref_src|ref_url|vero_id|oly_\w+_id|spm|wt_mc|trk|usp",
    re.IGNORECASE,
)
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%[0-9A-Fa-f]{2}")
SAFE_IN_PATH = "%!$&'()*+,;=:@/~"


@dataclass(frozen=True)
class Link:
    kind: str
    work: str
    version: str
    url: str

    @property
    def normal(self) -> str:
        return f"{self.work}@{self.version}" if self.version else self.work


@dataclass(frozen=True)
class Address:
    """A web address in its parts, each in one spelling."""

    scheme: str
    host: str
    path: str
    query: str
    fragment: str

    @property
    def place(self) -> str:
        """Without the scheme: what patterns look at, and what a page is known by."""
        return (
            self.host
            + self.path
            + (f"?{self.query}" if self.query else "")
            + (f"#{self.fragment}" if self.fragment else "")
        )


def recognise(text: str) -> Link:
    """What a pasted text links to.

    >>> recognise("http://www.arxiv.org/pdf/2401.01234v2.pdf?utm_source=x").normal
    'arxiv:2401.01234@v2'
    """
    address = read(text)
    judge_length(address.place)
    bare = address.host.removeprefix("www.")
    place = address.place.replace(address.host, bare, 1)
    for pattern in PATTERNS:
        found = pattern.regex.fullmatch(place)
        if found:
            return from_pattern(pattern, found)
    return Link("page", place, "", f"{address.scheme}://{address.place}")


def from_pattern(pattern: Pattern, found: re.Match[str]) -> Link:
    groups = {name: value or "" for name, value in found.groupdict().items()}
    version = pattern.version_of(groups.get("version", ""))
    folded = {name: value.lower() if name in pattern.fold else value for name, value in groups.items()}
    work = pattern.work.format(**{"path": "", **folded}).rstrip("/")
    return Link(pattern.kind, work, version, pattern.address_of({**groups, "version": version}))


def read(text: str) -> Address:
    """The address in a pasted text, or why it is none that others can open safely."""
    parts = urlsplit_or_refuse(with_scheme(plain(text)))
    if parts.scheme.lower() not in DEFAULT_PORTS:
        raise refused("Give a link that starts with https://.")
    if "@" in parts.netloc:
        raise refused("Take the name and password out of the link: others will see it.")
    scheme = parts.scheme.lower()
    return Address(
        scheme=scheme,
        host=host_of(parts.netloc, scheme),
        path=path_of(parts.path),
        query=query_of(parts.query),
        fragment=fragment_of(parts.fragment),
    )


def plain(text: str) -> str:
    text = text.strip().removeprefix("<").removesuffix(">")
    if not text:
        raise refused("Paste a link, such as https://arxiv.org/abs/2401.01234.")
    judge_length(text)
    if any(unicodedata.category(character)[0] in "CZ" for character in text) or "\\" in text:
        raise refused(
            "Paste one link alone, without spaces, backslashes or invisible characters: this one has some."
        )
    return text


def judge_length(text: str) -> None:
    if len(text) > LONGEST - len("https://"):
        raise refused(f"Paste a link of at most {LONGEST} characters: this one has {len(text)}.")


def with_scheme(text: str) -> str:
    """Short forms that people use, as addresses."""
    for form, template in SHORT:
        found = form.fullmatch(text)
        if found:
            return template.format(found[1])
    over_ssh = SSH.fullmatch(text)
    if over_ssh:
        return f"https://{over_ssh[1]}/{over_ssh[2]}"
    text = text.removeprefix("git+")
    named = SCHEME.match(text)
    looks_like_a_port = named and re.match(r"\d+(/|$)", text[named.end() :])
    return text if named and not looks_like_a_port else f"https://{text}"


def urlsplit_or_refuse(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise refused("This is not a web address: paste it as the browser shows it.") from None


def host_of(netloc: str, scheme: str) -> str:
    """The site's name in lower case, which must be one that all can reach and nobody can mistake."""
    name, _, port = netloc.lower().partition(":")
    name = name.removesuffix(".")
    labels = name.split(".")
    if not name.isascii() or any(label.startswith("xn--") for label in labels):
        raise refused("Give the site's name in plain letters: this one could be mistaken for another's.")
    is_public = len(labels) > 1 and len(name) <= 253 and labels[-1].isalpha()
    if not is_public or not all(LABEL.fullmatch(label) for label in labels):
        raise refused("Give the address of a site that others can open, such as https://example.org/paper.")
    if port and not (port.isdecimal() and port.isascii() and 0 < int(port) < 65536):
        raise refused("The number behind the site's name is none that a site can have: take it out.")
    return name if not port or int(port) == DEFAULT_PORTS[scheme] else f"{name}:{int(port)}"


def one_spelling(text: str, safe: str) -> str:
    """Percent-escapes where they are needed, in capitals, and nowhere else."""

    def spelt(escape: re.Match[str]) -> str:
        if len(escape[0]) == 1:
            return "%25"
        character = chr(int(escape[0][1:], 16))
        return character if character in UNRESERVED else escape[0].upper()

    return quote(ESCAPE.sub(spelt, text), safe=safe)


def path_of(path: str) -> str:
    kept: list[str] = []
    for step in one_spelling(path, SAFE_IN_PATH).split("/"):
        if step == "..":
            kept = kept[:-1]
        elif step != ".":
            kept.append(step)
    joined = "/".join(kept).strip("/")
    return f"/{joined}" if joined else ""


def query_of(query: str) -> str:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS, errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise refused("What follows the question mark cannot be read: paste the link without it.") from None
    return urlencode(sorted(told(pairs)), quote_via=quote, safe="-._~/:")


def told(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Without what only tells where somebody came from."""
    for name, value in pairs:
        if not TRACKING.fullmatch(name):
            yield name, value


def fragment_of(fragment: str) -> str:
    """Only where it names a page, as some sites do, not a place on it."""
    return one_spelling(fragment, SAFE_IN_PATH + "?").rstrip("/") if fragment.startswith(("/", "!/")) else ""


def refused(sentence: str) -> RuleBroken:
    return RuleBroken(sentence, code="bad-link", field="url")
