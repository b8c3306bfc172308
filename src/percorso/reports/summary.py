"""In short: the sentences that matter, found by rules over the answers; none says more than its interval supports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from percorso.analyses.intervals import FEW, wilson
from percorso.analyses.plots_contacts import closed_journeys
from percorso.analyses.plots_kpis import kpi_change, kpi_measure, kpi_number, kpi_verdict
from percorso.analyses.plots_telling import name_of
from percorso.analyses.quality_findings import PROBLEM, say_fault
from percorso.analyses.result import Result
from percorso.language.kpi_words import kpi_name
from percorso.language.measures import DURATION, SHARE
from percorso.reports.document import Sentence
from percorso.reports.page import Page
from percorso.reports.sections.journeys import abandoned_by_stage

__all__ = ["summarise"]

_MOST = 7
#: KPIs whose change may be told: rates and means, of which the interval of the difference is known.
_TOLD = (
    *("revenue", "orders", "conversion_rate", "average_order_value", "average_receipt", "cart_abandonment"),
    *("checkout_abandonment", "payment_failure", "repeat_purchase_90", "return_rate", "late_delivery"),
    *("nps", "csat", "contact_rate", "bounce_rate", "consideration_rate", "place_switch_rate"),
)
#: Faults that mislead most, the worst first.
_MISLEADING = (
    *("quiet_source", "incomplete_import", "missing_rate", "unvalued_orders", "rejected_rows", "unidentified_orders"),
    *("loose_refunds", "weak_persons", "stageless_events", "future_events", "corrected_clocks"),
)

#: Channels whose contact is the purchase, or comes with or after one: that their journeys convert says nothing.
_NO_CAUSE = (
    *("Store POS", "Store Visit", "Assisted Sale", "Click and Collect", "Marketplace", "Delivery", "Call Centre"),
    *("Chat", "Survey", "Reviews", "Service", "Loyalty Programme", "Unassigned", "(none)"),
)

#: What a rule of persons says that chooses by purchases.
_BOUGHT = re.compile(r"\b(orders?|Order Completed|value|relationship|convert(ed)?)\b")
#: Faults that concern persons whom a rule of persons mostly leaves out.
_OF_ALL = ("unidentified_orders", "weak_persons")

Row = Mapping[str, Any]
Rule = Callable[[Page], Iterator[Sentence]]


def summarise(page: Page) -> tuple[Sentence, ...]:
    """Five to seven sentences, in the order of the report; fewer where the data say no more."""
    rules = _OF_BUYERS if _BOUGHT.search(page.spec.scope.persons) else _RULES
    found = [sentence for rule in rules for sentence in rule(page)]
    # What misleads about the others is never left out.
    warned = list(_data(page))
    found = [*found[: _MOST - len(warned)], *warned]
    return tuple(found) or (Sentence(page.words.text("report.nothing_to_say"), "reading"),)


def _total(page: Page) -> Iterator[Sentence]:
    """Orders and value of the period, and how they changed if that is sure."""
    answer = page.answer("kpis") or page.answer("quality")
    if answer is None or not answer.totals.get("orders", 0) + answer.totals.get("unidentified_orders", 0):
        return
    totals = answer.totals
    orders = totals["orders"] + totals["unidentified_orders"]
    value = Decimal(totals["value"]) + Decimal(totals["unidentified_value"])
    said = page.words.text("report.says_total", n=orders, value=page.amount(value), period=page.told_period())
    nobody = totals["unidentified_orders"]
    if nobody:
        said = page.words.text("report.says_total_nobody", all=said, n=nobody)
    yield Sentence(said, "kpis")


def _change(page: Page) -> Iterator[Sentence]:
    """The largest change, measured by the value before, whose interval leaves out zero."""
    answer = page.answer("kpis")
    if answer is None or not page.compared:
        return
    rows = [row for row in answer.table.to_pylist() if row["kpi"] in _TOLD and _is_sure(page, row, answer)]
    if not rows:
        yield Sentence(page.words.text("report.says_no_change", before=page.compared), "kpis")
        return
    row = max(rows, key=lambda row: abs(row["difference"] / row["previous"]))
    measure = kpi_measure(row, answer)
    change, interval = kpi_change(row, measure, page.words)
    said = page.words.text(
        "report.says_change",
        kpi=kpi_name(row["kpi"], page.words.language),
        now=page.words.numbers.show(kpi_number(row, "value", measure), measure),
        change=change,
        interval=interval,
        before=page.compared,
    )
    is_worse = kpi_verdict(row, measure, page.words) == "worse"
    yield Sentence(said, "kpis", "bad" if is_worse else "")


def _is_sure(page: Page, row: Row, answer: Result) -> bool:
    if not row["previous"] or row["n"] < FEW:
        return False
    return kpi_verdict(row, kpi_measure(row, answer), page.words) not in ("unclear", "")


def _drop(page: Page) -> Iterator[Sentence]:
    """The step of the funnel before which most leave."""
    answer = page.answer("funnel")
    rows = [] if answer is None else answer.table.to_pylist()
    if not rows or rows[0]["count"] < FEW:
        return
    lost = [(before["count"] - row["count"], before, row) for before, row in pairwise(rows)]
    left, before, row = max(lost, key=lambda one: one[0])
    if not left:
        return
    low, high = wilson(left, before["count"]) or (None, None)
    said = page.words.text(
        "report.says_drop",
        n=before["count"],
        before=page.words.name("event", before["step"]),
        step=page.words.name("event", row["step"]),
        share=page.words.numbers.interval(left / before["count"], low, high, SHARE),
    )
    yield Sentence(said, "funnel")


def _channels(page: Page) -> Iterator[Sentence]:
    """The channels whose journeys convert best and worst, if the difference is sure."""
    answer = page.answer("channels")
    every = [] if answer is None else answer.table.to_pylist()
    told = [row for row in every if row["conversion"] is not None and row["channel"] not in _NO_CAUSE]
    rows = [row for row in told if closed_journeys(row) >= FEW]
    if len(rows) < 2:
        return
    best, worst = (choose(rows, key=lambda row: row["conversion"]) for choose in (max, min))
    if best["conversion_low"] <= worst["conversion_high"]:
        yield Sentence(page.words.text("report.says_no_channel", n=len(rows)), "channels")
        return

    def shown(row: Row) -> str:
        ends = row["conversion_low"], row["conversion_high"]
        return page.words.numbers.interval(row["conversion"], *ends, SHARE)

    said = page.words.text(
        "report.says_channels",
        best=page.words.name("channel", best["channel"]),
        best_share=shown(best),
        worst=page.words.name("channel", worst["channel"]),
        worst_share=shown(worst),
    )
    yield Sentence(said, "channels")


def _ends(page: Page) -> Iterator[Sentence]:
    """How many purchase journeys convert and how fast, and where the others stop."""
    answer = page.answer("journeys")
    rows = [] if answer is None else answer.tables["conversion"].to_pylist()
    if answer is None or not rows or rows[0]["opened"] < FEW or rows[0]["conversion"] is None:
        return
    numbers, row = page.words.numbers, rows[0]
    share = numbers.interval(row["conversion"], row["low"], row["high"], SHARE)
    times = answer.tables["times"].to_pylist()
    if times and times[0]["n"] >= FEW:
        time = numbers.interval(times[0]["median_s"], times[0]["median_low_s"], times[0]["median_high_s"], DURATION)
        said = page.words.text("report.says_converted_time", n=row["opened"], share=share, time=time)
    else:
        said = page.words.text("report.says_converted", n=row["opened"], share=share)
    yield Sentence(said, "journeys")
    stopped = list(abandoned_by_stage(page).items())
    total = sum(count for _, count in stopped)
    if total >= FEW:
        (stage, count), *others = sorted(stopped, key=lambda one: -one[1])
        low, high = wilson(count, total) or (None, None)
        share = numbers.interval(count / total, low, high, SHARE)
        if others and not _is_more(count, others[0][1]):
            also = page.words.text(
                "report.says_stops_alike",
                n=total,
                stage=name_of("stage", stage, page.words),
                other=name_of("stage", others[0][0], page.words),
                share=share,
            )
            yield Sentence(also, "journeys")
            return
        yield Sentence(
            page.words.text("report.says_stops", n=total, share=share, stage=name_of("stage", stage, page.words)),
            "journeys",
        )


def _is_more(count: int, other: int) -> bool:
    """Is a count larger than another of the same whole by more than chance? McNemar's test without correction."""
    return (count - other) ** 2 > 3.8415 * (count + other)


