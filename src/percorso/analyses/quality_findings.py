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
    return _SENTENCES[fault["finding"]](fault, totals, words)


def _share(fault: Row, words: Words) -> str:
    return words.numbers.share(fault["share"])


def _quiet_source(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text("quality.quiet_source", source=fault["source"], n=fault["count"]),
        words.text("quality.quiet_source_advice"),
    )


def _incomplete_import(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text("quality.incomplete_import", source=fault["source"], n=fault["count"]),
        words.text("quality.incomplete_import_advice"),
    )


def _rejected_rows(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text(
            "quality.rejected_rows",
            n=fault["count"],
            of=fault["of"],
            share=_share(fault, words),
            source=fault["source"],
            reason=words.name("rejection", fault["about"]),
        ),
        words.text("quality.rejected_rows_advice"),
    )


def _future_events(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text("quality.future_events", n=fault["count"], source=fault["source"]),
        words.text("quality.future_events_advice"),
    )


def _corrected_clocks(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text("quality.corrected_clocks", n=fault["count"], source=fault["source"], share=_share(fault, words)),
        words.text("quality.corrected_clocks_advice"),
    )


def _order_copies(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text("quality.order_copies", n=fault["count"], source=fault["source"]),
        words.text("quality.order_copies_advice"),
    )


def _unvalued_orders(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text("quality.unvalued_orders", n=fault["count"], of=fault["of"], source=fault["source"]),
        words.text("quality.unvalued_orders_advice"),
    )


def _stageless_events(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text("quality.stageless_events", n=fault["count"], source=fault["source"]),
        words.text("quality.stageless_events_advice"),
    )


def _duplicates(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text("quality.duplicates", n=fault["count"], source=fault["source"]),
        words.text("quality.nothing_to_do"),
    )


def _unidentified_orders(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    digits = exponent(totals["currency"])
    minor = int(Decimal(fault["value"]).scaleb(digits))
    return (
        words.text(
            "quality.unidentified_orders",
            share=_share(fault, words),
            n=fault["count"],
            of=fault["of"],
            value=words.numbers.show(minor, money(totals["currency"], digits)),
        ),
        words.text("quality.unidentified_orders_advice"),
    )


def _weak_persons(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text("quality.weak_persons", share=_share(fault, words), n=fault["count"], of=fault["of"]),
        words.text("quality.weak_persons_advice"),
    )


def _bots(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text("quality.bots", share=_share(fault, words), n=fault["count"]),
        words.text("quality.bots_advice"),
    )


def _heavy_persons(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text("quality.heavy_persons", n=fault["count"], most=totals["most_events"]),
        words.text("quality.heavy_persons_advice"),
    )


def _repeated_events(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return words.text("quality.repeated_events", n=fault["count"]), words.text("quality.nothing_to_do")


def _missing_rate(fault: Row, totals: Row, words: Words) -> tuple[str, str]:
    return (
        words.text("quality.missing_rate", n=fault["count"], currency=fault["about"], into=totals["currency"]),
        words.text("quality.missing_rate_advice"),
    )


_SENTENCES: Mapping[str, Callable[[Row, Row, Words], tuple[str, str]]] = {
    "quiet_source": _quiet_source,
    "incomplete_import": _incomplete_import,
    "rejected_rows": _rejected_rows,
    "future_events": _future_events,
    "corrected_clocks": _corrected_clocks,
    "order_copies": _order_copies,
    "unvalued_orders": _unvalued_orders,
    "stageless_events": _stageless_events,
    "duplicates": _duplicates,
    "unidentified_orders": _unidentified_orders,
    "weak_persons": _weak_persons,
    "bots": _bots,
    "heavy_persons": _heavy_persons,
    "repeated_events": _repeated_events,
    "missing_rate": _missing_rate,
}

#: Codes of all findings.
FINDINGS = tuple(_SENTENCES)
