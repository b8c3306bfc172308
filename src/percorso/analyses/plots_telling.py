"""What all charts of results say alike: of which period, as of when, warnings, names of values, marks of rows."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from percorso.analyses.contact_plan import NOTHING
from percorso.analyses.intervals import FEW
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.charts.bars import Bar
from percorso.charts.chart import Drawing
from percorso.charts.dots import Dot
from percorso.charts.lines import LinePoint
from percorso.charts.theme import ACCENT, stage_colour
from percorso.errors import SpecError
from percorso.language.measures import Measure, measure_of
from percorso.language.said import Said, again
from percorso.language.words import Family, Words, capital
from percorso.time import zone_of

__all__ = [
    "MOST",
    "NAME_BEHIND",
    "Row",
    "amount_text",
    "busiest",
    "days_of",
    "few",
    "field_name",
    "field_value",
    "is_whole",
    "joined",
    "left_out",
    "line_points",
    "minor",
    "money_of",
    "name_of",
    "partial",
    "period_name",
    "refuse_groups",
    "rows_of",
    "said_whole",
    "share_bar",
    "share_dot",
    "stage_hue",
    "told_warnings",
    "too_few",
    "too_few_closed",
    "too_young",
    "unit",
    "whole_rows",
]

Row = Mapping[str, Any]

#: Rows that one chart can hold and still be read.
MOST = 15

#: Room in pixels for a name that stands behind a bar, which a chart does not shorten by itself.
NAME_BEHIND = 200.0

_FAMILIES: Mapping[str, Family] = {
    "channel": "channel",
    "device": "device",
    "direction": "direction",
    "event": "event",
    "first_channel": "channel",
    "first_place": "place",
    "outcome": "outcome",
    "person.device": "device",
    "person.first_channel": "channel",
    "place": "place",
    "relationship": "relationship",
    "stage": "stage",
    "stage_reached": "stage",
    "touchpoint": "touchpoint",
}


def rows_of(result: Result, table: str) -> list[Row]:
    """Rows of one of the answer's tables; none where the answer does not have it."""
    rows: list[Row] = result.tables[table].to_pylist() if table in result.tables else []
    return rows


def whole_rows(result: Result) -> list[Row]:
    """Rows of an answer without a break-down: a chart of one answer cannot show another."""
    refuse_groups(result.spec.scope.by)
    return list(result.table.to_pylist())


def refuse_groups(by: str) -> None:
    """A chart of one answer cannot show a break-down."""
    if by:
        raise SpecError("A break-down cannot be drawn in one chart.", hint="Ask once for each value, with a condition.")


# ---------------------------------------------------------------------------------------------------------- names


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


def stage_hue(key: str, words: Words) -> str:
    """The colour of a stage, also of a workspace's own."""
    return stage_colour(key, list(words.stages).index(key) if key in words.stages else -1)


# ------------------------------------------------------------------------------------------------ periods and days


def said_whole(drawing: Drawing, result: Result, words: Words) -> Drawing:
    """A drawing that stands by itself: with period, persona and as-of day behind what is counted, and warnings."""
    scope: Scope = result.spec.scope
    parts = [drawing.subtitle, days_of(result, "period", words) or _period(scope, words)]
    if scope.persona:
        parts.append(words.text("plots.persona", name=scope.persona))
    parts.append(words.text("plots.as_of", day=words.numbers.day(_as_of(result))))
    told = joined([drawing.note, *told_warnings(result.warnings, words)])
    return replace(drawing, subtitle=" · ".join(part for part in parts if part), note=told)


def _period(scope: Scope, words: Words) -> str:
    start, end = (datetime.date.fromisoformat(text[:10]) if text else None for text in (scope.start, scope.end))
    if start and end:
        return words.numbers.period(start, end)
    if start:
        return words.text("plots.since", day=words.numbers.day(start))
    return words.text("plots.until", day=words.numbers.day(end)) if end else ""


def days_of(result: Result, key: str, words: Words) -> str:
    """First and last day of a period in the totals; "" without one."""
    period = result.totals.get(key)
    if period is None:
        return ""
    zone = zone_of(result.spec.scope.timezone)
    first = datetime.datetime.fromisoformat(period["start"]).astimezone(zone).date()
    # The end is the first instant that is out.
    end = datetime.datetime.fromisoformat(period["end"]) - datetime.timedelta(microseconds=1)
    return words.numbers.period(first, max(first, end.astimezone(zone).date()))


