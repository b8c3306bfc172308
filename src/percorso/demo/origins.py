"""How people arrive on the site: what the address says, which advertisement was paid for it, and what it does."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

__all__ = ["ADS", "EFFECTS", "ORIGINS", "REMINDER", "Ad", "Origin", "mail_origin"]


@dataclass(frozen=True, slots=True)
class Origin:
    """`campaign` is a part of the message's context, `query` of the landing's address.

    `ad` names one of `ADS`, `effect` one of `EFFECTS`.
    """

    campaign: str = ""
    query: str = ""
    referrer: str = ""
    ad: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True)
class Ad:
    """A campaign that costs money: `source` and `medium` as its platform reports them, `share` of the budget."""

    source: str
    medium: str
    share: float
    click_ratio: float  # clicks / impressions


#: What really brings orders: the share of purchases with such a visit on their way that would not have been made
#: without it. Who came by what is not here (direct, search, ...) would have come by another way.
EFFECTS = {
    "inizia-a-suonare": 0.45,
    "video-liutai": 0.4,
    "shopping-chitarre": 0.25,
    "catalogo": 0.3,
    "settimana-delle-corde": 0.3,
    "retargeting": 0.12,
    "brand": 0.03,
    "newsletter": 0.15,
    "cart-reminder": 0.35,
}

#: Campaign -> what it is. "settimana-delle-corde" is reported right here, and tagged wrong on the site.
ADS = {
    "inizia-a-suonare": Ad("instagram", "paid_social", 0.27, 0.009),
    "retargeting": Ad("facebook", "paid_social", 0.13, 0.012),
    "brand": Ad("google", "cpc", 0.09, 0.14),
    "shopping-chitarre": Ad("google", "cpc", 0.27, 0.021),
    "video-liutai": Ad("youtube", "paid_video", 0.08, 0.006),
    "catalogo": Ad("trovaprezzi", "cpc", 0.11, 0.03),
    "settimana-delle-corde": Ad("instagram", "paid_social", 0.05, 0.008),
}


#: The automatic mail about a cart that was left.
REMINDER = "carrello-abbandonato"


def _tagged(source: str, medium: str, name: str, referrer: str = "", *, ad: str = "", click_id: str = "") -> Origin:
    campaign = f'"campaign":{{"source":"{source}","medium":"{medium}","name":"{name}"}},'
    values = {"utm_source": source, "utm_medium": medium, "utm_campaign": name}
    values |= {click_id: "EAIaIQobChMI"} if click_id else {}
    effect = ad or ("newsletter" if medium == "email" else "")
    return Origin(campaign, f"?{urlencode(values)}", referrer, ad, "cart-reminder" if name == REMINDER else effect)


def mail_origin(name: str) -> Origin:
    """A click in an e-mail."""
    return _tagged("newsletter", "email", name)


ORIGINS = {
    "direct": Origin(),
    "search": Origin(referrer="https://www.google.com/"),
    "bing": Origin(referrer="https://www.bing.com/"),
    "assistant": Origin(referrer="https://chatgpt.com/"),
    "brand": _tagged("google", "cpc", "brand", "https://www.google.com/", ad="brand", click_id="gclid"),
    "shopping": _tagged(
        "google", "cpc", "shopping-chitarre", "https://www.google.com/", ad="shopping-chitarre", click_id="gclid"
    ),
    "social": _tagged(
        "instagram", "paid_social", "inizia-a-suonare", "https://l.instagram.com/", ad="inizia-a-suonare"
    ),
    "retargeting": _tagged("facebook", "paid_social", "retargeting", "https://l.facebook.com/", ad="retargeting"),
    "video-ad": _tagged("youtube", "paid_video", "video-liutai", "https://www.youtube.com/", ad="video-liutai"),
    "prices": _tagged("trovaprezzi", "cpc", "catalogo", "https://www.trovaprezzi.example/", ad="catalogo"),
    # Tagged by hand, and wrong: no rule knows this medium, so the clicks are nobody's (Unassigned).
    "strings-ad": _tagged("Insta-gram", "corde", "settimana-delle-corde", ad="settimana-delle-corde"),
    "organic-social": Origin(referrer="https://l.facebook.com/"),
    "instagram": Origin(referrer="https://l.instagram.com/"),
    "video": Origin(referrer="https://www.youtube.com/"),
    "forum": Origin(referrer="https://forum.chitarristi.example/discussioni/4021"),
    "sms": _tagged("sms", "sms", "black-friday"),
}
