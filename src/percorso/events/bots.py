"""Is this user agent a bot's? Bots are flagged, never deleted.

The patterns are those of the crawler-user-agents package, a few of them narrowed because they meet people's
browsers as well; whatever calls itself a bot, crawler or spider; and a few tools that the package lacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from percorso.settings import BotSettings

__all__ = ["EXTRA_PATTERNS", "NARROWED_PATTERNS", "BotRules"]

#: Tools that fetch or drive pages without a person and are not in the package's list.
EXTRA_PATTERNS: tuple[str, ...] = (
    r"\bChrome-Lighthouse\b",
    r"\bCypress/\d",
    r"\bJMeter\b",
    r"\bPostmanRuntime/",
    r"\bSpinn3r\b",
    r"\bcurl/\d",
    r"\binsomnia/\d",
    r"^Java/\d",
    r"^k6/\d",
)

#: Patterns of the package that also meet people's browsers -> what we look for instead. The package's own
#: examples are still met: tests/events/test_bots.py.
NARROWED_PATTERNS: dict[str, str] = {
    "008\\/": r"(?<![\w.-])008/",  # Opera Mini/4.4.39008/37.9178
    # One user agent of an app, and the build number of all OPPO and OnePlus phones on Android 15.
    r"AP3A\.240617\.008": r"CPH2557 Build/AP3A\.240617\.008; wv\).* Instagram 406\.0\.0\.58\.159 ",
    "BW\\/": r"\bBW/\d",
    "Butterfly": r"\bButterfly/\d",  # phones of HTC
    "RED\\/": r"\bRED/",  # the app of WIRED
    "Sonic": r"(?<!View)Sonic(?:/|SiteAuditor)",  # phones and tablets of ViewSonic
    "ds9": r"^ds9 ",
    "speedy": r"[sS]peedy[_ ]?[sS]pider",  # phones of HTC
}

#: What calls itself a robot, and is none: the phones of CUBOT, a telephone company in Botswana.
_ROBOT = re.compile(r"bot|crawl|spider")
_NO_ROBOT = re.compile(r"cubot|botswana")

_GRAM = 4
#: What nearly every browser says: no use in telling bots from people.
_COMMON = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
    "Mobile Safari/537.36 Edg/120.0.0.0 Version/17.0 Firefox/121.0 (Macintosh; Intel Mac OS X 10_15_7) "
    "(iPhone; CPU iPhone OS 17_0 like Mac OS X) (Linux; Android 13; SM-G991B; wv) (compatible; Build/ "
    "https://www. http://www. .com/ .html Gecko/20100101 +http://"
)
_TOKEN = re.compile(r"\\[./\-+ ():;@!_&]|\[[^\]]*\]|\\.|[(){}|^$.?*+]|[^\\]")
_LITERAL = re.compile(r"\\[./\-+ ():;@!_&]|[\w /\-:;,@!&=%#~'\"<>]")


def _literals(pattern: str) -> list[str]:
    """Texts that whatever matches the pattern must contain; none where we cannot tell.

    Alternatives and groups are not looked into: such a pattern is tried on every user agent.
    """
    if re.search(r"(?<!\\)[|({]", pattern):
        return []
    found, run = [], ""
    for token in _TOKEN.findall(pattern):
        if _LITERAL.fullmatch(token):
            run += token[-1]
            continue
        found.append(run[:-1] if token in "?*" else run)  # the character before it may be missing
        run = ""
    return [text for text in (*found, run) if len(text) >= _GRAM]


def _grams(text: str) -> set[str]:
    return {text[i : i + _GRAM] for i in range(len(text) - _GRAM + 1)}


class _PatternSet:
    """Many patterns, of which few can match: a pattern is tried only where a piece of it occurs.

    One alternation of the 1,500 patterns takes about a millisecond a user agent, this a few microseconds.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        common = _grams(_COMMON)
        by_gram: dict[str, list[str]] = {}
        always = []
        for pattern in patterns:
            grams = sorted(set().union(*(_grams(text) for text in _literals(pattern))))
            telling = [gram for gram in grams if gram not in common] or grams
            if telling:
                by_gram.setdefault(telling[0], []).append(pattern)
            else:
                always.append(pattern)
        self._always = _any_of(always)
        self._by_gram = {gram: _any_of(found) for gram, found in by_gram.items()}

    def search(self, text: str) -> bool:
        """Whether any pattern occurs in the text."""
        candidates = self._by_gram.keys() & _grams(text)
        if any(_found(self._by_gram[gram], text) for gram in candidates):
            return True
        return _found(self._always, text)


def _any_of(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


def _found(patterns: tuple[re.Pattern[str], ...], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


@lru_cache(maxsize=1)
def _shipped() -> _PatternSet:
    given = (entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA)
    return _PatternSet((*(NARROWED_PATTERNS.get(pattern, pattern) for pattern in given), *EXTRA_PATTERNS))


class BotRules:
    """The shipped patterns, the workspace's own, and what it allows.

    Parameters
    ----------
    settings : BotSettings

    Examples
    --------
    >>> rules = BotRules(BotSettings())
    >>> rules.is_bot("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
    True
    >>> rules.is_bot("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0")
    False
    """

    def __init__(self, settings: BotSettings) -> None:
        self._own = _any_of(settings.user_agents)
        self._allowed = _any_of(settings.allowed)

    def is_bot(self, user_agent: str) -> bool:
        """Whether the user agent is a bot's; "" (none was sent) is not."""
        if not user_agent or _found(self._allowed, user_agent):
            return False
        if _found(self._own, user_agent) or _calls_itself_robot(user_agent):
            return True
        return _shipped().search(user_agent)


def _calls_itself_robot(user_agent: str) -> bool:
    text = user_agent.lower()
    return _ROBOT.search(text) is not None and _ROBOT.search(_NO_ROBOT.sub("", text)) is not None
