"""What is the matter with the data: each fault found by a rule over the counts, and said in a plain sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from percorso.analyses.worth import Missing
from percorso.language.measures import money
from percorso.language.words import ENGLISH, Words
from percorso.money import exponent

__all__ = ["FINDINGS", "FINDING_SCHEMA", "PROBLEM", "find_faults", "say_fault"]

PROBLEM, NOTICE = "problem", "notice"

#: From which share on something misleads, rather than being worth knowing.
_REJECTED, _FUTURE, _CORRECTED, _UNVALUED, _STAGELESS = 0.01, 0.01, 0.05, 0.01, 0.05
_UNIDENTIFIED, _WEAK = 0.3, 0.9
_LOOSE = Decimal("0.01")  # of the value of all orders

FINDING_SCHEMA = pa.schema(
    [
        ("level", pa.string()),
        ("finding", pa.string()),
        ("source", pa.string()),
        ("count", pa.int64()),
        ("of", pa.int64()),
        ("share", pa.float64()),
        ("value", pa.decimal128(38, 4)),
        ("about", pa.string()),
        ("meaning", pa.string()),
        ("advice", pa.string()),
    ]
)

Row = Mapping[str, Any]
Fault = dict[str, Any]


def find_faults(
    sources: Sequence[Row], rejected: Sequence[Row], totals: Row, missing: Iterable[Missing]
) -> list[Fault]:
    """Everything worth knowing, problems first, each with its sentences in English.

    Parameters
    ----------
    sources, rejected : sequence of mapping
        Rows of the answer's tables.
    totals : mapping
    missing : iterable of Missing
        Orders without a rate.
    """
    found = [
        *(fault for source in sources for fault in _of_source(source, rejected, totals)),
        *_of_all(totals),
        *_without_rate(missing),
    ]
    found.sort(key=lambda fault: fault["level"] != PROBLEM)
    for fault in found:
        fault["meaning"], fault["advice"] = say_fault(fault, totals, ENGLISH)
    return found


def _fault(finding: str, count: int, of: int, *, from_share: float = 2.0, source: str = "", **more: Any) -> Fault:
    """A fault; a problem from that share on."""
    share = count / of if of else None
    level = PROBLEM if share is not None and share >= from_share else NOTICE
    return {"level": level, "finding": finding, "source": source, "count": count, "of": of, "share": share, **more}


def _of_source(row: Row, rejected: Sequence[Row], totals: Row) -> Iterator[Fault]:
    name, events = row["source"], row["events"]
    days, most = row["days_since"], totals["journey_timeout_days"]
    if days is not None and days > most:
        yield _fault("quiet_source", int(days), int(most), from_share=0, source=name)
    if row["incomplete"]:
        yield _fault("incomplete_import", row["incomplete"], row["files"], from_share=0, source=name)
    if row["rejected"]:
        reason = next(one["reason"] for one in rejected if one["source"] == name)
        yield _fault("rejected_rows", row["rejected"], row["rows"], from_share=_REJECTED, source=name, about=reason)
    if row["future"]:
        yield _fault("future_events", row["future"], events, from_share=_FUTURE, source=name)
    if row["corrected"]:
        # Clocks are counted over everything that was imported, also before and after the period.
        of = max(events, row["corrected"])
        yield _fault("corrected_clocks", row["corrected"], of, from_share=_CORRECTED, source=name)
    if row["order_copies"]:
        yield _fault("order_copies", row["order_copies"], row["order_copies"] + row["orders"], source=name)
    if row["unvalued_orders"]:
        yield _fault("unvalued_orders", row["unvalued_orders"], row["orders"], from_share=_UNVALUED, source=name)
    if row["stageless"]:
        yield _fault("stageless_events", row["stageless"], events, from_share=_STAGELESS, source=name)
    if row["duplicates"]:
        yield _fault("duplicates", row["duplicates"], row["rows"], source=name)


def _of_all(totals: Row) -> Iterator[Fault]:
    nobody, orders = totals["unidentified_orders"], totals["orders"] + totals["unidentified_orders"]
    if nobody:
        value = totals["unidentified_value"]
        yield _fault("unidentified_orders", nobody, orders, from_share=_UNIDENTIFIED, value=value)
    if totals["loose_refunds"]:
        share_of, value = totals["value"] + totals["unidentified_value"], totals["loose_refund_value"]
        is_much = bool(share_of) and value >= share_of * _LOOSE
        fault = _fault("loose_refunds", totals["loose_refunds"], orders, value=value)
        yield fault | ({"level": PROBLEM} if is_much else {})
    weak = totals["persons"] - totals["identified_persons"]
    if weak:
        yield _fault("weak_persons", weak, totals["persons"], from_share=_WEAK)
    if totals["bot_events"]:
        yield _fault("bots", totals["bot_events"], totals["events"])
    if totals["heavy_persons"]:
        yield _fault("heavy_persons", totals["heavy_persons"], totals["persons"])
    if totals["built_duplicates"]:
        yield _fault("repeated_events", totals["built_duplicates"], totals["events"] + totals["built_duplicates"])


def _without_rate(missing: Iterable[Missing]) -> Iterator[Fault]:
    orders: dict[str, int] = {}
    for one in missing:
        orders[one.currency] = orders.get(one.currency, 0) + one.orders
    for currency, count in sorted(orders.items()):
        yield _fault("missing_rate", count, count, from_share=0, about=currency)


def say_fault(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    """What a fault means, and what to do about it.

    Parameters
    ----------
    fault : mapping
        A row of the answer's table ``findings``.
    totals : mapping
        Of the answer.
    words : Words

    Returns
    -------
    meaning, advice : str
    """
    return _SENTENCES[fault["finding"]](words, _values(fault, totals, words))


def _values(fault: Row, totals: Row, words: Words) -> dict[str, str | int]:
    """What the sentences may say of a fault; each takes what it has a place for."""
    values = {"n": fault["count"], "of": fault["of"], "source": fault["source"], "into": totals["currency"]}
    if fault["share"] is not None:
        values["share"] = words.numbers.share(fault["share"])
    if fault.get("value") is not None:
        digits = exponent(totals["currency"])
        minor = int(Decimal(fault["value"]).scaleb(digits))
        values["value"] = words.numbers.show(minor, money(totals["currency"], digits))
    if fault.get("about"):
        values |= {"reason": words.name("rejection", fault["about"]), "currency": fault["about"]}
    return values | {"most": totals["most_events"]}


#: Of each finding what it means, and what to do about it.
_SENTENCES: Mapping[str, Callable[[Words, Mapping[str, str | int]], tuple[str, str]]] = {
    "quiet_source": lambda words, values: (
        words.text("quality.quiet_source", **values),
        words.text("quality.quiet_source_advice"),
    ),
    "incomplete_import": lambda words, values: (
        words.text("quality.incomplete_import", **values),
        words.text("quality.incomplete_import_advice"),
    ),
    "rejected_rows": lambda words, values: (
        words.text("quality.rejected_rows", **values),
        words.text("quality.rejected_rows_advice"),
    ),
    "future_events": lambda words, values: (
        words.text("quality.future_events", **values),
        words.text("quality.future_events_advice"),
    ),
    "corrected_clocks": lambda words, values: (
        words.text("quality.corrected_clocks", **values),
        words.text("quality.corrected_clocks_advice"),
    ),
    "order_copies": lambda words, values: (
        words.text("quality.order_copies", **values),
        words.text("quality.order_copies_advice"),
    ),
    "unvalued_orders": lambda words, values: (
        words.text("quality.unvalued_orders", **values),
        words.text("quality.unvalued_orders_advice"),
    ),
    "stageless_events": lambda words, values: (
        words.text("quality.stageless_events", **values),
        words.text("quality.stageless_events_advice"),
    ),
    "duplicates": lambda words, values: (
        words.text("quality.duplicates", **values),
        words.text("quality.nothing_to_do"),
    ),
    "unidentified_orders": lambda words, values: (
        words.text("quality.unidentified_orders", **values),
        words.text("quality.unidentified_orders_advice"),
    ),
    "loose_refunds": lambda words, values: (
        words.text("quality.loose_refunds", **values),
        words.text("quality.loose_refunds_advice"),
    ),
    "weak_persons": lambda words, values: (
        words.text("quality.weak_persons", **values),
        words.text("quality.weak_persons_advice"),
    ),
    "bots": lambda words, values: (
        words.text("quality.bots", **values),
        words.text("quality.bots_advice"),
    ),
    "heavy_persons": lambda words, values: (
        words.text("quality.heavy_persons", **values),
        words.text("quality.heavy_persons_advice"),
    ),
    "repeated_events": lambda words, values: (
        words.text("quality.repeated_events", **values),
        words.text("quality.nothing_to_do"),
    ),
    "missing_rate": lambda words, values: (
        words.text("quality.missing_rate", **values),
        words.text("quality.missing_rate_advice"),
    ),
}

#: Codes of all findings.
FINDINGS = tuple(_SENTENCES)
