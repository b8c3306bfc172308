"""The shipped channel rules: GA4's default channel group in its order, and what stands beside it.

Sources: Google, "Default channel group" (Analytics help, 9756891) as implemented by Velir/dbt-ga4; the
offline channels and what source kinds and places say are ours. docs/reference/channels.md shows all tables
of this module; a test keeps page and tables equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = [
    "ABSENT_VALUES",
    "CLICK_MEDIUMS",
    "GA4_RULES",
    "IN_STORE_CHANNELS",
    "KIND_CHANNELS",
    "PLACE_CHANNELS",
    "Ga4Rule",
    "Visit",
    "ga4_channel",
]

#: Media that say an ad was paid for, on the lower-case medium.
PAID = re.compile(r"(.*cp.*|ppc|retargeting|paid.*)")
#: Campaigns that say shopping, on the lower-case campaign: "spring-shop", not "workshop".
SHOP = re.compile(r"(.*(([^a-df-z]|^)shop|shopping).*)")

#: What senders write where there is nothing; such a value counts as absent.
ABSENT_VALUES = frozenset(("(direct)", "(none)", "(not set)", "direct", "none", "null", "undefined"))

_DISPLAY = frozenset(("display", "banner", "expandable", "interstitial", "cpm"))
_SOCIAL = frozenset(("social", "social-network", "social-media", "sm", "social network", "social media"))
_REFERRAL = frozenset(("referral", "app", "link"))
_EMAIL = frozenset(("email", "e-mail", "e_mail", "e mail"))


@dataclass(frozen=True, slots=True)
class Visit:
    """What GA4's rules look at: lower-case, trimmed, "" where missing."""

    source: str
    medium: str
    campaign: str
    category: str  # of the source: search, shopping, social, video, ai or ""

    @property
    def paid(self) -> bool:
        return PAID.fullmatch(self.medium) is not None

    @property
    def shop(self) -> bool:
        return SHOP.fullmatch(self.campaign) is not None


@dataclass(frozen=True, slots=True)
class Ga4Rule:
    """One rule; `text` is what the docs say."""

    id: str
    channel: str
    text: str
    test: Callable[[Visit], bool]


#: First hit wins.
GA4_RULES: tuple[Ga4Rule, ...] = (
    Ga4Rule(
        "ga4.direct",
        "Direct",
        "no source, medium or campaign, no click id, no referrer that counts",
        lambda v: not (v.source or v.medium or v.campaign),
    ),
    Ga4Rule(
        "ga4.cross_network",
        "Cross-network",
        "campaign contains `cross-network`",
        lambda v: "cross-network" in v.campaign,
    ),
    Ga4Rule(
        "ga4.paid_shopping",
        "Paid Shopping",
        "(source is a shopping site or campaign matches SHOP) and medium matches PAID",
        lambda v: (v.category == "shopping" or v.shop) and v.paid,
    ),
    Ga4Rule(
        "ga4.paid_search",
        "Paid Search",
        "source is a search engine and medium matches PAID",
        lambda v: v.category == "search" and v.paid,
    ),
    Ga4Rule(
        "ga4.paid_social",
        "Paid Social",
        "source is a social network and medium matches PAID",
        lambda v: v.category == "social" and v.paid,
    ),
    Ga4Rule(
        "ga4.paid_video",
        "Paid Video",
        "source is a video site and medium matches PAID",
        lambda v: v.category == "video" and v.paid,
    ),
    Ga4Rule(
        "ga4.display",
        "Display",
        "medium is one of display, banner, expandable, interstitial, cpm",
        lambda v: v.medium in _DISPLAY,
    ),
    Ga4Rule("ga4.paid_other", "Paid Other", "medium matches PAID", lambda v: v.paid),
    Ga4Rule(
        "ga4.organic_shopping",
        "Organic Shopping",
        "source is a shopping site or campaign matches SHOP",
        lambda v: v.category == "shopping" or v.shop,
    ),
    Ga4Rule(
        "ga4.organic_social",
        "Organic Social",
        "source is a social network, or medium is one of social, social-network, social-media, sm, "
        "social network, social media",
        lambda v: v.category == "social" or v.medium in _SOCIAL,
    ),
    Ga4Rule(
        "ga4.organic_video",
        "Organic Video",
        "source is a video site or medium contains `video`",
        lambda v: v.category == "video" or "video" in v.medium,
    ),
    Ga4Rule(
        "ga4.organic_search",
        "Organic Search",
        "source is a search engine or medium is organic",
        lambda v: v.category == "search" or v.medium == "organic",
    ),
    Ga4Rule(
        "ga4.ai_assistant",
        "AI Assistant",
        "source is an AI assistant or medium is ai-assistant",
        lambda v: v.category == "ai" or v.medium == "ai-assistant",
    ),
    Ga4Rule("ga4.referral", "Referral", "medium is one of referral, app, link", lambda v: v.medium in _REFERRAL),
    Ga4Rule(
        "ga4.email",
        "Email",
        "source or medium is one of email, e-mail, e_mail, e mail",
        lambda v: v.source in _EMAIL or v.medium in _EMAIL,
    ),
    Ga4Rule("ga4.affiliates", "Affiliates", "medium is affiliate", lambda v: v.medium == "affiliate"),
    Ga4Rule("ga4.audio", "Audio", "medium is audio", lambda v: v.medium == "audio"),
    Ga4Rule("ga4.sms", "SMS", "source or medium is sms", lambda v: "sms" in (v.source, v.medium)),
    Ga4Rule(
        "ga4.mobile_push",
        "Mobile Push",
        "medium ends with push or contains `mobile` or `notification`, or source is firebase",
        lambda v: (
            v.medium.endswith("push") or "mobile" in v.medium or "notification" in v.medium or v.source == "firebase"
        ),
    ),
    Ga4Rule("ga4.unassigned", "Unassigned", "nothing matched", lambda v: True),
)


