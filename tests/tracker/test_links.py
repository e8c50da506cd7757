"""A pasted link is recognised offline, has one normal form, and is refused in a sentence where it is no link."""

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tracker.errors import RuleBroken
from tracker.projects.links import LONGEST, Link, recognise

SHA = "0123456789abcdef0123456789abcdef01234567"
POST, DOC, RUN = "a1B2c3D4e5F6g7H8i", "1x-Y_zAbCdEfGhIjKlMnOpQr", "0123456789abcdef0123456789abcdef"
# Each row: a normal form, and ways in which people paste the same thing.
SAME = {
    f"github.com/owner/repo@{SHA}": [
        f"https://github.com/Owner/Repo/commit/{SHA}",
        f"github.com/owner/repo@{SHA.upper()}",
        f"http://www.github.com/owner/repo/tree/{SHA}/",
        f"https://github.com/owner/repo/commit/{SHA}.patch",
        f"https://github.com/owner/repo/archive/{SHA}.zip",
        f"git+https://github.com/owner/repo@{SHA}",
    ],
    "github.com/owner/repo": [
        "git@github.com:owner/repo.git",
        "https://github.com/owner/repo?tab=readme-ov-file#install",
        "https://github.com/owner/repo/tree/main",
    ],
    f"github.com/owner/repo//src/a.py@{SHA}": [
        f"https://github.com/owner/repo/blob/{SHA}/src/a.py#L10-L20",
        f"https://raw.githubusercontent.com/owner/repo/{SHA}/src/a.py",
        f"https://colab.research.google.com/github/owner/repo/blob/{SHA}/src/a.py",
    ],
    "github.com/owner/repo@v1.0": [
        "https://github.com/owner/repo/releases/tag/v1.0",
        "https://github.com/owner/repo/archive/refs/tags/v1.0.tar.gz",
    ],
    "github.com/owner/repo@abc1234": ["https://github.com/owner/repo/commit/ABC1234"],
    "github.com/owner/repo/pull/12": ["https://github.com/owner/repo/pull/12/files"],
    f"gist.github.com/{RUN}": [f"https://gist.github.com/owner/{RUN}"],
    f"gitlab.com/group/sub/repo@{SHA}": [f"https://gitlab.com/group/sub/repo/-/tree/{SHA}?ref_type=heads"],
    "gitlab.com/group/repo": ["https://gitlab.com/Group/repo.git", "gitlab.com/group/repo/-/tree/main"],
    f"codeberg.org/owner/repo//a.md@{SHA}": [f"https://codeberg.org/owner/repo/src/commit/{SHA}/a.md"],
    f"bitbucket.org/owner/repo@{SHA}": [f"https://bitbucket.org/owner/repo/commits/{SHA}"],
    f"git.sr.ht/~owner/repo@{SHA}": [f"https://git.sr.ht/~owner/repo/commit/{SHA}"],
    "arxiv:2401.01234": [
        "https://arxiv.org/abs/2401.01234",
        "https://arxiv.org/pdf/2401.01234.pdf",
        "https://ar5iv.labs.arxiv.org/html/2401.01234",
        "https://huggingface.co/papers/2401.01234",
        "https://doi.org/10.48550/arXiv.2401.01234",
        "arXiv: 2401.01234".replace(" ", ""),
        "2401.01234",
    ],
    "arxiv:2401.01234@v2": ["http://export.arxiv.org/pdf/2401.01234v2", "arxiv:2401.01234v2"],
    "arxiv:math/0309136@v1": [
        "https://arxiv.org/abs/math.GT/0309136v1",
        "https://arxiv.org/pdf/math/0309136v1",
        "https://arxiv.org/abs/arXiv:math.GT/0309136v1",
        "math/0309136v1",
    ],
    "arxiv:cond-mat/0301012": [
        "https://arxiv.org/abs/cond-mat.str-el/0301012",
        "https://doi.org/10.48550/arXiv.cond-mat/0301012",
        "arXiv:cond-mat/0301012",
    ],
    "openreview:aB_c-1": [
        "https://openreview.net/forum?id=aB_c-1",
        "https://openreview.net/pdf?id=aB_c-1",
        "https://openreview.net/forum?noteId=aB_c-1&id=aB_c-1",
    ],
    "openreview:aB_c-1#note": ["https://openreview.net/forum?id=aB_c-1&noteId=note"],
    f"lesswrong:{POST}": [
        f"https://www.lesswrong.com/posts/{POST}/some-slug",
        f"https://www.alignmentforum.org/posts/{POST}/another-slug",
        f"https://www.greaterwrong.com/posts/{POST}",
        f"https://www.lesswrong.com/s/zzzzzzzzzzzzzzzzz/p/{POST}",
    ],
    f"lesswrong:{POST}#{POST[::-1]}": [f"https://www.lesswrong.com/posts/{POST}/slug?commentId={POST[::-1]}"],
    f"ea-forum:{POST}": [
        f"https://forum.effectivealtruism.org/posts/{POST}/slug",
        f"https://ea.greaterwrong.com/posts/{POST}/slug",
    ],
    "substack:name/a-slug": [
        "https://name.substack.com/p/a-slug?r=abc&triedRedirect=true",
        "https://open.substack.com/pub/name/p/a-slug?utm_medium=web",
        "https://name.substack.com/p/a-slug/comments",
    ],
    "x:123456": ["https://twitter.com/user/status/123456", "https://x.com/User/status/123456?s=20&t=abc"],
    "reddit:1abc2d": [
        "https://old.reddit.com/r/science/comments/1abc2d/some_title/?share_id=x",
        "https://www.reddit.com/r/science/comments/1abc2d",
    ],
    "hacker-news:42": ["https://news.ycombinator.com/item?id=42&ref=x"],
    "wandb:team/project/runs/1a2b3c": ["https://wandb.ai/team/project/runs/1a2b3c/overview?nw=nwuser"],
    "wandb:report/Vmlldzo123": ["https://wandb.ai/team/project/reports/Title--Vmlldzo123"],
    f"mlflow:ml.example.org/3/{RUN}": [f"https://ml.example.org/#/experiments/3/runs/{RUN}/artifacts"],
    f"google:{DOC}": [
        f"https://docs.google.com/document/d/{DOC}/edit?usp=sharing",
        f"https://docs.google.com/document/u/1/d/{DOC}",
        f"https://drive.google.com/open?id={DOC}",
        f"https://drive.google.com/file/d/{DOC}/view",
    ],
    f"notion:{RUN}": [f"https://www.notion.so/team/Log-of-probes-{RUN}?pvs=4"],
    f"huggingface:org/model@{SHA}": [
        f"https://huggingface.co/Org/Model/tree/{SHA}",
        f"hf.co/org/model@{SHA}",
    ],
    "huggingface:datasets/org/data": ["https://huggingface.co/datasets/org/data/tree/main"],
    "doi:10.1038/s41586-020-2649-2": [
        "https://dx.doi.org/10.1038/S41586-020-2649-2",
        "doi:10.1038/s41586-020-2649-2",
    ],
    "doi:10.5281/zenodo.123": ["https://zenodo.org/records/123", "https://doi.org/10.5281/zenodo.123"],
    "youtube:abc-DEF_123": [
        "https://www.youtube.com/watch?v=abc-DEF_123&t=42s",
        "https://youtu.be/abc-DEF_123?si=xyz",
        "https://m.youtube.com/shorts/abc-DEF_123",
    ],
    "example.org/~user/page?a=1&b=2": [
        "https://Example.org:443/x/../%7euser/page/?b=2&a=1&utm_source=mail&fbclid=1#part",
        "http://www.example.org/~user/./page?a=1&b=2",
    ],
}
PASTED = [text for texts in SAME.values() for text in texts]


