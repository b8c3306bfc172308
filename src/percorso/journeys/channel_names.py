"""The channels: what brought a contact, paid, owned or earned, online or offline.

Names follow GA4's default channel group where it has one; it defines no offline channel, so those are ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["CHANNELS", "CHANNEL_NAMES", "CHANNEL_SYNONYMS", "Channel", "canonical_channel"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel. `ownership` is paid, owned or earned, "" where it cannot be said."""

    name: str
    ownership: str
    online: bool
    meaning: str


#: All channels, online ones in GA4's order first.
CHANNELS: tuple[Channel, ...] = (
    Channel("Direct", "owned", True, "typed, bookmarked, or nothing known"),
    Channel("Cross-network", "paid", True, "campaigns that run on several ad networks at once"),
    Channel("Paid Shopping", "paid", True, "ads on marketplaces and price comparisons, shopping campaigns"),
    Channel("Paid Search", "paid", True, "ads on search engines"),
    Channel("Paid Social", "paid", True, "ads on social networks"),
    Channel("Paid Video", "paid", True, "ads on video sites"),
    Channel("Display", "paid", True, "banners and other display ads"),
    Channel("Paid Other", "paid", True, "ads anywhere else"),
    Channel("Organic Shopping", "earned", True, "unpaid links on marketplaces and price comparisons"),
    Channel("Organic Social", "earned", True, "unpaid links on social networks"),
    Channel("Organic Video", "earned", True, "unpaid links on video sites"),
    Channel("Organic Search", "earned", True, "unpaid results of search engines"),
    Channel("AI Assistant", "earned", True, "links in the answers of AI assistants"),
    Channel("Referral", "earned", True, "links on any other site"),
    Channel("Email", "owned", True, "links in e-mails, and e-mails themselves"),
    Channel("Affiliates", "paid", True, "links of affiliates"),
    Channel("Audio", "paid", True, "ads on audio platforms"),
    Channel("SMS", "owned", True, "links in text messages, and text messages themselves"),
    Channel("Mobile Push", "owned", True, "push notifications"),
    Channel("Survey", "owned", True, "answers to surveys"),
    Channel("Reviews", "earned", True, "reviews on own and third-party sites"),
    Channel("Chat", "owned", True, "chat, WhatsApp, social care"),
    Channel("Marketplace", "paid", True, "orders on marketplaces, at franchise and wholesale partners"),
    Channel("Store POS", "owned", False, "purchases and returns at the till"),
    Channel("Store Visit", "owned", False, "visits to a store, appointments, fitting rooms"),
    Channel("Assisted Sale", "owned", False, "sales assistants' devices and kiosks in store"),
    Channel("Click and Collect", "owned", False, "orders picked up in store"),
    Channel("Delivery", "owned", False, "parcels, from dispatch to the door"),
    Channel("Call Centre", "owned", False, "telephone calls"),
    Channel("Direct Mail", "owned", False, "letters, catalogues, leaflets and their coupons"),
    Channel("Mass Media", "paid", False, "outdoor, print, TV and radio"),
    Channel("Event", "owned", False, "events, pop-ups, sponsorships"),
    Channel("Loyalty Programme", "owned", False, "joining, points, tiers"),
    Channel("Service", "owned", False, "warranty, repair, service"),
    Channel("Word of Mouth", "earned", False, "recommendations and declared sources"),
    Channel("Unassigned", "", True, "tagged in a way that no rule knows"),
)

CHANNEL_NAMES: tuple[str, ...] = tuple(channel.name for channel in CHANNELS)

#: What senders call a channel -> its name here; matching ignores case and separators.
CHANNEL_SYNONYMS: dict[str, str] = {
    "(direct)": "Direct",
    "(none)": "Direct",
    "Diretto": "Direct",
    "Performance Max": "Cross-network",
    "PMax": "Cross-network",
    "Google Shopping": "Paid Shopping",
    "SEA": "Paid Search",
    "SEM": "Paid Search",
    "Search Ads": "Paid Search",
    "Google Ads": "Paid Search",
    "Social Ads": "Paid Social",
    "Video Ads": "Paid Video",
    "Banner": "Display",
    "Display Ads": "Display",
    "Programmatic": "Display",
    "SEO": "Organic Search",
    "Natural Search": "Organic Search",
    "Ricerca organica": "Organic Search",
    "AI": "AI Assistant",
    "AI Assistants": "AI Assistant",
    "Referrals": "Referral",
    "E-mail": "Email",
    "Newsletter": "Email",
    "Affiliate": "Affiliates",
    "Affiliation": "Affiliates",
    "Text Message": "SMS",
    "Push": "Mobile Push",
    "Push Notification": "Mobile Push",
    "Mobile Push Notifications": "Mobile Push",
    "Notifica push": "Mobile Push",
    "POS": "Store POS",
    "Store": "Store POS",
    "In-store": "Store POS",
    "Retail": "Store POS",
    "Negozio": "Store POS",
    "Punto vendita": "Store POS",
    "Clienteling": "Assisted Sale",
    "Kiosk": "Assisted Sale",
    "Collect": "Click and Collect",
    "Click & Collect": "Click and Collect",
    "Ritiro in negozio": "Click and Collect",
    "Consegna": "Delivery",
    "Phone": "Call Centre",
    "Telephone": "Call Centre",
    "Call": "Call Centre",
    "Call Center": "Call Centre",
    "Telefono": "Call Centre",
    "Live Chat": "Chat",
    "WhatsApp": "Chat",
    "Social Care": "Chat",
    "Mail": "Direct Mail",
    "Post": "Direct Mail",
    "Catalogue": "Direct Mail",
    "Catalog": "Direct Mail",
    "Leaflet": "Direct Mail",
    "Volantino": "Direct Mail",
    "Posta": "Direct Mail",
    "TV": "Mass Media",
    "Radio": "Mass Media",
    "Print": "Mass Media",
    "Press": "Mass Media",
    "Outdoor": "Mass Media",
    "OOH": "Mass Media",
    "CTV": "Mass Media",
    "Events": "Event",
    "Pop-up": "Event",
    "Evento": "Event",
    "Loyalty": "Loyalty Programme",
    "Loyalty Program": "Loyalty Programme",
    "Repair": "Service",
    "Warranty": "Service",
    "Passaparola": "Word of Mouth",
    "Friend": "Word of Mouth",
    "Review": "Reviews",
    "Surveys": "Survey",
    "Other": "Unassigned",
    "Unknown": "Unassigned",
}

_SEPARATORS = re.compile(r"[\W_]+")


def _fold(text: str) -> str:
    return _SEPARATORS.sub("", text.casefold().replace("&", "and"))


_BY_FOLD = {_fold(name): channel for name, channel in CHANNEL_SYNONYMS.items()}
_BY_FOLD.update((_fold(name), name) for name in CHANNEL_NAMES)


def canonical_channel(name: str) -> str:
    """The channel a sender names, under its name here; a name we do not know stays as it is.

    Examples
    --------
    >>> canonical_channel("paid_social"), canonical_channel("newsletter"), canonical_channel("Influencers")
    ('Paid Social', 'Email', 'Influencers')
    """
    return _BY_FOLD.get(_fold(name), name.strip())