def ga4_channel(visit: Visit) -> Ga4Rule:
    """The first rule that the visit meets.

    Examples
    --------
    >>> ga4_channel(Visit("google", "cpc", "", "search")).channel
    'Paid Search'
    """
    return next(rule for rule in GA4_RULES if rule.test(visit))


#: Source kinds that say the channel by themselves, whatever else the event carries: kind -> place -> channel.
#: "" is any other place.
KIND_CHANNELS: dict[str, dict[str, str]] = {
    "pos": {
        "phone": "Call Centre",
        "chat": "Chat",
        "marketplace": "Marketplace",
        "delivery": "Delivery",
        "": "Store POS",
    },
    "support": {
        "chat": "Chat",
        "social": "Chat",
        "sms": "Chat",
        "site": "Chat",
        "app": "Chat",
        "email": "Email",
        "store": "Store Visit",
        "mail": "Direct Mail",
        "": "Call Centre",
    },
    "email": {"": "Email"},
    "sms": {"": "SMS"},
    "delivery": {"store": "Click and Collect", "": "Delivery"},
    "survey": {"": "Survey"},
    "review": {"": "Reviews"},
}

#: Site and app used in store: a kiosk or a sales assistant's tablet, and the app that meets a beacon.
IN_STORE_CHANNELS: dict[str, str] = {"web": "Assisted Sale", "app": "Store Visit"}

#: Places that say the channel for the other kinds: place -> channel.
PLACE_CHANNELS: dict[str, str] = {
    "store": "Store POS",
    "phone": "Call Centre",
    "chat": "Chat",
    "email": "Email",
    "sms": "SMS",
    "push": "Mobile Push",
    "mail": "Direct Mail",
    "marketplace": "Marketplace",
    "delivery": "Delivery",
}

#: Click ids without a medium: click id -> the medium it stands for. Their sources are in events/event.py.
CLICK_MEDIUMS: dict[str, str] = {
    "gclid": "cpc",
    "gbraid": "cpc",
    "wbraid": "cpc",
    "dclid": "display",
    "msclkid": "cpc",
    "ttclid": "cpc",
    "twclid": "cpc",
    "li_fat_id": "cpc",
    "fbclid": "social",
}
