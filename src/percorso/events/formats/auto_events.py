"""Which event each row is: names translated, and what to check about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from percorso.events.aliases import CANONICAL_EVENTS
from percorso.events.formats.auto_columns import Column, Found
from percorso.events.formats.auto_synonyms import STATE_NAMES
from percorso.events.formats.auto_words import event_of, is_last_state

__all__ = ["EventNames", "event_column", "event_names", "examples", "unused_states"]

_SHOWN = 8
_LONGEST = 40
_FEW = 20


@dataclass(frozen=True, slots=True)
class EventNames:
    """What the cells of an event column mean.

    Parameters
    ----------
    values : dict of str to str
        Raw name -> canonical one, where they differ.
    checks : tuple of str
        What a person should look at.
    """

    values: dict[str, str]
    checks: tuple[str, ...]


def event_column(columns: Sequence[Column], found: Mapping[str, Found]) -> Found | None:
    """The column that says what happened; where nothing else does, one of a common name is believed."""
    if "event" in found:
        return found["event"]
    if "state" in found:
        column = found["state"].column
        return Found(column, f'the column is called "{column.name}" and its values say what happened')
    if {"order_id", "value", "url"} & set(found):
        return None
    taken = {each.column.name for each in found.values()}
    rest = [c for c in columns if c.plain in STATE_NAMES and c.texts and c.names_few_things and c.name not in taken]
    return Found(rest[0], f'the column is called "{rest[0].name}", and no other says what happened') if rest else None


def event_names(event: Found, found: Mapping[str, Found], kind: str) -> EventNames:
    """Translate the names of an event column."""
    column = event.column
    is_state = column.plain in STATE_NAMES
    one_row = is_state and _one_row_an_order(column, found)
    names = {
        text: event_of(text, kind, one_state=one_row, amounts="value" in found) for text in sorted(set(column.texts))
    }
    checks = []
    unknown = [text for text, name in names.items() if not name]
    if unknown:
        checks.append(
            f"nobody knows {examples(unknown)}: say under [event.values] what they are, or they keep their names"
        )
    ended = [text for text in names if is_last_state(text)]
    if one_row and "order_id" in found and ended and kind != "email":
        checks.append(f"an order has one row here: one that is {examples(ended)} brings no purchase before it")
    values = {text: name for text, name in names.items() if name in CANONICAL_EVENTS and name != text}
    return EventNames(values, tuple(checks))


def unused_states(columns: Sequence[Column], found: Mapping[str, Found]) -> list[str]:
    """What to check of columns that might say what happened, in words that nobody knows."""
    taken = {each.column.name for each in found.values()}
    return [
        f'"{c.name}" may say what happened ({examples(sorted(set(c.texts)))}): if so, name it under [event]'
        for c in columns
        if c.plain in STATE_NAMES and c.name not in taken and c.texts and c.names_few_things and c.distinct <= _FEW
    ]


def examples(texts: Sequence[str]) -> str:
    """A few of the texts in quotes, and how many more there are."""
    distinct = list(dict.fromkeys(texts))
    shown = ", ".join(f'"{text[:_LONGEST]}"' for text in distinct[:_SHOWN])
    more = len(distinct) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _one_row_an_order(column: Column, found: Mapping[str, Found]) -> bool:
    """Whether no order is there in two states."""
    if "order_id" not in found:
        return True
    orders = found["order_id"].column.cells
    states = set(zip(orders, column.cells, strict=True))
    return len(states) <= len(set(orders))
