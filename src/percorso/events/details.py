"""Details: the rare facts of an event that only some KPIs need (docs/reference/details.md).

How long a call took, when a parcel was promised, of which survey an answer is, what somebody consented to. They are
read from `properties` by many names, once for each distinct object, and only of events that can bear them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec
import pyarrow as pa

from percorso.errors import TimeError
from percorso.events.canonical_events import CANONICAL_EVENTS
from percorso.events.consent import CONSENT_CHANNELS, Consents, channels_of, consents_in, consents_of_json, words_of
from percorso.events.personal import without_personal
from percorso.time import parse_time, zone_of

__all__ = [
    "CODED_DETAILS",
    "CONSENT_BY_NAME",
    "DETAIL_BEARERS",
    "DETAIL_EVENTS",
    "DETAIL_KEYS",
    "DETAIL_TYPE",
    "NO_DETAIL",
    "DetailSource",
    "detail_of",
]

CODED_DETAILS = ("survey", "survey_name", "answer", "reason")

#: What stands in the journey log for each event that has any of it, but for `talk`, which is about several events.
DETAIL_TYPE = pa.struct(
    [
        ("duration_s", pa.float64()),
        ("promised", pa.int64()),
        ("expires", pa.int64()),
        *((name, pa.string()) for name in CODED_DETAILS),
        ("scale", pa.float64()),
        ("points", pa.float64()),
        ("automatic", pa.uint8()),
        ("member", pa.uint8()),
        ("asked", pa.int8()),
        *((f"consent_{channel}", pa.int8()) for channel in CONSENT_CHANNELS),
    ]
)

#: Each field where nothing is said.
NO_DETAIL: Mapping[str, object] = {
    "duration_s": math.nan,
    "promised": -1,
    "expires": -1,
    **dict.fromkeys(CODED_DETAILS, ""),
    "scale": math.nan,
    "points": math.nan,
    "automatic": 0,
    "member": 0,
    "asked": -1,
    **{f"consent_{channel}": -1 for channel in CONSENT_CHANNELS},
}

#: Field -> names of properties, best first; any case and separators, `callDuration` is `call_duration`.
DETAIL_KEYS: Mapping[str, tuple[str, ...]] = {
    "duration_s": (
        *("duration", "call_duration", "talk_time", "handle_time", "chat_duration", "conversation_duration"),
        *("visit_duration", "dwell_time", "time_in_store", "length_of_call", "durata", "durata_chiamata"),
        *("durata_conversazione", "durata_visita", "tempo_di_permanenza", "permanenza"),
    ),
    "watched_s": (
        *("watched", "watch_time", "time_watched", "position", "video_current_time", "tempo_visto", "posizione"),
    ),
    "promised": (
        *("promised", "promised_at", "promised_by", "promised_date", "promised_day", "promised_delivery"),
        *("promised_delivery_at", "promised_delivery_date", "delivery_promise", "delivery_promised"),
        *("delivery_promised_at", "estimated_delivery", "estimated_delivery_at", "estimated_delivery_date"),
        *("order_estimated_delivery_date", "expected_delivery", "expected_delivery_at", "expected_delivery_date"),
        *("expected_arrival", "delivery_due", "delivery_due_at", "delivery_eta", "eta", "latest_delivery_date"),
        *("promised_pickup", "pickup_due", "pickup_by", "ready_by", "consegna_prevista", "data_consegna_prevista"),
        *("consegna_promessa", "data_consegna_promessa", "consegna_stimata", "data_consegna_stimata"),
        *("consegna_entro", "ritiro_previsto", "data_ritiro_prevista"),
    ),
    "expires": (
        *("expires", "expires_at", "expires_on", "expiry", "expiry_date", "expiration_date", "points_expire_at"),
        *("scadenza", "data_scadenza", "scade_il"),
    ),
    "survey": ("survey_type", "survey_kind", "survey", "metric", "type", "kind", "tipo_sondaggio", "sondaggio", "tipo"),
    "survey_name": (
        *("survey_name", "survey_title", "survey", "survey_id", "name", "title", "questionnaire", "form_name"),
        *("nome_sondaggio", "sondaggio", "questionario", "nome"),
    ),
    "answer": (
        *("declared_source", "answer", "source", "heard_from", "how_did_you_hear", "how", "response", "value"),
        *("risposta", "fonte", "come_ci_hai_conosciuto"),
    ),
    "scale": (
        *("scale", "scale_max", "max_scale", "max_score", "score_max", "max_rating", "best_rating", "out_of"),
        *("scala", "punteggio_massimo", "voto_massimo"),
    ),
    "points": (
        *("points", "loyalty_points", "points_earned", "points_redeemed", "points_expired", "points_delta"),
        *("punti", "punti_accumulati", "punti_utilizzati", "punti_scaduti"),
    ),
    "reason": (
        *("reason", "contact_reason", "call_reason", "chat_reason", "ticket_reason", "return_reason"),
        *("refund_reason", "cancel_reason", "cancellation_reason", "failure_reason", "decline_reason"),
        *("matter", "topic", "issue", "issue_type", "ticket_type", "error_code", "decline_code", "motivo"),
        *("motivo_contatto", "motivo_chiamata", "motivo_reso", "motivo_rimborso", "motivo_annullamento"),
        *("causale", "argomento", "tema", "tipo_richiesta"),
    ),
    "automatic": (
        *("automatic", "is_automatic", "automated", "is_automated", "auto", "is_auto", "auto_reply", "autoreply"),
        *("is_bot", "bot", "from_bot", "sender_type", "author_type", "sender_role", "author_role"),
        *("automatica", "automatico", "risposta_automatica"),
    ),
    "asked": (
        *("asked", "requested", "review_requested", "solicited", "is_solicited", "invited", "on_request"),
        *("richiesta", "su_richiesta", "su_invito", "sollecitata"),
    ),
}

_TALK = (
    *("Call Started", "Call Ended", "Callback Requested", "Chat Started", "Chat Ended"),
    *("Message Sent", "Message Received", "Contact Repeated", "Question Asked", "Complaint Submitted"),
    *("Ticket Opened", "Ticket Reopened", "Ticket Resolved", "SMS Replied"),
)
_ORDER = (
    *("Order Completed", "Order Updated", "Order Confirmed", "Order Prepared", "Order Ready", "Order Shipped"),
    *("Order Delivered", "Delivery Failed", "Order Collected", "Order Not Collected"),
)
_UNDONE = (
    *("Order Cancelled", "Order Refunded", "Return Requested", "Order Returned", "Order Exchanged", "Price Matched"),
    *("Payment Failed", "Coupon Denied", "Subscription Cancelled", "Appointment Cancelled", "Repair Booked"),
    *("Email Bounced", "Unsubscribed", "Account Deleted"),
)
_VISIT = ("Store Visited", "Fitting Room Used", "Kiosk Searched", "Event Attended", "Appointment Kept")
_VIDEO = ("Video Started", "Video Progressed", "Video Completed")
_LOYALTY = ("Points Earned", "Points Redeemed", "Points Expired", "Reward Redeemed", "Loyalty Joined", "Tier Changed")
_SURVEY = ("Survey Sent", "Survey Shown", "Survey Answered", "Survey Dismissed")
_CONSENT = (
    *("Newsletter Subscribed", "Unsubscribed", "Email Marked as Spam", "Consent Given", "Consent Withdrawn"),
    *("Consent Updated", "Signed Up", "Loyalty Joined", "Lead Submitted", "Form Submitted", "Order Completed"),
    *("Checkout Step Completed", "Account Deleted"),
)

#: Which events can bear which field. "" is an event that no canonical name is known for.
DETAIL_BEARERS: Mapping[str, tuple[str, ...]] = {
    "duration_s": (*_TALK, *_VISIT, ""),
    "watched_s": _VIDEO,
    "promised": (*_ORDER, ""),
    "expires": _LOYALTY,
    "survey": _SURVEY,
    "survey_name": _SURVEY,
    "answer": ("Source Declared",),
    "scale": (*_SURVEY, "Product Reviewed"),
    "points": _LOYALTY,
    "reason": (*_TALK, *_UNDONE, "Delivery Failed", "Order Not Collected", ""),
    "automatic": ("Message Received", "Message Sent", "Email Sent", "Email Delivered", "Ticket Resolved", ""),
    "asked": ("Product Reviewed",),
    "consent": (*_CONSENT, ""),
}

#: Canonical event -> fields that it can bear; events that are not here cost nothing.
DETAIL_EVENTS: Mapping[str, frozenset[str]] = {
    event: frozenset(name for name, bearers in DETAIL_BEARERS.items() if event in bearers)
    for event in dict.fromkeys(event for bearers in DETAIL_BEARERS.values() for event in bearers)
}

_NOTHING: frozenset[str] = frozenset()

#: Events that say consent by their name: what they say, and of which channel if nothing names one.
CONSENT_BY_NAME: Mapping[str, tuple[int, str]] = {
    "Newsletter Subscribed": (1, "email"),
    "Unsubscribed": (0, "email"),
    "Email Marked as Spam": (0, "email"),
    "Consent Given": (1, ""),
    "Consent Withdrawn": (0, ""),
}
_CHANNEL_KEYS = ("channel", "channels", "consent_channel", "subscription_channel", "canale", "canali")
_KIND_CHANNELS = {"email": "email", "sms": "sms"}

#: A longer text is prose, and may say who somebody is.
_MOST_TEXT = 80


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SURVEYS = {
    "nps": ("nps", "net_promoter_score", "net_promoter", "promoter"),
    "csat": ("csat", "customer_satisfaction", "satisfaction", "soddisfazione"),
    "ces": ("ces", "customer_effort_score", "customer_effort", "effort", "sforzo"),
}
_SURVEY_OF = {word: kind for kind, words in _SURVEYS.items() for word in words}
_YES = _set("true 1 yes y on si sì vero bot system sistema automatic automatico automatica auto automated")
_NO = _set("false 0 no n off falso")
_UNITS = {
    **dict.fromkeys(("ms", "millis", "milliseconds", "millisecondi", "msec"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "secondi", "in_seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes", "minuti"), 60.0),
    **dict.fromkeys(("h", "hours", "ore"), 3600.0),
}
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):([0-5]\d)(?:\.\d+)?")
_TOP = re.compile(r"\d+(?:[.,]\d+)?\s*(?:-|–|/|to|a)\s*(\d+(?:[.,]\d+)?)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]00:00(?::00(?:\.0+)?)?)?|\d{1,2}[/.]\d{1,2}[/.]\d{4}")
_ITALIAN = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T]+(\d{1,2}[:.]\d{2}(?::\d{2})?))?")
#: Larger numbers are milliseconds since 1970.
_SECONDS_UNTIL = 1e11


@dataclass(frozen=True, slots=True)
class DetailSource:
    """What an event says, as far as details are made of it.

    Parameters
    ----------
    event : str
        Canonical name, or the sender's where there is none.
    sent : str
        The sender's name of the event.
    kind : str
        Kind of its source.
    properties, traits, consent : str
        JSON; "" for none. Of traits only consent is read, of events without canonical name (identify messages).
    member : bool
        It is an order with a loyalty card.
    channel : str
        The event's column, which may name the channel of a consent; "" for none.
    """

    event: str
    sent: str = ""
    kind: str = ""
    properties: str = ""
    traits: str = ""
    consent: str = ""
    member: bool = False
    channel: str = ""


def detail_of(source: DetailSource, *, timezone: str) -> dict[str, object] | None:
    """The fields of DETAIL_TYPE that an event says; None where it says none.

    Parameters
    ----------
    source : DetailSource
    timezone : str
        Of times without a zone; a day without time means its end there.

    Examples
    --------
    >>> detail_of(DetailSource("Call Ended", properties='{"callDuration": "4:05", "price": 3}'), timezone="UTC")
    {'duration_s': 245.0}
    """
    allowed = DETAIL_EVENTS.get(source.event, _NOTHING if source.event in CANONICAL_EVENTS else DETAIL_EVENTS[""])
    properties = _decoded(source.properties)
    found: dict[str, object] = {"member": 1} if source.member else {}
    for name, key in _fields_of(tuple(properties), allowed):
        value = _READERS[name](properties[key], key, timezone)
        if value is not None:
            found.setdefault("duration_s" if name == "watched_s" else name, value)
    if "survey" in allowed:
        _complete_survey(found, source.sent)
    said = _consents(source, properties, allowed)
    return found | {f"consent_{channel}": said[channel] for channel in CONSENT_CHANNELS if channel in said} or None


def _decoded(text: str) -> Mapping[str, object]:
    try:
        found = msgspec.json.decode(text) if text else {}
    except (msgspec.MsgspecError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@lru_cache(maxsize=20_000)
def _fields_of(keys: tuple[str, ...], allowed: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Fields and the properties that may say them, best first: once for each combination of keys."""
    given: dict[str, str] = {}
    for key in keys:
        words = words_of(key)
        given.setdefault(words, key)
        base, _, unit = words.rpartition("_")
        if base and unit in _UNITS:
            given.setdefault(base + "/unit", key)
    found = []
    for name, wanted in DETAIL_KEYS.items():
        if name in allowed:
            timed = ("", "/unit") if name in ("duration_s", "watched_s") else ("",)
            found += [(name, given[each + end]) for each in wanted for end in timed if each + end in given]
    return tuple(found)