@pytest.mark.parametrize(
    ("normal", "text"), [(normal, text) for normal, texts in SAME.items() for text in texts]
)
def test_the_same_thing_has_one_normal_form(normal, text):
    assert recognise(text).normal == normal


@pytest.mark.parametrize("text", PASTED)
def test_the_address_it_opens_by_is_recognised_as_the_same(text):
    link = recognise(text)

    assert recognise(link.url) == link


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://github.com/owner/repo/tree/main/src", "https://github.com/owner/repo/tree/main/Src"),
        ("https://github.com/owner/repo/pull/12", "https://github.com/owner/repo/tree/main/pull/12"),
        ("https://arxiv.org/abs/2401.01234v1", "https://arxiv.org/abs/2401.01234v2"),
        ("https://arxiv.org/abs/2401.01234", "https://arxiv.org/abs/2401.012345"),
        ("https://openreview.net/forum?id=abc", "https://openreview.net/forum?id=Abc"),
        (f"https://www.lesswrong.com/posts/{POST}", f"https://forum.effectivealtruism.org/posts/{POST}"),
        ("https://youtu.be/abcdefghijk", "https://youtu.be/abcdefghijK"),
        ("https://one.substack.com/p/x", "https://other.substack.com/p/x"),
        (
            "https://www.reddit.com/r/science/comments/1abc2d/title",
            "https://www.reddit.com/r/science/comments/1abc2d/title/9xyz",
        ),
        ("https://arxiv.org/abs/math/0309136", "https://arxiv.org/abs/hep-th/0309136"),
        ("https://huggingface.co/org/data", "https://huggingface.co/datasets/org/data"),
        ("https://example.org/a%2Fb", "https://example.org/a/b"),
        ("https://example.org/A", "https://example.org/a"),
        ("https://example.org/?id=1", "https://example.org/?id=2"),
        ("https://example.org/x", "https://example.org:8443/x"),
        ("https://github.com.example.org/owner/repo", "https://github.com/owner/repo"),
        ("https://example.org/github.com/owner/repo", "https://github.com/owner/repo"),
        ("https://example.org/#/a", "https://example.org/#/b"),
    ],
)
def test_different_things_are_kept_apart(one, other):
    assert recognise(one).normal != recognise(other).normal


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Paste a link"),
        ("   ", "Paste a link"),
        ("javascript:alert(1)", "starts with https"),
        ("JaVaScRiPt://github.com/%0aalert(1)", "starts with https"),
        ("data:text/html,<script>", "starts with https"),
        ("file:///etc/passwd", "starts with https"),
        ("ftp://example.org/x", "starts with https"),
        ("https://user:secret@github.com/owner/repo", "name and password"),
        ("https://github.com@evil.example/owner", "name and password"),
        ("https://g\u0456thub.com/owner/repo", "plain letters"),
        ("https://xn--gthub-n4a.com/owner/repo", "plain letters"),
        ("https://github\uff0ecom/owner", "plain letters"),
        ("https://github.com\\@evil.example", "backslashes"),
        ("https://example.org/\u202egpj.exe", "invisible"),
        ("https://example.org/a\x00b", "invisible"),
        ("https://example.org/a\nb", "invisible"),
        ("https://example.org/\ud800", "invisible"),
        ("https://example.org/a b", "spaces"),
        ("https://127.0.0.1/x", "others can open"),
        ("https://localhost:8000/x", "others can open"),
        ("https://0x7f000001/", "others can open"),
        ("https://[::1]/", "others can open"),
        ("https://[::1", "not a web address"),
        ("https://-a-.org/", "others can open"),
        ("https://example.org:99999/", "number behind"),
        ("https://example.org:\u0661/", "number behind"),
        ("https:///path", "others can open"),
        ("https://example.org/" + "a" * 10_000, "at most 1000"),
        ("https://example.org/" + "\u00e9" * 500, "at most 1000"),
        ("https://example.org/?" + "a=1&" * 200, "question mark"),
    ],
)
def test_what_is_no_link_is_refused_in_a_sentence(text, says):
    with pytest.raises(RuleBroken, match=says) as refusal:
        recognise(text)

    assert (refusal.value.code, refusal.value.field) == ("bad-link", "url")


