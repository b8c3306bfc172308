"""The sentences that matter: each says what its rule found, and nothing that an interval does not support."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from percorso.analyses.basis import Basis
from percorso.analyses.intervals import wilson
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.language.words import Words
from percorso.reports.page import Page
from percorso.reports.spec import ReportPeriod, ReportSpec
from percorso.reports.summary import summarise


def answer(table: list[dict[str, Any]], name: str = "rows", **totals: Any) -> Result:
    return Result({name: pa.Table.from_pylist(table)}, ReportSpec(), "v", 0, {"currency": "EUR", **totals})


def said(compared: str = "", persons: str = "", /, **answers: Any) -> list[str]:
    period = ReportPeriod(date(2024, 3, 1), date(2024, 3, 31))
    spec = ReportSpec(language="en", scope=Scope(persons=persons))
    page = Page(spec, period, Words("en"), answers, Basis(), compared=compared)
    return [sentence.text.replace("\xa0", " ") for sentence in summarise(page)]


def kpi(key: str, value: float, difference: float, low: float, high: float, **more: Any) -> dict[str, Any]:
    row = {"kpi": key, "stage": "conversion", "value": value, "unit": "share", "better": "up", "n": 500, "note": ""}
    row |= {"previous": value - difference, "difference": difference, "diff_low": low, "diff_high": high}
    return row | {"low": value - 0.01, "high": value + 0.01, "target": None} | more


def channel(name: str, hits: int, n: int) -> dict[str, Any]:
    low, high = wilson(hits, n) or (None, None)
    row = {"channel": name, "journeys": n + 100, "open": 100, "conversion": hits / n}
    return row | {"conversion_low": low, "conversion_high": high}


def steps(*counts: int) -> Result:
    names = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
    return answer([{"step": name, "count": count} for name, count in zip(names, counts, strict=False)])


def test_nothing_to_say() -> None:
    assert said() == ["The data of this period are too few to say anything that would hold."]


def test_the_largest_sure_change_is_told() -> None:
    rows = [
        kpi("conversion_rate", 0.10, 0.01, 0.005, 0.015),
        kpi("cart_abandonment", 0.30, -0.20, -0.25, -0.15, better="down"),
        kpi("return_rate", 0.50, 0.40, -0.10, 0.90),  # larger, but not sure
        kpi("payment_failure", 0.50, 0.40, 0.30, 0.50, n=29),  # larger, but few
        kpi("late_delivery", 0.50, 0.40, 0.0001, 0.90),  # its interval reads as beginning at zero
        kpi("persons", 900, 800, 700, 900, unit="count"),  # no headline
    ]
    told = said("February 2024", kpis=answer(rows, "kpis"))
    assert told == ["Cart abandonment changed most: 30.0 %, −20.0 points (95 %: −25.0 to −15.0) against February 2024."]


def test_without_a_sure_change_that_is_said() -> None:
    kpis = answer([kpi("conversion_rate", 0.1, 0.01, -0.01, 0.03)], "kpis")
    assert said("February 2024", kpis=kpis) == [
        "No rate or mean changed surely against February 2024: every interval holds zero."
    ]
    assert said(kpis=kpis) == ["The data of this period are too few to say anything that would hold."]


def test_the_largest_drop() -> None:
    (told,) = said(funnel=steps(1000, 900, 300, 250))
    assert told.startswith("Most people are lost between “added to the cart” and “checkout started”: ")
    assert told.endswith(": 66.7 % (63.5–69.7) of 900 go no further.")
    assert len(said(funnel=steps(29, 1, 0, 0))) == 1
    assert "too few" in said(funnel=steps(29, 1, 0, 0))[0]
    assert "too few" in said(funnel=steps(100, 100, 100, 100))[0]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([channel("Email", 90, 100), channel("Direct", 10, 100), channel("Referral", 50, 100)], "journeys with Email"),
        ([channel("Email", 12, 100), channel("Direct", 10, 100)], "no clear difference"),
        ([channel("Store POS", 100, 100), channel("Email", 12, 100), channel("Direct", 10, 100)], "Between the 2"),
        ([channel("Email", 29, 29), channel("Direct", 0, 29)], "too few"),
        ([channel("Email", 90, 100)], "too few"),
    ],
)
def test_channels(rows: list[dict[str, Any]], expected: str) -> None:
    (told,) = said(channels=answer(rows, "channels"))
    assert expected in told


def journeys(opened: int, converted: int, abandoned: dict[str, int]) -> dict[str, Result]:
    low, high = wilson(converted, opened) or (None, None)
    row = {"opened": opened, "conversion": converted / opened, "low": low, "high": high}
    tables = {
        "outcomes": pa.table({}),
        "conversion": pa.Table.from_pylist([row]),
        "times": pa.Table.from_pylist([], schema=pa.schema([("n", pa.int64())])),
    }
    stops = [{"stage": key, "exits": n} for key, n in abandoned.items()]
    return {"journeys": Result(tables, ReportSpec(), "v", 0), "stages": answer(stops, "stages")}


def test_where_journeys_end() -> None:
    told = said(**journeys(1000, 100, {"awareness": 200, "consideration": 600}))
    assert told == [
        "Of 1,000 purchase journeys, 10.0 % (8.3–12.0) end with an order.",
        "Of 800 abandoned journeys, 75.0 % (71.9–77.9) stop at “Consideration”: more than at any other stage.",
    ]


def test_two_stages_about_as_frequent_are_both_named() -> None:
    *_, told = said(**journeys(1000, 100, {"awareness": 390, "consideration": 410}))
    assert told.endswith("stop at “Consideration”, and about as many at “Awareness”.")
    assert len(said(**journeys(40, 20, {"awareness": 20}))) == 1


def test_what_misleads_is_never_left_out() -> None:
    fault = {"level": "problem", "finding": "quiet_source", "source": "till", "count": 60, "of": 30, "share": 2.0}
    minor = fault | {"finding": "weak_persons", "share": 0.99}
    totals = {"currency": "EUR", "most_events": 9, "orders": 50, "value": Decimal("10.00")}
    totals |= {"unidentified_orders": 1, "unidentified_value": Decimal("1.00")}
    quality = answer([{"source": "till"}], "sources", **totals)
    quality = Result({**quality.tables, "findings": pa.Table.from_pylist([minor, fault])}, ReportSpec(), "v", 0, totals)
    repeat = [{"cohort": "", "rate": 0.5, "low": 0.4, "high": 0.6, "size": 99, "within_days": 90}]
    told = said(
        "February 2024",
        quality=quality,
        kpis=answer([kpi("conversion_rate", 0.10, 0.01, 0.005, 0.015)], "kpis", **totals),
        funnel=steps(1000, 900, 300, 250),
        channels=answer([channel("Email", 12, 100), channel("Direct", 10, 100)], "channels"),
        retention=answer(repeat, "repeat"),
        **journeys(1000, 100, {"awareness": 200, "consideration": 600}),
    )
    assert len(told) == 7
    assert told[0] == "51 orders worth €11.00 (1–31 March 2024). 1 of them is without a customer."
    assert told[-1].startswith("Before you act: till has brought nothing for 60 days")


def test_persons_chosen_by_what_they_bought_do_not_prove_that_they_buy() -> None:
    answers = journeys(1000, 900, {"awareness": 80}) | {"channels": answer([channel("Email", 90, 100)] * 2, "channels")}
    told = said("", "orders >= 3", **answers)
    assert told == [
        "These customers are chosen by what they bought: that they convert and come back is part of the choice."
    ]
    assert len(said("", "person.country = IT", **answers)) == 3