def _consents(source: DetailSource, properties: Mapping[str, object], allowed: frozenset[str]) -> Consents:
    said: Consents = {}
    if source.event in CONSENT_BY_NAME:
        given, channel = CONSENT_BY_NAME[source.event]
        said |= dict.fromkeys(_named_channels(source, properties) or ((channel,) if channel else ()), given)
    if source.consent:
        said |= consents_of_json(source.consent)
    if "consent" in allowed:
        said |= consents_in(properties)
        if source.traits and source.event not in CANONICAL_EVENTS:
            said |= consents_in(_decoded(source.traits))
    return said


def _named_channels(source: DetailSource, properties: Mapping[str, object]) -> tuple[str, ...]:
    """Channels that a property names, else the event's own name, else the kind of its source."""
    for key, value in properties.items():
        if words_of(key) in _CHANNEL_KEYS:
            texts = value if isinstance(value, list) else str(value).split(",")
            found = tuple(channel for text in texts if isinstance(text, str) for channel in channels_of(text))
            if found:
                return found
    if source.channel and (found := channels_of(source.channel)):
        return found
    in_name = tuple(channel for word in words_of(source.sent).split("_") for channel in channels_of(word))
    if 0 < len(set(in_name)) < len(CONSENT_CHANNELS):
        return tuple(dict.fromkeys(in_name))
    return (_KIND_CHANNELS[source.kind],) if source.kind in _KIND_CHANNELS else ()


