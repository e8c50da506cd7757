"""The table of places that links are recognised by: one row for each shape of address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
MOVING = ("main", "master", "HEAD")

NAME = r"[A-Za-z0-9_.~-]+?"
REPOSITORY = rf"(?P<owner>{NAME})/(?P<name>{NAME})(?:\.git)?"
VERSION = r"(?P<version>[^/?#@]{1,200})"
PATH = r"(?P<path>/[^?#]+)?"
REST = r"(?:[/?#].*)?"
QUERY = r"(?:\?.*)?"
GROUPED = rf"(?P<owner>{NAME}(?:/{NAME})*)/(?P<name>{NAME})(?:\.git)?"
SOURCEHUT_PATH = r"(?:/item(?P<path>/[^?#]+))?"
HEX = r"[0-9a-f]{32}"
ARXIV = r"(?:(?i:arxiv):)?(?P<id>\d{2}(?:0[1-9]|1[0-2])\.\d{4,5})(?P<version>v[1-9]\d*)?"
OLD_ARXIV = r"(?:(?i:arxiv):)?(?P<id>[a-z-]+)(?:\.[A-Za-z-]+)?/(?P<number>\d{7})(?P<version>v[1-9]\d*)?"
ARXIV_SITES = r"(?:(?:export\.|browse\.)?arxiv\.org|ar5iv(?:\.labs\.arxiv)?\.org|alphaxiv\.org)"
ARXIV_VIEW = r"(?:abs|pdf|html|ps|format|src|e-print|overview)"
ARXIV_DOI = r"(?:dx\.)?doi\.org/10\.48550/(?i:arxiv)\."
POST = r"[A-Za-z0-9]{17}"
SLUG = r"(?:/[^?#/]*)?(?:\?.*)?"
LESSWRONG = r"(?:lesswrong\.com|lesserwrong\.com|alignmentforum\.org|greaterwrong\.com)"
EA_FORUM = r"(?:forum\.effectivealtruism\.org|forum-bots\.effectivealtruism\.org|ea\.greaterwrong\.com)"
POST_AT = rf"(?:/s/[A-Za-z0-9]+)?/(?:posts|p)/(?P<id>{POST})"
COMMENT = rf"(?:/[^?#/]*)?(?:/comment/(?P<c1>{POST})|\?(?:.*&)?commentId=(?P<c2>{POST}))(?:[&#].*)?"
GOOGLE_ID = r"(?P<id>(?:e/)?[A-Za-z0-9_-]{20,})"
ACCOUNT = r"(?:/u/\d+)?"
NOTE = r"[A-Za-z0-9_-]+"
SITE = r"[a-z0-9-]+"
OPENREVIEW = r"openreview\.net/(?:forum|pdf|revisions|references/pdf|attachment)\?(?:.*&)?id="
FACE = r"(?:huggingface\.co|hf\.co)"
FACE_VIEW = rf"(?:(?:@|/(?:tree|blob|resolve|raw|commits?)/){VERSION}{PATH})?{QUERY}"
YOUTUBE = r"(?:(?:m|music)\.)?youtube(?:-nocookie)?\.com"
VIDEO = r"(?P<id>[A-Za-z0-9_-]{11})"


@dataclass(frozen=True)
class Pattern:
    """``work`` and ``url`` are filled with what the regex found; of ``fold`` the case does not matter.

    A forge shows a version and a path under ``tree``.
    """

    kind: str
    regex: re.Pattern[str]
    work: str
    url: str
    fold: tuple[str, ...] = ()
    tree: str = ""

    def version_of(self, named: str) -> str:
        """What moves on is no version; a commit is spelt in one way."""
        if named in MOVING:
            return ""
        return named.lower() if COMMIT.fullmatch(named) else named

    def address_of(self, groups: Mapping[str, str]) -> str:
        url = self.url.format(**groups)
        version, path = groups["version"], groups.get("path", "")
        if self.tree and (version or path):
            return url + self.tree.format(version=version or "HEAD") + path
        return url


def row(kind: str, regex: str, work: str, url: str, *, fold: str = "", tree: str = "") -> Pattern:
    return Pattern(kind, re.compile(regex), work, url, tuple(fold.split()), tree)


def forge(site: str, regex: str, tree: str) -> Pattern:
    """A repository, whole or a folder of it, at a commit or as it stands."""
    work = f"{site}/{{owner}}/{{name}}/{{path}}"
    return row("repository", regex, work, f"https://{site}/{{owner}}/{{name}}", fold="owner name", tree=tree)


GITHUB = "github.com"
# How each forge shows a version: the piece of the address before it.
GITHUB_TREE, GITLAB_TREE, BITBUCKET_TREE = "/tree/{version}", "/-/tree/{version}", "/src/{version}"
CODEBERG_TREE = "/src/{version}"
YOUTUBE_URL = "https://www.youtube.com/watch?v={id}"
NOT_OWNERS = r"(?!(?:orgs|topics|features|settings|sponsors|marketplace|search|login|about)/)"
OLD_ARXIV_URL = "https://arxiv.org/abs/{id}/{number}{version}"
ARXIV_URL, LESSWRONG_URL = "https://arxiv.org/abs/{id}{version}", "https://www.lesswrong.com/posts/{id}"
EA_URL = "https://forum.effectivealtruism.org/posts/{id}"
NOT_MODELS = r"(?!(?:docs|blog|papers|collections|spaces|datasets|models|learn|tasks|api|join|login)(?:/|$))"


REPOSITORIES = (
    forge(GITHUB, rf"github\.com/{NOT_OWNERS}{REPOSITORY}(?:@{VERSION})?{QUERY}", GITHUB_TREE),
    forge(
        GITHUB,
        rf"github\.com/{REPOSITORY}/commit/(?P<version>[0-9a-fA-F]{{7,64}})\.(?:patch|diff){QUERY}",
        GITHUB_TREE,
    ),
    forge(
        GITHUB,
        rf"github\.com/{REPOSITORY}/archive/(?:refs/(?:tags|heads)/)?(?P<version>[^/?#@]+?)\.(?:zip|tar\.gz){QUERY}",
        GITHUB_TREE,
    ),
    forge(
        GITHUB,
        rf"github\.com/{NOT_OWNERS}{REPOSITORY}/(?:commits?|tree|blob|raw|blame)/{VERSION}{PATH}{QUERY}",
        GITHUB_TREE,
    ),
    forge(GITHUB, rf"github\.com/{REPOSITORY}/releases/tag/{VERSION}{QUERY}", GITHUB_TREE),
    forge(GITHUB, rf"raw\.githubusercontent\.com/{REPOSITORY}/(?:refs/heads/)?{VERSION}{PATH}", GITHUB_TREE),
    forge(
        GITHUB, rf"colab\.research\.google\.com/github/{REPOSITORY}/blob/{VERSION}{PATH}{QUERY}", GITHUB_TREE
    ),
    row(
        "repository",
        rf"github\.com/{NOT_OWNERS}{REPOSITORY}/(?P<thread>pull|issues|discussions)/(?P<number>\d+){REST}",
        "github.com/{owner}/{name}/{thread}/{number}",
        "https://github.com/{owner}/{name}/{thread}/{number}",
        fold="owner name",
    ),
    row(
        "repository",
        rf"gist\.github\.com/(?:{NAME}/)?(?P<id>[0-9a-f]{{20,32}})(?:/(?P<version>[0-9a-f]{{40}}))?{QUERY}",
        "gist.github.com/{id}",
        "https://gist.github.com/{id}",
        tree="/{version}",
    ),
    forge(
        "gitlab.com",
        rf"gitlab\.com/{GROUPED}/-/(?:commits?|tree|blob|raw|blame)/{VERSION}{PATH}{QUERY}",
        GITLAB_TREE,
    ),
    forge("gitlab.com", rf"gitlab\.com/{GROUPED}/-/(?:tags|releases)/{VERSION}{QUERY}", GITLAB_TREE),
    row(
        "repository",
        rf"gitlab\.com/{GROUPED}/-/(?P<thread>merge_requests|issues)/(?P<number>\d+){REST}",
        "gitlab.com/{owner}/{name}/-/{thread}/{number}",
        "https://gitlab.com/{owner}/{name}/-/{thread}/{number}",
        fold="owner name",
    ),
    forge("gitlab.com", rf"gitlab\.com/{GROUPED}(?:@{VERSION})?{QUERY}", GITLAB_TREE),
    forge("codeberg.org", rf"codeberg\.org/{REPOSITORY}(?:@{VERSION})?{QUERY}", CODEBERG_TREE),
    forge(
        "codeberg.org",
        rf"codeberg\.org/{REPOSITORY}/(?:src|raw|blame|commits)/(?:commit|branch|tag)/{VERSION}{PATH}{QUERY}",
        CODEBERG_TREE,
    ),
    forge(
        "codeberg.org",
        rf"codeberg\.org/{REPOSITORY}/(?:commit|releases/tag|src)/{VERSION}{PATH}{QUERY}",
        CODEBERG_TREE,
    ),
    forge("bitbucket.org", rf"bitbucket\.org/{REPOSITORY}(?:@{VERSION})?{QUERY}", BITBUCKET_TREE),
    forge(
        "bitbucket.org",
        rf"bitbucket\.org/{REPOSITORY}/(?:src|commits|raw|browse)/{VERSION}{PATH}{QUERY}",
        BITBUCKET_TREE,
    ),
    forge("git.sr.ht", rf"git\.sr\.ht/{REPOSITORY}(?:@{VERSION})?{QUERY}", GITHUB_TREE),
    forge(
        "git.sr.ht",
        rf"git\.sr\.ht/{REPOSITORY}/(?:tree|commit)/{VERSION}{SOURCEHUT_PATH}{QUERY}",
        GITHUB_TREE,
    ),
)
PAPERS = (
    row("paper", rf"{ARXIV_SITES}/{ARXIV_VIEW}/{ARXIV}(?:\.pdf)?{QUERY}", "arxiv:{id}", ARXIV_URL),
    row(
        "paper",
        rf"{ARXIV_SITES}/{ARXIV_VIEW}/{OLD_ARXIV}(?:\.pdf)?{QUERY}",
        "arxiv:{id}/{number}",
        OLD_ARXIV_URL,
    ),
    row("paper", rf"{ARXIV_DOI}{OLD_ARXIV}{QUERY}", "arxiv:{id}/{number}", OLD_ARXIV_URL),
    row("paper", rf"(?:huggingface\.co|hf\.co)/papers/{ARXIV}{QUERY}", "arxiv:{id}", ARXIV_URL),
    row("paper", rf"{ARXIV_DOI}{ARXIV}{QUERY}", "arxiv:{id}", ARXIV_URL),
    row(
        "paper",
        rf"{OPENREVIEW}(?P<id>{NOTE})&(?:.*&)?noteId=(?P<note>(?!(?P=id)(?:&|$)){NOTE})(?:[&#].*)?",
        "openreview:{id}#{note}",
        "https://openreview.net/forum?id={id}&noteId={note}",
    ),
    row(
        "paper",
        rf"{OPENREVIEW}(?P<id>{NOTE})(?:[&#].*)?",
        "openreview:{id}",
        "https://openreview.net/forum?id={id}",
    ),
    row(
        "doi",
        r"(?:dx\.)?doi\.org/(?P<id>10\.\d{4,9}/[^?#]+)(?:\?.*)?",
        "doi:{id}",
        "https://doi.org/{id}",
        fold="id",
    ),
    row(
        "doi",
        rf"zenodo\.org/records?/(?P<id>\d+){REST}",
        "doi:10.5281/zenodo.{id}",
        "https://doi.org/10.5281/zenodo.{id}",
    ),
)
POSTS = (
    row(
        "post",
        rf"{LESSWRONG}{POST_AT}{COMMENT}",
        "lesswrong:{id}#{c1}{c2}",
        LESSWRONG_URL + "?commentId={c1}{c2}",
    ),
    row("post", rf"{LESSWRONG}{POST_AT}{SLUG}", "lesswrong:{id}", LESSWRONG_URL),
    row("post", rf"{EA_FORUM}{POST_AT}{COMMENT}", "ea-forum:{id}#{c1}{c2}", EA_URL + "?commentId={c1}{c2}"),
    row("post", rf"{EA_FORUM}{POST_AT}{SLUG}", "ea-forum:{id}", EA_URL),
    row(
        "post",
        rf"(?:(?P<o>open\.substack\.com/pub/(?P<site>{SITE}))|(?P<own>{SITE})\.substack\.com)/p/(?P<id>{NOTE}){REST}",
        "substack:{site}{own}/{id}",
        "https://{site}{own}.substack.com/p/{id}",
    ),
    row(
        "post",
        rf"(?:mobile\.)?(?:twitter|x)\.com/(?P<owner>{NAME})/status(?:es)?/(?P<id>\d+){REST}",
        "x:{id}",
        "https://x.com/{owner}/status/{id}",
    ),
    row(
        "post",
        rf"(?:(?:old|new|np)\.)?reddit\.com/r/(?P<name>{NAME})/comments/(?P<id>[a-z0-9]+)(?:/[^/?#]*)?{QUERY}",
        "reddit:{id}",
        "https://www.reddit.com/r/{name}/comments/{id}",
    ),
    row(
        "post",
        r"news\.ycombinator\.com/item\?(?:.*&)?id=(?P<id>\d+)(?:&.*)?",
        "hacker-news:{id}",
        "https://news.ycombinator.com/item?id={id}",
    ),
)
RUNS = (
    row(
        "run",
        rf"wandb\.ai/(?P<owner>{NAME})/(?P<name>{NAME})/(?P<thread>runs|sweeps)/(?P<id>[A-Za-z0-9_-]+){REST}",
        "wandb:{owner}/{name}/{thread}/{id}",
        "https://wandb.ai/{owner}/{name}/{thread}/{id}",
    ),
    row(
        "run",
        rf"wandb\.ai/(?P<owner>{NAME})/(?P<name>{NAME})/reports/(?P<title>[^/?#]*)--(?P<id>Vmlldzo[A-Za-z0-9]+)=*{REST}",
        "wandb:report/{id}",
        "https://wandb.ai/{owner}/{name}/reports/{title}--{id}",
    ),
    row(
        "run",
        rf"(?P<site>[^?#]+)(?:\?[^#]*)?#/experiments/(?P<number>\d+)/runs/(?P<id>{HEX}){REST}",
        "mlflow:{site}/{number}/{id}",
        "https://{site}#/experiments/{number}/runs/{id}",
    ),
)
DOCUMENTS = (
    row(
        "document",
        rf"docs\.google\.com/(?P<form>document|spreadsheets|presentation|forms){ACCOUNT}/d/{GOOGLE_ID}{REST}",
        "google:{id}",
        "https://docs.google.com/{form}/d/{id}",
    ),
    row(
        "document",
        rf"drive\.google\.com/file{ACCOUNT}/d/{GOOGLE_ID}{REST}",
        "google:{id}",
        "https://drive.google.com/file/d/{id}",
    ),
    row(
        "document",
        rf"drive\.google\.com/(?:open|uc)\?(?:.*&)?id={GOOGLE_ID}(?:&.*)?",
        "google:{id}",
        "https://drive.google.com/open?id={id}",
    ),
    row(
        "document",
        rf"colab\.research\.google\.com/drive/{GOOGLE_ID}{REST}",
        "google:{id}",
        "https://colab.research.google.com/drive/{id}",
    ),
    row(
        "document",
        rf"(?:[a-z0-9-]+\.)?notion\.(?:so|site)/(?:[^?#]*[/-])?(?P<id>{HEX}){REST}",
        "notion:{id}",
        "https://www.notion.so/{id}",
    ),
)
FACE_URL = "https://huggingface.co/"
MODELS = (
    row(
        "dataset",
        rf"{FACE}/datasets/{REPOSITORY}{FACE_VIEW}",
        "huggingface:datasets/{owner}/{name}/{path}",
        FACE_URL + "datasets/{owner}/{name}",
        fold="owner name",
        tree="/tree/{version}",
    ),
    row(
        "model",
        rf"{FACE}/{NOT_MODELS}{REPOSITORY}{FACE_VIEW}",
        "huggingface:{owner}/{name}/{path}",
        FACE_URL + "{owner}/{name}",
        fold="owner name",
        tree="/tree/{version}",
    ),
)
VIDEOS = (
    row("video", rf"{YOUTUBE}/watch\?(?:.*&)?v={VIDEO}(?:&.*)?", "youtube:{id}", YOUTUBE_URL),
    row("video", rf"{YOUTUBE}/(?:shorts|embed|live|v)/{VIDEO}{REST}", "youtube:{id}", YOUTUBE_URL),
    row("video", rf"youtu\.be/{VIDEO}{REST}", "youtube:{id}", YOUTUBE_URL),
)
PATTERNS = (*REPOSITORIES, *PAPERS, *POSTS, *RUNS, *DOCUMENTS, *MODELS, *VIDEOS)
