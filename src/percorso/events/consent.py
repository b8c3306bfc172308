"""What an event says of consent to be written to or called, channel by channel.

Senders say it in many ways: a column, properties such as ``email_consent`` or ``acceptsMarketing``, or the name of the
event. Whatever names no channel (a cookie banner's "yes") says nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

__all__ = ["CONSENT_CHANNELS", "NOT_SAID", "Consents", "channels_of", "consents_in", "consents_of_json", "words_of"]

CONSENT_CHANNELS = ("email", "sms", "push", "phone", "whatsapp", "mail")

#: Consent that nobody spoke of; 0 is withdrawn or denied, 1 given.
NOT_SAID = -1

#: Channel -> 0 or 1.
Consents = dict[str, int]

#: Words for each channel, in any case; the last line means all of them. Words that belong together stand with "_".
CHANNEL_WORDS: Mapping[str, str] = {
    "email": "email e_mail emails newsletter newsletters posta_elettronica dem",
    "sms": "sms text texts text_message text_messages",
    "push": "push notification notifications push_notification push_notifications notifiche notifiche_push",
    "phone": "phone telephone tel call calls phone_call phone_calls voice telefono chiamate telefonate telemarketing",
    "whatsapp": "whatsapp whats_app",
    "mail": "mail post postal postal_mail direct_mail letter letters posta posta_cartacea cartaceo lettere",
    "": "marketing all all_channels tutti tutti_i_canali commercial commerciale",
}


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: Words beside a channel that make a property's name speak of consent, and those that turn its meaning round.
CONSENT_WORDS = _set(
    "consent consented consents consenso consensi opt optin in opted subscribed subscribe subscription "
    "iscritto iscrizione accepts accept accepted accetta permission allowed allow agreed granted"
)
TURNING_WORDS = _set("out optout unsubscribed unsubscribe disiscritto optedout denied refused revoked")
#: Beside a channel they say nothing more.
_FILLING_WORDS = _set("marketing is has customer buyer user to for di al alla per state status")

#: Shopify's own name for consent to e-mails, and its successors.
_OF_EMAIL = frozenset({"accepts_marketing", "buyer_accepts_marketing", "newsletter"})

_GIVEN = _set(
    "true 1 yes y on si sì vero ok given granted accepted subscribed opted_in opt_in optin confirmed active "
    "allowed dato prestato accettato concesso iscritto confirmed_opt_in single_opt_in double_opt_in"
)
_DENIED = _set(
    "false 0 no n off falso denied withdrawn revoked refused rejected unsubscribed not_subscribed opted_out "
    "opt_out optout inactive negato revocato rifiutato disiscritto never_subscribed redacted invalid"
)
_INNER = ("state", "status", "granted", "given", "value", "consent", "opted_in", "opt_in", "subscribed", "consented")

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[\W_]+")


@lru_cache(maxsize=20_000)
def words_of(name: str) -> str:
    """A name in lower case with "_" between its words.

    Examples
    --------
    >>> words_of("callDuration"), words_of("Consegna prevista")
    ('call_duration', 'consegna_prevista')
    """
    return _BETWEEN.sub("_", _CAMEL.sub("_", name.strip())).strip("_").lower()


_BY_WORD = {word: channel for channel, words in CHANNEL_WORDS.items() for word in words.split()}


def channels_of(name: str) -> tuple[str, ...]:
    """The channels that a word means; none where it means no channel.

    Examples
    --------
    >>> channels_of("E-mail"), channels_of("marketing")[:2], channels_of("cookies")
    (('email',), ('email', 'sms'), ())
    """
    found = _BY_WORD.get(words_of(name))
    return () if found is None else (found,) if found else CONSENT_CHANNELS


@lru_cache(maxsize=20_000)
def _meant(key: str) -> tuple[tuple[str, ...], bool]:
    """Channels whose consent a property of this name says, and whether its "yes" is a "no"."""
    name = words_of(key)
    if name in _OF_EMAIL:
        return ("email",), False
    words = name.split("_")
    turned = any(word in TURNING_WORDS for word in words)
    if not turned and not any(word in CONSENT_WORDS for word in words):
        return (), False
    rest = [word for word in words if word not in CONSENT_WORDS and word not in TURNING_WORDS]
    exact = [word for word in rest if word not in _FILLING_WORDS]
    return channels_of("_".join(exact or rest)), turned


def _said(value: object) -> int:
    """What a value says: 1 given, 0 denied, NOT_SAID."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Mapping):
        by_word = {words_of(str(key)): inner for key, inner in value.items()}
        said = (_said(by_word[name]) for name in _INNER if name in by_word)
        return next((one for one in said if one != NOT_SAID), NOT_SAID)
    if isinstance(value, str | int | float):
        word = words_of(str(value))
        return 1 if word in _GIVEN else 0 if word in _DENIED else NOT_SAID
    return NOT_SAID


def consents_in(properties: Mapping[str, object]) -> Consents:
    """What an object of properties says; a property of one channel goes before one of all.

    Examples
    --------
    >>> consents_in({"email_consent": "yes", "smsOptOut": True, "price": 3})
    {'email': 1, 'sms': 0}
    """
    found: Consents = {}
    by_breadth: list[tuple[int, tuple[str, ...], int]] = []
    for key, value in properties.items():
        if words_of(key) in ("consent", "consents", "consenso", "consensi"):
            found |= consents_of(value)
            continue
        channels, turned = _meant(key)
        said = _said(value) if channels else NOT_SAID
        if said != NOT_SAID:
            by_breadth.append((-len(channels), channels, 1 - said if turned else said))
    for _, channels, said in sorted(by_breadth):
        found |= dict.fromkeys(channels, said)
    return found


def consents_of(value: object) -> Consents:
    """What the value of `consent` says: an object by channel, a list of channels, or the name of one.

    Examples
    --------
    >>> consents_of({"email": {"state": "subscribed"}, "analytics": True}), consents_of(["sms"])
    ({'email': 1}, {'sms': 1})
    """
    if isinstance(value, Mapping):
        named = [(channels_of(str(key)), _said(inner)) for key, inner in value.items()]
        said = sorted(((-len(channels), channels, said) for channels, said in named if said != NOT_SAID))
        found = {channel: one for _, channels, one in said for channel in channels}
        return consents_in({str(key): inner for key, inner in value.items() if not channels_of(str(key))}) | found
    if isinstance(value, str):
        value = re.split(r"[,;|]", value)
    if isinstance(value, list):
        return {channel: 1 for each in value if isinstance(each, str) for channel in channels_of(each)}
    return {}


@lru_cache(maxsize=20_000)
def _read(text: str) -> tuple[tuple[str, int], ...]:
    try:
        return tuple(consents_of(msgspec.json.decode(text)).items())
    except (msgspec.MsgspecError, RecursionError):
        return ()


def consents_of_json(text: str) -> Consents:
    """As `consents_of`, of the text of an event's column `consent`.

    Examples
    --------
    >>> consents_of_json('{"email": false}'), consents_of_json('"email, sms"'), consents_of_json('"yes"')
    ({'email': 0}, {'email': 1, 'sms': 1}, {})
    """
    return dict(_read(text))
