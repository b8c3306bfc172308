"""The kinds of value a setting can have: how each is read, and what it allows, in words."""

from __future__ import annotations

import datetime
import difflib
import re
import zoneinfo
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from percorso.errors import SpecError, nearest_hint
from percorso.settings.codes import COUNTRIES, CURRENCY_EXPONENTS, LANGUAGES, PLACES, TAX_BASES
from percorso.settings.durations import parse_duration_us
from percorso.settings.stages import ORDER_SIGNAL, SIGNALS, STAGE_MODELS

__all__ = [
    "BUCKET_BITS",
    "COUNTRY",
    "CURRENCY",
    "DAY",
    "DURATION",
    "HOURS",
    "LANGUAGE",
    "MEMORY",
    "MODEL",
    "MOST_BUCKET_BITS",
    "NAME",
    "NUMBER",
    "OWN_TYPES",
    "PATTERN",
    "PATTERNS",
    "PLACE",
    "RATE",
    "SHARE",
    "SIGNAL_LIST",
    "SIZE",
    "TAX",
    "TEXT",
    "TEXTS",
    "TIMEZONE",
    "WEEKDAYS",
    "WEEKDAY_NAMES",
    "YES_NO",
    "Kind",
    "WrongValueError",
    "whole_number",
]


class WrongValueError(Exception):
    """A value is not of its kind; the reader of the file adds key and line."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value is read from TOML, and what is allowed, in English and Italian."""

    read: Callable[[Any], Any]
    en: str
    it: str