def recognised(text: str) -> Link | None:
    try:
        return recognise(text)
    except RuleBroken:
        return None


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=1200), st.from_regex(r"https?://[a-z.]{1,9}/[ -~]{0,60}", fullmatch=True)))
@example("https://example.org/%")
@example("https://example.org/%2e%2e/%2E/x")
@example("https://a.bc/?&&=&%ff")
def test_any_text_is_refused_or_has_an_address_that_means_itself(text):
    link = recognised(text)

    if link is not None:
        assert link.url.startswith(("https://", "http://"))
        assert link.url.isascii()
        assert not set(link.url) & set('"<>\\ `{}|^')
        assert recognise(link.url) == link


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(PASTED),
    st.sampled_from(["utm_source", "utm_campaign", "fbclid", "gclid", "mc_eid", "ref_src"]),
    st.text(alphabet="abc123", max_size=8),
)
def test_how_somebody_came_there_changes_nothing(text, name, value):
    assume("://" in text and "#" not in text)
    joined = f"{text}{'&' if '?' in text else '?'}{name}={value}"

    assert recognise(joined) == recognise(text)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**5 - 1), st.integers(0, 10**5 - 1), st.integers(1, 30), st.integers(1, 30))
def test_papers_are_equal_exactly_when_id_and_version_are(one, other, first, second):
    links = [
        recognise(f"https://arxiv.org/pdf/2401.{paper:05}v{version}")
        for paper, version in ((one, first), (other, second))
    ]

    assert (links[0].normal == links[1].normal) == ((one, first) == (other, second))
    assert (links[0].work == links[1].work) == (one == other)


def test_a_link_of_the_longest_length_is_read():
    assert recognise("https://example.org/" + "a" * (LONGEST - 28)).kind == "page"