def _as_of(result: Result) -> datetime.date:
    zone = zone_of(result.spec.scope.timezone)
    return datetime.datetime.fromtimestamp(result.as_of_us // 1_000_000, zone).date()


def period_name(label: str, words: Words) -> str:
    """A month, week or day as calendars label it, for people: "2024-03" is "Mar 24"."""
    parts: Sequence[str] = label.split("-")
    if len(parts) == 2:
        return words.numbers.month(datetime.date(int(parts[0]), int(parts[1]), 1), short=True)
    day = datetime.date.fromisoformat(label)
    return f"{words.numbers.day(day, short=True)} {day.year % 100:02d}"


def is_whole(row: Row, label: str, result: Result) -> bool:
    """Is the period of a row over? A month is, too, when what was asked ends on its last day."""
    end: str = result.spec.scope.end
    last = min(_as_of(result), datetime.date.fromisoformat(end[:10])) if end else _as_of(result)
    is_last_of_month = (last + datetime.timedelta(days=1)).day == 1
    return bool(row["complete"]) or (is_last_of_month and row[label] == f"{last:%Y-%m}")


def partial(rows: Iterable[Row], label: str, result: Result, words: Words) -> str:
    """Which periods are not over; "" where all are."""
    labels = dict.fromkeys(row[label] for row in rows if not is_whole(row, label, result))
    names = ", ".join(period_name(each, words) for each in sorted(labels))
    return words.text("plots.partial", names=names) if names else ""


# ---------------------------------------------------------------------------------------------------------- notes


def told_warnings(warnings: Iterable[str], words: Words) -> list[str]:
    """Warnings in the reader's language; of those that are written in English only it is said how many there are."""
    told = {text: again(text, words) for text in warnings if words.language == "en" or isinstance(text, Said)}
    untold = sum(text not in told for text in warnings)
    return [*dict.fromkeys(told.values()), *([words.text("plots.warnings", n=untold)] if untold else [])]


def few(result: Result, n: int, words: Words) -> str:
    """That these are too few to say much, where no warning of the answer says so.

    Parameters
    ----------
    n : int
        How many the shares of the chart rest on.
    """
    is_said = any(words.language == "en" or isinstance(text, Said) for text in result.warnings)
    return words.text("plots.few", n=n, few=FEW) if 0 < n < FEW and not is_said else ""


def left_out(n_rows: int, words: Words, most: int = MOST) -> str:
    """How many rows a chart does not show."""
    return words.text("plots.not_shown", n=n_rows - most) if n_rows > most else ""


def too_few(names: Sequence[str], words: Words) -> str:
    """Of which values a chart shows no conversion, since they have too few journeys."""
    return words.text("plots.too_few_journeys", few=FEW, names=", ".join(names)) if names else ""


def too_few_closed(names: Sequence[str], words: Words) -> str:
    """The same, since too few of their journeys are closed."""
    return words.text("plots.too_few_closed", few=FEW, names=", ".join(names)) if names else ""


def too_young(names: Sequence[str], words: Words) -> str:
    """The same, since too few of their journeys began long enough ago."""
    return words.text("plots.too_young", names=", ".join(names)) if names else ""


def joined(parts: Iterable[str]) -> str:
    """Sentences one after the other, without the empty ones."""
    return " ".join(part for part in parts if part)


# --------------------------------------------------------------------------------------------------------- amounts


def money_of(result: Result) -> Measure:
    """Amounts in the currency of the answer, in minor units."""
    return measure_of("money", result.totals["currency"])


def minor(amount: Decimal | float, measure: Measure) -> int:
    """An amount in units of the currency as charts take it, in minor units."""
    return round(Decimal(amount).scaleb(measure.decimals))


def amount_text(amount: Decimal, measure: Measure, words: Words) -> str:
    """An amount as charts write it."""
    return words.numbers.brief(minor(amount, measure), measure)


# ----------------------------------------------------------------------------------------------------------- marks


def share_bar(name: str, row: Row, note: str, *, share: str = "share", colour: str = ACCENT) -> Bar:
    """A share of a row as a bar; its interval stands in the columns that are called after it."""
    return Bar(name=name, value=row[share], note=note, colour=colour, **_ends(row, share))


def share_dot(name: str, row: Row, n: int, *, share: str, colour: str = ACCENT) -> Dot:
    """The same as a dot."""
    return Dot(name=name, value=row[share], n=n, colour=colour, **_ends(row, share))


def line_points(rows: Iterable[tuple[float, Row]], *, share: str, n: str) -> tuple[LinePoint, ...]:
    """The same as points of a line, each with its place along the axis."""
    return tuple(LinePoint(x=x, value=row[share], n=row[n], **_ends(row, share)) for x, row in rows)


def _ends(row: Row, share: str) -> dict[str, float | None]:
    """Of an answer with one share the columns are just "low" and "high"."""
    named = f"{share}_low" in row
    return {end: row[f"{share}_{end}" if named else end] for end in ("low", "high")}


def busiest(count: Mapping[tuple[str, str], int], most: int) -> tuple[list[str], int]:
    """The ends that most goes through, of counts by source and target; and how many ends there are."""
    through: dict[str, int] = {}
    for ends, n in count.items():
        for end in ends:
            through[end] = through.get(end, 0) + n
    return sorted(through, key=lambda key: (-through[key], key))[:most], len(through)
