"""Mapped rows in plain Python: the twin of percorso.events.formats.table, for text cells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

Row = Mapping[str, str | None]
Event = dict[str, object]


def cell(row: Row, name: str) -> str | None:
    return (row[name] or "").strip() or None


def amount(text: str | None) -> int | None:
    if text is None:
        return None
    value = Decimal(text)
    if not value.is_finite():
        raise InvalidOperation
    return int((value * 100).to_integral_value(ROUND_HALF_EVEN))


def event(row: Row) -> Event | str | None:
    """The event of a row with columns what, when, who, mail, total, tax, a, b; or the reason for none."""
    when, what = cell(row, "when"), cell(row, "what")
    if when is None:
        return "time_missing"
    try:
        time = datetime.strptime(when, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)
    except ValueError:
        return "time_unreadable"
    if what is None:
        return "event_missing"
    try:
        total, tax = amount(cell(row, "total")), amount(cell(row, "tax"))
    except InvalidOperation:
        return "amount_unreadable"
    properties = {name: cell(row, name) for name in ("a", "b") if cell(row, name) is not None}
    return {
        "name": {"buy": "Order Completed"}.get(what, what),
        "timestamp": time,
        "user_id": cell(row, "who"),
        "value": None if total is None else total - (tax or 0),
        "tax": tax,
        "currency": None if total is None and tax is None else "EUR",
        "properties": json.dumps(properties, ensure_ascii=False, separators=(",", ":")) if properties else None,
    }
