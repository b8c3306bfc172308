"""What brought a contact: the channel of one event, by rules in a fixed order.

1. the channel that the sender names; 2. own rules that ask for a source kind; 3. source kinds and places
that say it by themselves (till, telephone, e-mail, ...), so that an offline contact is never Direct;
4. the workspace's other rules; 5. click ids; 6. GA4's default channel group over source, medium and
campaign, which come from the UTM parameters or else from the referrer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from percorso.events.event import CLICK_IDS
from percorso.journeys.channel_names import CHANNEL_NAMES, CHANNELS, Channel, canonical_channel
from percorso.journeys.channel_rules import (
    ABSENT_VALUES,
    CLICK_MEDIUMS,
    IN_STORE_CHANNELS,
    KIND_CHANNELS,
    PLACE_CHANNELS,
    Visit,
    ga4_channel,
)
from percorso.journeys.source_lists import (
    CATEGORIES,
    EXCLUDED_HOSTS,
    HostIndex,
    has_path_rules,
    referrer_category,
    source_category,
)
from percorso.settings import ChannelRule, ChannelSettings

__all__ = [
    "CHANNELS",
    "CHANNEL_NAMES",
    "EXCLUDED_HOSTS",
    "Channel",
    "ChannelRules",
    "Classified",
    "Origin",
    "canonical_channel",
    "host_of",
]

#: Distinct origins remembered at a time; a workspace has thousands, a broken tagging scheme has millions.
_CACHE_LIMIT = 500_000


_HOST = re.compile(r"\s*(?:[^/?#]*//)?(?:[^/?#@]*@)?([^/?#:]*)")


@dataclass(frozen=True, slots=True)
class Origin:
    """All that one event says about where it came from; "" where it says nothing."""

    source_kind: str = ""
    channel: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    click_id: str = ""  # the parameter's name
    referrer: str = ""  # a URL or a host
    url_host: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Classified:
    """The channel, the id of the rule that gave it, and whether the event says anything about its origin.

    A session takes the channel of its first event with a known origin.
    """

    channel: str
    rule: str
    known: bool


@dataclass(frozen=True, slots=True)
class _Tags:
    """Source, medium and campaign as resolved. `origin` says from what: utm, click, referrer, "" nothing."""

    visit: Visit
    origin: str
    nothing: str = "ga4.direct"  # rule id where there is no origin


@dataclass(frozen=True, slots=True)
class _OwnRule:
    id: str
    channel: str
    by_kind: bool
    patterns: tuple[re.Pattern[str] | None, ...]  # source, medium, campaign, referrer host, source kind

    @classmethod
    def compile(cls, number: int, rule: ChannelRule) -> _OwnRule:
        given = (rule.source, rule.medium, rule.campaign, rule.referrer_host, rule.source_kind)
        patterns = tuple(re.compile(text, re.IGNORECASE) if text else None for text in given)
        return cls(f"workspace.{number}", canonical_channel(rule.channel), bool(rule.source_kind), patterns)

    def matches(self, values: Iterable[str]) -> bool:
        return all(p is None or p.fullmatch(value) for p, value in zip(self.patterns, values, strict=True))


def host_of(address: str) -> str:
    """The host of a URL, or of a text that begins with a host; lower-case, without user, port and dot.

    Examples
    --------
    >>> host_of("https://user@WWW.Shop.example:8443/a?b"), host_of("t.co/x"), host_of("android-app://com.google.android.gm/")
    ('www.shop.example', 't.co', 'com.google.android.gm')
    """
    return _HOST.match(address)[1].strip().rstrip(".").lower()  # type: ignore[index]  # it matches any text


def _path_of(address: str) -> str:
    rest = address.partition("//")[2] or address
    slash = rest.find("/")
    return rest[slash:].lower() if slash >= 0 else ""


def _same_site(host: str, other: str) -> bool:
    """Whether one host is the other or a subdomain of it, "www." apart."""
    one, two = host.removeprefix("www."), other.removeprefix("www.")
    return one == two or one.endswith("." + two) or two.endswith("." + one)


def _clean(text: str) -> str:
    value = text.strip().lower()
    return "" if value in ABSENT_VALUES else value


def _telling(campaign: str) -> str:
    """The campaign, if the shipped rules look into it; a mark that there is one otherwise."""
    value = _clean(campaign)
    return value if not value or "shop" in value or "cross-network" in value else "-"


class ChannelRules:
    """The channel rules of one workspace, ready to classify many origins.

    Parameters
    ----------
    settings : ChannelSettings
        Own hosts, excluded hosts and own rules.

    Examples
    --------
    >>> rules = ChannelRules(ChannelSettings(own_hosts=("shop.example",)))
    >>> rules.classify(Origin("web", referrer="https://www.google.it/"))
    Classified(channel='Organic Search', rule='ga4.organic_search', known=True)
    >>> rules.classify(Origin("web", referrer="https://www.shop.example/cart")).known
    False
    """

    def __init__(self, settings: ChannelSettings) -> None:
        self._own_hosts = HostIndex()
        for host in settings.own_hosts:
            self._own_hosts.add(host_of(host).removeprefix("www."), "own")
        self._excluded = HostIndex()
        for host in settings.excluded_hosts:
            self._excluded.add(host_of(host).removeprefix("www."), "excluded")
        self._rules = tuple(_OwnRule.compile(i, rule) for i, rule in enumerate(settings.rules, start=1))
        self._any_campaign = not any(rule.campaign for rule in settings.rules)
        self._known: dict[tuple[str, ...], Classified] = {}

    def classify(self, origin: Origin) -> Classified:
        """The channel of one event."""
        referrer = origin.referrer
        if referrer:
            host = host_of(referrer)
            referrer = host + _path_of(referrer) if has_path_rules(host) else host
        campaign = origin.utm_campaign
        if campaign and self._any_campaign:
            campaign = _telling(campaign)
        key: tuple[str, ...] = (origin.source_kind, origin.channel, origin.utm_source, origin.utm_medium, campaign)
        key += (origin.click_id, referrer, origin.url_host, origin.place)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _CACHE_LIMIT:
                self._known.clear()
            found = self._known[key] = self._decide(origin)
        return found

    def _decide(self, origin: Origin) -> Classified:
        if origin.channel.strip():
            return Classified(canonical_channel(origin.channel), "explicit", True)
        host = host_of(origin.referrer)
        tags = self._tags(origin, host)
        values = (tags.visit.source, tags.visit.medium, tags.visit.campaign, host, origin.source_kind)
        by_kind = self._by_kind(origin, tags)
        for rule in self._rules:
            if (rule.by_kind or by_kind is None) and rule.matches(values):
                return Classified(rule.channel, rule.id, True)
        return by_kind or self._by_tags(origin, tags)

    def _by_kind(self, origin: Origin, tags: _Tags) -> Classified | None:
        """What source kind and place say by themselves."""
        kind, place = origin.source_kind, origin.place
        if kind in KIND_CHANNELS:
            channels = KIND_CHANNELS[kind]
            rule = f"kind.{kind}.{place}" if place and place in channels else f"kind.{kind}"
            return Classified(channels.get(place, channels[""]), rule, True)
        if place == "store" and kind in IN_STORE_CHANNELS:
            return Classified(IN_STORE_CHANNELS[kind], f"kind.{kind}.store", True)
        if place in PLACE_CHANNELS:
            return Classified(PLACE_CHANNELS[place], f"place.{place}", True)
        if not tags.origin and place == "social":
            return Classified("Organic Social", "place.social", True)
        if not tags.origin and kind == "ads":
            return Classified("Paid Other", "kind.ads", True)
        return None

    def _by_tags(self, origin: Origin, tags: _Tags) -> Classified:
        if not tags.origin:
            if origin.source_kind in ("web", "app", ""):
                return Classified("Direct", tags.nothing, False)
            return Classified("Unassigned", "none", False)  # a back office saw nobody come: not Direct
        rule = ga4_channel(tags.visit)
        return Classified(rule.channel, f"click.{origin.click_id}" if tags.origin == "click" else rule.id, True)

    def _tags(self, origin: Origin, host: str) -> _Tags:
        source, medium = _clean(origin.utm_source), _clean(origin.utm_medium)
        campaign = _clean(origin.utm_campaign)
        click_id = origin.click_id.strip().lower()
        from_click = click_id in CLICK_IDS and not (source and medium)
        if from_click:
            tagged = bool(source or medium)
            source = source or CLICK_IDS[click_id][0]
            medium = medium or CLICK_MEDIUMS[click_id]
            return _Tags(Visit(source, medium, campaign, source_category(source)), "utm" if tagged else "click")
        if source or medium:
            return _Tags(Visit(source, medium, campaign, source_category(source)), "utm")
        return self._referrer_tags(origin, host, campaign)

    def _referrer_tags(self, origin: Origin, host: str, campaign: str) -> _Tags:
        """Source and medium that a referrer stands for, as GA4 derives them."""
        category = "own_host" if host and self._is_own(host, origin.url_host) else ""
        if host and not category:
            path = _path_of(origin.referrer) if has_path_rules(host) else ""
            category = self._excluded.find(host) or referrer_category(host, path)
        if not host or category in ("own_host", "excluded"):
            rule = {"own_host": "own_host", "excluded": "excluded_host"}.get(category, "ga4.direct")
            return _Tags(Visit("", "", campaign, ""), "utm" if campaign else "", rule)
        medium = {"search": "organic", "ai": "ai-assistant", "webmail": "email"}.get(category, "referral")
        known = category if category in CATEGORIES else ""
        return _Tags(Visit(host.removeprefix("www."), medium, campaign, known), "referrer")

    def _is_own(self, host: str, url_host: str) -> bool:
        return bool(self._own_hosts.find(host)) or bool(url_host and _same_site(host, host_of(url_host)))