def _complete_survey(found: dict[str, object], sent: str) -> None:
    """The kind of a survey out of its name or that of the event, where no property says it."""
    if "survey" not in found:
        words = words_of(f"{found.get('survey_name', '')} {sent}").split("_")
        kinds = [_SURVEY_OF[word] for word in words if word in _SURVEY_OF]
        if kinds:
            found["survey"] = kinds[0]


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value.strip().replace(",", "."))
        except ValueError:
            return None
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _seconds(value: object, key: str, timezone: str) -> float | None:
    """Seconds; the property's name may say another unit, a text may be a clock's (4:05, 1:02:03)."""
    if isinstance(value, str) and (clock := _CLOCK.fullmatch(value.strip())):
        return int(clock[1] or 0) * 3600.0 + int(clock[2]) * 60.0 + int(clock[3])
    found = _number(value)
    unit = _UNITS.get(words_of(key).rpartition("_")[2], 1.0)
    return None if found is None or found < 0 else round(found * unit, 3)


def _time(value: object, key: str, timezone: str) -> int | None:
    """µs UTC; a day without time (or at midnight, as exports write days) means its end in the time zone."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        unit = "unix_s" if abs(value) < _SECONDS_UNTIL else "unix_ms"
        return _parsed(str(value), unit, timezone) if value > 0 else None
    if not isinstance(value, str):
        return None
    text = value.strip()
    italian = _ITALIAN.fullmatch(text)
    if italian:
        day, month, year, clock = italian.groups()
        text = f"{year}-{int(month):02}-{int(day):02}" + (f" {clock.replace('.', ':').zfill(5)}" if clock else "")
    if _DAY.fullmatch(text):
        return _end_of_day(text[:10], timezone)
    return _parsed(text, "iso", timezone)


def _parsed(text: str, time_format: str, timezone: str) -> int | None:
    try:
        found = parse_time(text, time_format=time_format, timezone=timezone).us
    except TimeError:
        return None
    return found if found >= 0 else None


@lru_cache(maxsize=20_000)
def _end_of_day(day: str, timezone: str) -> int | None:
    """The last microsecond of a day."""
    try:
        begin = datetime.fromisoformat(day)
    except ValueError:
        return None
    end = (begin + timedelta(days=1)).replace(tzinfo=zone_of(timezone)).astimezone(UTC)
    us = (end - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) - 1
    return us if us >= 0 else None


def _word(value: object, key: str, timezone: str) -> str | None:
    """A short text, masked; prose is none."""
    if isinstance(value, list):
        value = next((each for each in value if isinstance(each, str)), None)
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    return without_personal(text) if 0 < len(text) <= _MOST_TEXT else None


def _survey_name(value: object, key: str, timezone: str) -> str | None:
    text = _word(value, key, timezone)
    return None if text is None or words_of(text) in _SURVEY_OF else text


def _survey(value: object, key: str, timezone: str) -> str | None:
    text = _word(value, key, timezone)
    if text is None:
        return None
    known = _SURVEY_OF.get(words_of(text))
    # `survey` is what a survey is called unless it is one of the kinds.
    return known or (None if words_of(key) in ("survey", "sondaggio") else text.lower())


def _yes(value: object, key: str, timezone: str) -> int | None:
    word = words_of(str(value)) if isinstance(value, bool | int | str) else ""
    return 1 if word in _YES else 0 if word in _NO else None


def _automatic(value: object, key: str, timezone: str) -> int | None:
    return _yes(value, key, timezone) or None


def _scale(value: object, key: str, timezone: str) -> float | None:
    """The top of the scale, also of "0-10" and "1 to 5"."""
    if isinstance(value, str) and (top := _TOP.fullmatch(value.strip())):
        value = top[1]
    found = _number(value)
    return found if found is not None and found > 0 else None


def _points(value: object, key: str, timezone: str) -> float | None:
    """How many; whether they came or went is told by the event."""
    found = _number(value)
    return None if found is None else abs(found)


_READERS: Mapping[str, Callable[[object, str, str], object | None]] = {
    "duration_s": _seconds,
    "watched_s": _seconds,
    "promised": _time,
    "expires": _time,
    "survey": _survey,
    "survey_name": _survey_name,
    "answer": _word,
    "scale": _scale,
    "points": _points,
    "reason": _word,
    "automatic": _automatic,
    "asked": _yes,
}
