"""What all charts of results say alike: what is counted, of which period, as of when, warnings, names of values."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from percorso.analyses.contact_plan import NOTHING
from percorso.analyses.intervals import FEW
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.errors import SpecError
from percorso.language.measures import Measure, money
from percorso.language.said import Said, again
from percorso.language.words import ENGLISH, Family, Words, capital
from percorso.money import exponent
from percorso.time import zone_of

__all__ = [
    "NAME_BEHIND",
    "Row",
    "amount_text",
    "field_name",
    "field_value",
    "joined",
    "minor",
    "money_of",
    "name_of",
    "note",
    "period_name",
    "refuse_groups",
    "rows_of",
    "subtitle",
    "unit",
]

Row = Mapping[str, Any]

#: Room in pixels for a name that stands behind a bar, which a chart does not shorten by itself.
NAME_BEHIND = 200.0

_FAMILIES: Mapping[str, Family] = {
    "channel": "channel",
    "device": "device",
    "direction": "direction",
    "first_channel": "channel",
    "first_place": "place",
    "person.device": "device",
    "person.first_channel": "channel",
    "place": "place",
    "stage": "stage",
    "stage_reached": "stage",
    "touchpoint": "touchpoint",
}


def rows_of(result: Result, table: str) -> list[Row]:
    """Rows of one of the answer's tables; none where the answer does not have it."""
    rows: list[Row] = result.tables[table].to_pylist() if table in result.tables else []
    return rows


def name_of(field: str, value: str | None, words: Words) -> str:
    """A value of a field as people call it, with a capital: a channel, a place, a stage."""
    return capital(field_value(field, value, words))


def field_value(field: str, value: str | None, words: Words) -> str:
    """A value of a field as people call it; what is missing is said to be not known."""
    if not value or value == NOTHING:
        return words.text("plots.unknown")
    return words.name(_FAMILIES[field], value) if field in _FAMILIES else value


def field_name(field: str, words: Words) -> str:
    """A field of a break-down as people call it."""
    name = words.name("unit", field)
    return words.name("column", field) if name == field else name


def unit(name: str, words: Words) -> str:
    """What is counted, with a capital: "Persons"."""
    return capital(words.name("unit", name))


def subtitle(result: Result, what: str, words: Words) -> str:
    """What is counted, of which period, as of when; and of which persona."""
    scope: Scope = result.spec.scope
    parts = [what] if what else []
    start, end = _day(scope.start), _day(scope.end)
    if start and end:
        parts.append(words.numbers.period(start, end))
    elif start:
        parts.append(words.text("plots.since", day=words.numbers.day(start)))
    elif end:
        parts.append(words.text("plots.until", day=words.numbers.day(end)))
    if scope.persona:
        parts.append(words.text("plots.persona", name=scope.persona))
    moment = datetime.datetime.fromtimestamp(result.as_of_us // 1_000_000, zone_of(scope.timezone))
    parts.append(words.text("plots.as_of", day=words.numbers.day(moment.date())))
    return " · ".join(parts)


def _day(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text[:10]) if text else None


def note(result: Result, n: int, words: Words) -> str:
    """What the answer warns of, else that these are too few to say much.

    Parameters
    ----------
    n : int
        How many the shares of the chart rest on; `FEW` or more says nothing.
    """
    # A warning that knows its key is said in the reader's language; of plain English ones it is said how many.
    told = [again(text, words) for text in result.warnings if words == ENGLISH or isinstance(text, Said)]
    untold = len(result.warnings) - len(told)
    parts = [words.text("plots.few", n=n, few=FEW)] if 0 < n < FEW and not told else []
    return joined([*parts, *told, words.text("plots.warnings", n=untold) if untold else ""])


def joined(parts: Iterable[str]) -> str:
    """Sentences one after the other, without the empty ones."""
    return " ".join(part for part in parts if part)


def refuse_groups(by: str) -> None:
    """A chart of one answer cannot show a break-down."""
    if by:
        raise SpecError("A break-down cannot be drawn in one chart.", hint="Ask once for each value, with a condition.")


def money_of(result: Result) -> Measure:
    """Amounts in the currency of the answer, in minor units."""
    currency = result.totals["currency"]
    return money(currency, exponent(currency))


def minor(amount: Decimal | float, measure: Measure) -> int:
    """An amount in units of the currency as charts take it, in minor units."""
    return round(Decimal(amount).scaleb(measure.decimals))


def amount_text(amount: Decimal, measure: Measure, words: Words) -> str:
    """An amount as charts write it."""
    return words.numbers.brief(minor(amount, measure), measure)


def period_name(label: str, words: Words) -> str:
    """A month, week or day as calendars label it, for people: "2024-03" is "Mar 24"."""
    parts: Sequence[str] = label.split("-")
    if len(parts) == 2:
        return words.numbers.month(datetime.date(int(parts[0]), int(parts[1]), 1), short=True)
    day = datetime.date.fromisoformat(label)
    return f"{words.numbers.day(day, short=True)} {day.year % 100:02d}"
