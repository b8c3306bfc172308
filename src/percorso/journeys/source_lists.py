"""What a host or a source name is: search engine, shop, social network, video site, assistant, ...

The list is ours, in ``data/sources.txt``; facts in it are from Google's list of GA4 source categories and
from Matomo's lists (NOTICE). Hosts match with their subdomains, the most specific line wins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

__all__ = [
    "CATEGORIES",
    "EXCLUDED_HOSTS",
    "LIST_EXCEPTIONS",
    "HostIndex",
    "ListException",
    "has_path_rules",
    "referrer_category",
    "source_category",
]

#: Categories that GA4's rules know, and AI assistants.
CATEGORIES = ("search", "shopping", "social", "video", "ai")

#: Second-level names that belong to a country's top-level domain: google.co.uk, google.com.br.
_SECOND_LEVEL = frozenset(("ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"))


@dataclass(frozen=True, slots=True)
class ListException:
    """A row of a published list that we classify otherwise when it is a referrer."""

    list_name: str  # "ga4", "matomo-search" or "matomo-social"
    entry: str  # as the list writes it
    ours: str  # the channel here; "Direct" where the referrer is no origin
    reason: str


_ASSISTANT = "an AI assistant, which has a channel of its own; Matomo's own list of assistants has it too"
_NETWORK = "a social network, also in GA4's list"
_VIDEO = "a video site, also in GA4's list"
_PAYMENT = "a payment page: the customer comes back, nobody brought them"
_STORAGE = "file storage, not a shop"
_SIGN_IN = "a sign-in page: the customer comes back, nobody brought them"
_WEBMAIL = "webmail: the visit is a click in an e-mail"

#: Every row of GA4's and Matomo's lists that we classify otherwise, complete: a test fails on any other.
LIST_EXCEPTIONS: tuple[ListException, ...] = (
    ListException("ga4", "checkout.shopify.com", "Direct", _PAYMENT),
    ListException("ga4", "checkout.stripe.com", "Direct", _PAYMENT),
    ListException("ga4", "stripe.com", "Direct", _PAYMENT),
    ListException("ga4", "s3.amazonaws.com", "Direct", _STORAGE),
    ListException("ga4", "email.seznam.cz", "Email", _WEBMAIL),
    ListException("ga4", "mail.rambler.ru", "Email", _WEBMAIL),
    ListException("ga4", "mail.yandex.ru", "Email", _WEBMAIL),
    ListException("matomo-search", "chat.openai.com", "AI Assistant", _ASSISTANT),
    ListException("matomo-search", "chatgpt.com", "AI Assistant", _ASSISTANT),
    ListException("matomo-search", "www.perplexity.ai", "AI Assistant", _ASSISTANT),
    ListException("matomo-search", "you.com", "AI Assistant", _ASSISTANT),
    ListException("matomo-search", "digg.com", "Organic Social", _NETWORK),
    ListException("matomo-search", "friendfeed.com", "Organic Social", _NETWORK),
    ListException("matomo-search", "searchservice.myspace.com", "Organic Social", _NETWORK),
    ListException("matomo-search", "www.facebook.com", "Organic Social", _NETWORK),
    ListException("matomo-social", "login.live.com", "Direct", _SIGN_IN),
    ListException("matomo-social", "vimeo.com", "Organic Video", _VIDEO),
    ListException("matomo-social", "youtu.be", "Organic Video", _VIDEO),
    ListException("matomo-social", "youtube.com", "Organic Video", _VIDEO),
)


class HostIndex:
    """Hosts, each with its subdomains, and what they are.

    Examples
    --------
    >>> index = HostIndex()
    >>> index.add("google.{}", "search")
    >>> index.add("gemini.google.com", "ai")
    >>> [index.find(host) for host in ("news.google.co.uk", "gemini.google.com", "notgoogle.com")]
    ['search', 'ai', '']
    """

    def __init__(self) -> None:
        self._hosts: dict[str, str] = {}
        self._any_top_level: dict[str, str] = {}

    def add(self, pattern: str, category: str) -> None:
        """Add a host, "name.{}" for any top-level domain, or a host and the beginning of its path."""
        if pattern.endswith(".{}"):
            self._any_top_level[pattern[:-3]] = category
        else:
            self._hosts[pattern] = category

    def add_missing(self, pattern: str, category: str) -> None:
        """Add a pattern unless that very one is there already."""
        if pattern not in self._hosts and pattern.removesuffix(".{}") not in self._any_top_level:
            self.add(pattern, category)

    def find(self, host: str) -> str:
        """The category of the most specific line that covers the host; "" where none does."""
        labels = host.split(".")
        country = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
        end = len(labels) - (2 if country else 1)
        for start in range(len(labels)):
            found = self._hosts.get(".".join(labels[start:]))
            if not found and start < end:
                found = self._any_top_level.get(".".join(labels[start:end]))
            if found:
                return found
        return ""


def _lines() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Section, pattern and bare names of every line of data/sources.txt."""
    section = ""
    text = files("percorso.journeys").joinpath("data/sources.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.startswith("- "):
            yield section, "", (line[2:],)
        elif line and not line.startswith("#"):
            pattern, *names = line.split()
            yield section, pattern, tuple(names)


@dataclass(frozen=True, slots=True)
class _Lists:
    sources: HostIndex  # what a tagged source is: as GA4 says
    referrers: HostIndex  # what a referrer is: payment, sign-in and webmail hosts come first
    names: dict[str, str]
    paths: dict[str, dict[str, str]]  # host -> beginning of its path -> category
    excluded: dict[str, str]


def _read_lists() -> _Lists:
    lists = _Lists(HostIndex(), HostIndex(), {}, {}, {})
    for section, pattern, names in _lines():
        category, _, reason = section.partition(": ")
        lists.names.update(dict.fromkeys(names, category))
        host, slash, path = pattern.partition("/")
        if slash:
            lists.paths.setdefault(host, {})["/" + path] = category
        elif pattern:
            lists.sources.add_missing(pattern, category)
            lists.referrers.add(pattern, category)
        if category == "excluded":
            lists.excluded[pattern] = reason
    return lists


_LISTS = _read_lists()

#: Hosts (with their subdomains) that are no origin as a referrer -> why.
EXCLUDED_HOSTS: dict[str, str] = _LISTS.excluded


@lru_cache(maxsize=65_536)
def source_category(source: str) -> str:
    """What a tagged source is: one of CATEGORIES, else "".

    Parameters
    ----------
    source : str
        A utm_source, lower-case and trimmed: a bare name or a host.

    Examples
    --------
    >>> source_category("facebook"), source_category("l.facebook.com"), source_category("newsletter")
    ('social', 'social', '')
    """
    found = _LISTS.names.get(source) or (_LISTS.sources.find(source) if "." in source else "")
    return found if found in CATEGORIES else ""


@lru_cache(maxsize=262_144)
def referrer_category(host: str, path: str = "") -> str:
    """What a referring host is: one of CATEGORIES, webmail, other, excluded, else "".

    Parameters
    ----------
    host : str
        Lower-case, without port.
    path : str
        Of the referrer; it counts on the few hosts of which only a part is listed (x.com/i/grok).
    """
    if path:
        bare = host.removeprefix("www.")
        for beginning, category in _LISTS.paths.get(bare, {}).items():
            if path.startswith(beginning):
                return category
    return _LISTS.referrers.find(host)


def has_path_rules(host: str) -> bool:
    """Whether the path of a referrer on this host can matter."""
    return host.removeprefix("www.") in _LISTS.paths