def _say(value: object) -> str:
    """What was given, for the message: short values as they are, anything else by its TOML type."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 60 else "a long text"
    if isinstance(value, list):
        return "a list"
    return "a table" if isinstance(value, dict) else "a date or time"


def _text_of(value: object, allowed: str) -> str:
    if not isinstance(value, str):
        raise WrongValueError(f"{_say(value)} is not a text.", f"Allowed: {allowed}.")
    return value


def _text(value: object) -> str:
    text = _text_of(value, 'a text in quotes, such as "abc"')
    if not text.strip():
        raise WrongValueError("the text is empty.", "Allowed: a text with at least one letter.")
    return text


def _name(value: object) -> str:
    return _text_of(value, 'a text in quotes, such as "Legnocorda"').strip()


def _list_of(read: Callable[[Any], Any], value: object) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise WrongValueError(f"{_say(value)} is not a list.", 'Allowed: a list in brackets, such as ["a", "b"].')
    return tuple(read(entry) for entry in value)


def _choice(value: object, allowed: Iterable[str], what: str, example: str) -> str:
    values = tuple(allowed)
    text = _text_of(value, f'a text, such as "{example}"')
    if text not in values:
        by_fold = {entry.casefold(): entry for entry in values}
        near = by_fold.get(text.casefold(), text)
        raise WrongValueError(f"{_say(value)} is not {what}.", nearest_hint(near, values))
    return text


def _timezone(value: object) -> str:
    text = _text_of(value, 'a time zone, such as "Europe/Rome"')
    zones = zoneinfo.available_timezones()
    if text in zones:
        return text
    raise WrongValueError(f"{_say(value)} is not a time zone.", nearest_hint(_near_zone(text, zones), zones))


def _near_zone(text: str, zones: Iterable[str]) -> str:
    """The zone that "rome", "europe/rome" or "Roma" means; the text itself where none is near."""
    wanted = text.casefold().replace(" ", "_")
    known = {zone.casefold(): zone for zone in zones}
    cities = {name.rsplit("/", 1)[-1]: zone for name, zone in sorted(known.items())}
    close = difflib.get_close_matches(wanted, known, n=1, cutoff=0.8) or difflib.get_close_matches(wanted, cities, n=1)
    return known.get(close[0]) or cities[close[0]] if close else text


def _duration(value: object) -> int:
    text = _text_of(value, 'a number with its unit in quotes, such as "30m", "24h" or "7d"')
    try:
        return parse_duration_us(text)
    except SpecError as error:
        raise WrongValueError(error.message, error.hint) from error


def _positive_duration(value: object) -> int:
    duration_us = _duration(value)
    if duration_us <= 0:
        raise WrongValueError(f"{_say(value)} is no time at all.", 'Allowed: a duration above zero, such as "30m".')
    return duration_us


def _pattern(value: object) -> str:
    text = _text(value)
    try:
        re.compile(text)
    except re.error as error:
        raise WrongValueError(
            f"{_say(value)} is not a regular expression: {error}.",
            "Allowed: a Python regular expression; write a point as '\\.' in single quotes.",
        ) from error
    return text


def _day(value: object) -> str:
    if isinstance(value, datetime.datetime) or not isinstance(value, str | datetime.date):
        raise WrongValueError(f"{_say(value)} is not a day.", "Allowed: a day such as 2026-01-31.")
    try:
        return datetime.date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise WrongValueError(f"{_say(value)} is not a day.", "Allowed: a day such as 2026-01-31.") from error


def _rate(value: object) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < float(value) < 1e12:  # type: ignore[arg-type]
        raise WrongValueError(f"{_say(value)} is not a rate.", "Allowed: a number above zero, such as 0.92.")
    return float(value)  # type: ignore[arg-type]


def _share(value: object) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= float(value) <= 1:  # type: ignore[arg-type]
        raise WrongValueError(f"{_say(value)} is not a share.", "Allowed: a number from 0 to 1, such as 0.2.")
    return float(value)  # type: ignore[arg-type]


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(float(value)) < 1e15:
        raise WrongValueError(f"{_say(value)} is not a number.", "Allowed: a number, such as 0.02 or 250000.")
    return float(value)


WEEKDAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS = re.compile(r"([0-2]?[0-9]):([0-5][0-9])\s*-\s*([0-2]?[0-9]):([0-5][0-9])")


def _weekday(value: object) -> str:
    return _choice(value, WEEKDAY_NAMES, "a day of the week", "monday")


def _hours(value: object) -> str:
    allowed = 'Allowed: from and to, such as "09:00-19:00".'
    found = _HOURS.fullmatch(_text_of(value, 'hours, such as "09:00-19:00"').strip())
    if found is None:
        raise WrongValueError(f"{_say(value)} are no hours.", allowed)
    first, last = (60 * int(found[at]) + int(found[at + 1]) for at in (1, 3))
    if not first < last <= 24 * 60:
        raise WrongValueError(f"{_say(value)} end before they begin, or after midnight.", allowed)
    return f"{found[1]:0>2}:{found[2]}-{found[3]:0>2}:{found[4]}"


_MEMORY = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*(MB|GB|TB)", re.IGNORECASE)
_MEMORY_BYTES = {"MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000}
_LEAST_MEMORY_BYTES = 256_000_000  # below this DuckDB cannot sort out of core

#: A log has at most 2 to the power of this many buckets.
MOST_BUCKET_BITS = 12


def _memory(value: object) -> int:
    allowed = 'Allowed: "auto" (half of the machine), or a size of at least 256MB, such as "4GB".'
    if value == "auto":
        return 0
    found = _MEMORY.fullmatch(value.strip()) if isinstance(value, str) else None
    size_bytes = int(float(found[1]) * _MEMORY_BYTES[found[2].upper()]) if found else 0
    if size_bytes < _LEAST_MEMORY_BYTES:
        raise WrongValueError(f"{_say(value)} is not a memory limit.", allowed)
    return size_bytes


def _size(value: object) -> int:
    found = _MEMORY.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or not float(found[1]):
        raise WrongValueError(f"{_say(value)} is not a size.", 'Allowed: a size with its unit, such as "20GB".')
    return int(float(found[1]) * _MEMORY_BYTES[found[2].upper()])


def _yes_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError(f"{_say(value)} is neither.", "Allowed: true or false, without quotes.")
    return value


_TYPE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SHIPPED_TYPES = ("user_id", "loyalty_id", "email", "phone", "card_token", "anonymous_id", "device_id")


def _own_type(value: object) -> str:
    text = _text(value)
    if text in _SHIPPED_TYPES:
        raise WrongValueError(f"{_say(value)} is a type that Percorso already knows.", "Leave it out of the list.")
    if not _TYPE_NAME.fullmatch(text):
        raise WrongValueError(
            f"{_say(value)} cannot name an identifier type.",
            "Allowed: small letters, digits and '_', beginning with a letter, such as \"fidelity_card\".",
        )
    return text


def _bucket_bits(value: object) -> int | None:
    if value == "auto":
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_BUCKET_BITS:
        allowed = f'Allowed: "auto" (by the number of events), or a whole number from 0 to {MOST_BUCKET_BITS}.'
        raise WrongValueError(f"{_say(value)} is not possible here.", allowed)
    return value


def whole_number(least: int, most: int) -> Kind:
    """Whole numbers from `least` to `most`, both included."""
    allowed = f"a whole number from {least} to {most}"

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise WrongValueError(f"{_say(value)} is not possible here.", f"Allowed: {allowed}.")
        return value

    return Kind(read, allowed, f"un numero intero da {least} a {most}")


TEXT = Kind(_text, "a text", "un testo")
NAME = Kind(_name, "a text, or nothing", "un testo, o niente")
TEXTS = Kind(lambda value: _list_of(_text, value), "a list of texts", "un elenco di testi")
PATTERN = Kind(_pattern, "a regular expression", "un'espressione regolare")
PATTERNS = Kind(
    lambda value: _list_of(_pattern, value), "a list of regular expressions", "un elenco di espressioni regolari"
)
DURATION = Kind(
    _positive_duration,
    "a number and its unit: s, m (minutes), h, d or w",
    "un numero e la sua unità: s, m (minuti), h, d (giorni) o w (settimane)",
)
CURRENCY = Kind(
    lambda value: _choice(value, CURRENCY_EXPONENTS, "a currency code", "EUR"),
    "an ISO 4217 code",
    "un codice ISO 4217",
)
COUNTRY = Kind(
    lambda value: _choice(value, COUNTRIES, "a country code", "IT"),
    "an ISO 3166 code of two letters",
    "un codice ISO 3166 di due lettere",
)
LANGUAGE = Kind(
    lambda value: _choice(value, LANGUAGES, "a language Percorso speaks", "it"), '"it" or "en"', '"it" o "en"'
)
TAX = Kind(
    lambda value: _choice(value, TAX_BASES, "a tax basis", "included"),
    '"unknown", "included" or "excluded"',
    '"unknown" (non detto), "included" (compresa) o "excluded" (esclusa)',
)
TIMEZONE = Kind(
    _timezone, 'a name of the IANA data base, such as "Europe/Rome"', 'un nome della base IANA, come "Europe/Rome"'
)
DAY = Kind(_day, "a day, such as 2026-01-31", "un giorno, come 2026-01-31")
RATE = Kind(_rate, "a number above zero", "un numero maggiore di zero")
NUMBER = Kind(_number, "a number", "un numero")
WEEKDAYS = Kind(
    lambda value: _list_of(_weekday, value),
    "a list of monday, tuesday, ... sunday",
    "un elenco di monday, tuesday, ... sunday",
)
HOURS = Kind(_hours, 'from and to, such as "09:00-19:00"', 'da e a, come "09:00-19:00"')
SHARE = Kind(_share, "a number from 0 to 1", "un numero da 0 a 1")
PLACE = Kind(lambda value: _choice(value, PLACES, "a place", "store"), ", ".join(PLACES), ", ".join(PLACES))
MODEL = Kind(
    lambda value: _choice(value, (*STAGE_MODELS, "custom"), "a stage model", "retail"),
    ", ".join((*STAGE_MODELS, "custom")),
    ", ".join((*STAGE_MODELS, "custom")),
)
_SIGNAL_NAMES = (*SIGNALS[:3], ORDER_SIGNAL, *SIGNALS[3:])
SIGNAL_LIST = Kind(
    lambda value: _list_of(lambda entry: _choice(entry, _SIGNAL_NAMES, "a signal", "aware"), value),
    "a list of " + ", ".join(_SIGNAL_NAMES),
    "un elenco di " + ", ".join(_SIGNAL_NAMES),
)
MEMORY = Kind(_memory, '"auto" (half of the machine) or a size, such as "4GB"', '"auto" (metà della macchina) o "4GB"')
BUCKET_BITS = Kind(
    _bucket_bits,
    f'"auto" (by the number of events) or a whole number from 0 to {MOST_BUCKET_BITS}',
    f'"auto" (secondo il numero di eventi) o un numero intero da 0 a {MOST_BUCKET_BITS}',
)
SIZE = Kind(_size, 'a size, such as "20GB"', 'una dimensione, come "20GB"')
YES_NO = Kind(_yes_no, "true or false", "true o false")
OWN_TYPES = Kind(lambda value: _list_of(_own_type, value), "a list of names", "un elenco di nomi")