def _repeat(page: Page) -> Iterator[Sentence]:
    """Who buys again, over the longest span that is known."""
    answer = page.answer("retention")
    rows = [] if answer is None else [row for row in answer.tables["repeat"].to_pylist() if not row["cohort"]]
    rows = [row for row in rows if row["rate"] is not None and row["size"] >= FEW]
    if not rows:
        return
    row = rows[-1]
    share = page.words.numbers.interval(row["rate"], row["low"], row["high"], SHARE)
    yield Sentence(
        page.words.text("report.says_repeat", n=row["size"], days=row["within_days"], share=share), "cohorts"
    )


def _data(page: Page) -> Iterator[Sentence]:
    """The fault of the data that misleads most."""
    answer = page.answer("quality")
    rows = [] if answer is None else answer.tables["findings"].to_pylist()
    problems = {row["finding"]: row for row in reversed(rows) if row["level"] == PROBLEM}
    for finding in _MISLEADING:
        if page.spec.scope.persons and finding in _OF_ALL:
            continue
        if answer is not None and finding in problems:
            meaning, _ = say_fault(problems[finding], answer.totals, page.words)
            yield Sentence(page.words.text("report.says_data", fault=meaning), "quality", "bad")
            return


def _chosen(page: Page) -> Iterator[Sentence]:
    """A persona whose rule asks for orders has them: rates of buying say nothing of it."""
    yield Sentence(page.words.text("report.says_chosen"), "kpis")


_RULES: tuple[Rule, ...] = (_total, _change, _drop, _channels, _ends, _repeat)
#: Of persons who are chosen by what they bought.
_OF_BUYERS: tuple[Rule, ...] = (_total, _change, _chosen)
