"""What charts of results say is what their answers say: the table behind a chart against the answer's rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from percorso.analyses.intervals import FEW
from percorso.analyses.result import Result
from percorso.language.kpi_words import kpi_name
from percorso.language.measures import COUNT, SHARE, Measure, money
from percorso.language.words import Words
from tests.analyses.plot_answers import answers_of, build_plotted

IT = Words("it")
EUR = money("EUR")
DAY = 86_400


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    return answers_of(build_plotted(tmp_path_factory.mktemp("shop")))


def shown(value: float | None, measure: Measure) -> str:
    return IT.numbers.show(value, measure)


def values(answer: Result, kind: str, column: int = 1) -> list[str]:
    return [row[column] for row in answer.plot(kind, "it").rows]


def told(answer: Result, table: str, column: str, measure: Measure, keep: Callable[[Any], bool] = bool) -> list[str]:
    """A column of the answer, the largest first, as people read it."""
    found = sorted((row[column] for row in answer.tables[table].to_pylist() if keep(row)), reverse=True)
    return [shown(float(value), measure) for value in found]


@pytest.mark.parametrize("name", ["touchpoints", "channels", "places"])
def test_reach(answers: dict[str, Result], name: str) -> None:
    assert values(answers[name], "reach") == told(answers[name], name, "share", SHARE)
    assert answers[name].plot("reach", "it").heads[2] == "intervallo al 95 %"


@pytest.mark.parametrize("name", ["touchpoints", "channels", "places"])
def test_conversion_of_those_with_enough_journeys(answers: dict[str, Result], name: str) -> None:
    def enough(row: Any) -> bool:
        return row["journeys"] - row["open"] >= FEW and not (name == "touchpoints" and row["orders"])

    told_ = told(answers[name], name, "conversion", SHARE, enough)
    assert told_
    assert values(answers[name], "conversion") == told_


@pytest.mark.parametrize("name", ["touchpoints", "channels", "places"])
def test_conversion_stands_beside_the_journeys_that_it_is_of(answers: dict[str, Result], name: str) -> None:
    table = answers[name].table
    half = pa.array([n // 2 for n in table.column("journeys").to_pylist()])
    few_closed = table.set_column(table.column_names.index("open"), "open", half)
    answer = replace(answers[name], tables={**answers[name].tables, name: few_closed})
    rows = [row for row in few_closed.to_pylist() if not (name == "touchpoints" and row["orders"])]
    closed = sorted(str(row["journeys"] - row["open"]) for row in rows if row["journeys"] - row["open"] >= FEW)
    assert sorted(values(answer, "conversion", 3)) == closed


@pytest.mark.parametrize("name", ["touchpoints", "channels", "places"])
def test_rows_too_young_for_a_conversion_are_named(answers: dict[str, Result], name: str) -> None:
    table = answers[name].table
    young = table.set_column(
        table.column_names.index("conversion"), "conversion", pa.nulls(table.num_rows, pa.float64())
    )
    chart = replace(answers[name], tables={**answers[name].tables, name: young}).plot("conversion", "it")
    assert not chart.rows
    assert "Troppo presto per dirlo, quindi non mostrati: " in chart.svg


@pytest.mark.parametrize("name", ["channels", "places"])
def test_orders_and_value(answers: dict[str, Result], name: str) -> None:
    rows = [row for row in answers[name].table.to_pylist() if row["orders"]]
    assert values(answers[name], "orders") == sorted((shown(r["orders"], COUNT) for r in rows), key=int, reverse=True)
    total = sum(r["value"] for r in rows)
    assert total == answers[name].totals["value"]
    largest = sorted((int(r["value"] * 100) for r in rows), reverse=True)
    assert values(answers[name], "value") == [shown(value, EUR) for value in largest]


def test_orders_without_any_value_are_not_worth_nothing(answers: dict[str, Result]) -> None:
    answer = answers["channels"]
    totals = {**answer.totals, "value": Decimal("0.00"), "valueless_orders": answer.totals["orders"]}
    assert set(values(replace(answer, totals=totals), "value")) == {"–"}


@pytest.mark.parametrize("table", ["switches", "devices"])
def test_switches(answers: dict[str, Result], table: str) -> None:
    chart = answers["places"].plot(table, "en")
    cells = sum(int(cell) for row in chart.rows for cell in row[1:] if cell)
    assert cells == sum(answers["places"].tables[table].column("count").to_pylist()) > 0
    rate = answers["places"].totals["switch_rate" if table == "switches" else "device_switch_rate"]
    assert Words("en").numbers.share(rate) in chart.caption


def test_roles_and_breadth(answers: dict[str, Result]) -> None:
    roles = {row[0]: row[1:] for row in answers["places"].plot("roles", "en").rows}
    for row in answers["places"].table.to_pylist():
        if row["journeys"]:
            name = Words("en").title("place", row["place"])
            assert roles[name][:4] == tuple(str(row[key]) for key in ("journeys", "first", "assist", "last"))
    expected = [row["conversion"] for row in answers["places"].tables["breadth"].to_pylist() if row["journeys"]]
    assert values(answers["places"], "breadth") == [shown(value, SHARE) for value in expected]


def test_researched(answers: dict[str, Result]) -> None:
    rows = answers["places"].tables["ropo"].to_pylist()
    assert values(answers["places"], "researched") == [shown(row["share"], SHARE) for row in rows if row["orders"]]


def test_touchpoints(answers: dict[str, Result]) -> None:
    answer = answers["touchpoints"]
    assert values(answer, "exits") == told(answer, "touchpoints", "exit_share", SHARE, lambda row: row["exits"] > 0)
    chart = answer.plot("stages", "en")
    shares = {(row[0], head): cell for row in chart.rows for head, cell in zip(chart.heads, row, strict=True)}
    names = Words("en")
    for row in answer.tables["stages"].to_pylist():
        stage = "Not known" if row["stage"] == "(none)" else names.title("stage", row["stage"])
        assert shares[names.title("touchpoint", row["touchpoint"]), stage] == names.numbers.share(row["share"])


def test_stages(answers: dict[str, Result]) -> None:
    answer, rows = answers["stages"], answers["stages"].table.to_pylist()
    assert values(answer, "persons") == [shown(row["share"], SHARE) for row in rows]
    assert values(answer, "progression") == [
        shown(row["progression"], SHARE) for row in rows if row["progression"] is not None
    ]
    assert values(answer, "exits") == [shown(row["exit_share"], SHARE) for row in rows if row["exits"]]
    moves = answer.tables["moves"].to_pylist()
    assert sum(int(row[2]) for row in answer.plot("flow", "en").rows) == sum(row["count"] for row in moves)
    between = sum(row["count"] for row in moves if row["from"] != "(start)")
    assert sum(int(cell) for row in answer.plot("matrix", "en").rows for cell in row[1:] if cell) == between


def test_journeys(answers: dict[str, Result]) -> None:
    answer = answers["journeys"]
    rows = [row for row in answer.table.to_pylist() if row["share"] is not None]
    assert values(answer, "outcomes") == [shown(row["share"], SHARE) for row in rows]
    assert values(answer, "conversion") == [shown(answer.tables["conversion"].to_pylist()[0]["conversion"], SHARE)]
    curve = [row["conversion"] for row in answer.tables["curve"].to_pylist() if row["conversion"] is not None]
    assert values(answer, "curve") == [shown(value, SHARE) for value in curve]
    bars = [row for row in answer.tables["histogram"].to_pylist() if row["measure"] == "time_to_convert_s"]
    assert values(answer, "times") == [shown(row["journeys"], COUNT) for row in bars]
    assert sum(row["journeys"] for row in bars) == answer.totals["converted"]


def test_lengths_are_shares_of_each_outcome(answers: dict[str, Result]) -> None:
    answer = answers["journeys"]
    counts = {
        (row["outcome"], row["from"]): row["journeys"]
        for row in answer.tables["histogram"].to_pylist()
        if row["measure"] == "contacts"
    }
    for column, outcome in ((1, "converted"), (2, "abandoned")):
        total = sum(n for key, n in counts.items() if key[0] == outcome)
        first = counts.get((outcome, 1), 0) / total
        assert values(answer, "lengths", column)[0] == shown(first, SHARE)


def test_journeys_by_a_field(answers: dict[str, Result]) -> None:
    answer = answers["journeys by"]
    rows = sorted(answer.tables["conversion"].to_pylist(), key=lambda row: (-row["opened"], row["first_channel"]))
    assert values(answer, "outcomes") == [shown(row["converted_share"], SHARE) for row in rows[:7]]
    enough = sorted((row["conversion"] for row in rows if row["opened"] >= FEW), reverse=True)
    assert enough
    assert values(answer, "conversion") == [shown(value, SHARE) for value in enough]


def test_cohorts_leave_blank_what_is_not_over(answers: dict[str, Result]) -> None:
    answer = answers["retention"]
    cohorts: dict[str, list[Any]] = {}
    for row in answer.tables["cohorts"].to_pylist():
        cohorts.setdefault(row["cohort"], []).append(row)
    chart = answer.plot("cohorts", "it")
    for told_, rows in zip(chart.rows, cohorts.values(), strict=True):
        over = [shown(row["share"], SHARE) for row in rows if row["complete"]]
        assert told_[1] == str(rows[0]["size"])
        assert told_[2 : 2 + len(over)] == tuple(over)
        assert set(told_[2 + len(over) :]) <= {""}


def test_repeat_purchase_starts_at_nothing(answers: dict[str, Result]) -> None:
    answer = answers["retention"]
    rates = [r["rate"] for r in answer.tables["repeat"].to_pylist() if not r["cohort"] and r["rate"] is not None]
    assert rates
    assert values(answer, "repeat") == [shown(value, SHARE) for value in (0.0, *rates)]
    average = [row["share"] for row in answer.tables["average"].to_pylist() if row["size"]]
    assert values(answer, "average") == [shown(value, SHARE) for value in average]


def test_lifecycle(answers: dict[str, Result]) -> None:
    answer = answers["lifecycle"]
    rows = answer.tables["intervals"].to_pylist()
    for row, told_ in zip(rows, answer.plot("states", "en").rows, strict=True):
        assert [int(cell.replace(",", "")) for cell in told_[1:]] == [
            row[key] for key in ("returning", "resurrecting", "new")
        ]
        assert sum(int(cell) for cell in told_[1:]) == row["active"]
    assert values(answer, "churn") == [shown(row["churn"], SHARE) for row in rows]
    customers = [row for row in answer.tables["relationships"].to_pylist() if row["relationship"] != "prospect"]
    assert values(answer, "relationships") == [shown(row["persons"], COUNT) for row in customers]
    prospects = answer.tables["relationships"].to_pylist()[0]["persons"]
    assert f"there are {prospects} prospects" in answer.plot("relationships", "en").note


def test_limits(answers: dict[str, Result]) -> None:
    answer = answers["lifecycle"]
    rows = [row for row in answer.tables["limits"].to_pylist() if not row["season"] and row["lost_days"] is not None]
    chart = answer.plot("limits", "en")
    told_ = [tuple(row[1:3]) for row in chart.rows]
    show = Words("en").numbers.duration
    assert told_ == [(show(row["lost_days"] * DAY), show(row["at_risk_days"] * DAY)) for row in rows]


def test_tiles_show_exact_amounts_and_only_whole_periods(answers: dict[str, Result]) -> None:
    answer = answers["kpis"]
    rows = {kpi_name(row["kpi"], "it"): row for row in answer.table.to_pylist()}
    chart = answer.plot("tiles", "it")
    assert 8 <= len(chart.rows) <= 12
    revenue = rows[kpi_name("revenue", "it")]
    assert chart.rows[0][1] == shown(int(revenue["exact"] * 100), EUR)
    for name, value, *_ in chart.rows:
        if rows[name]["unit"] == "share":
            assert value == shown(rows[name]["value"], SHARE)


def test_trend_leaves_out_totals_of_parts(answers: dict[str, Result]) -> None:
    chart = answers["kpis"].plot("trend", "it")
    months = [row for row in answers["kpis"].tables["trend"].to_pylist() if row["kpi"] == "revenue"]
    assert [row["complete"] for row in months] == [False, True, True, False]
    expected = [shown(row["value"] * 100 if row["complete"] else None, EUR) for row in months]
    assert [row[1] for row in chart.rows] == expected
    assert "Non completi: dic\u00a023, mar\u00a024." in chart.note


def test_trend_of_two_and_by_a_field(answers: dict[str, Result]) -> None:
    chart = answers["kpis of two"].plot("trend", "it")
    assert {row[0] for row in chart.rows} == {kpi_name("conversion_rate", "it"), kpi_name("bounce_rate", "it")}
    grouped = answers["kpis by"].plot("trend", "it")
    assert {row[0] for row in grouped.rows} == {"Computer", "Smartphone", "Non noto"}
    for row in grouped.rows:
        assert row[4] == "" or int(row[4]) >= FEW
    groups = answers["kpis by"].plot("groups", "it")
    told_ = [row["value"] for row in answers["kpis by"].table.to_pylist() if row["value"] is not None]
    assert [row[1] for row in groups.rows] == [shown(value, SHARE) for value in sorted(told_, reverse=True)]


def test_changes(answers: dict[str, Result]) -> None:
    rows = {kpi_name(row["kpi"], "it"): row for row in answers["kpis"].table.to_pylist()}
    chart = answers["kpis"].plot("changes", "it")
    assert chart.heads[3] == "15\u00a0settembre – 14\u00a0dicembre 2023"
    for name, value, _, before, *_ in chart.rows:
        assert (value, before) == (shown(rows[name]["value"], SHARE), shown(rows[name]["previous"], SHARE))


def test_timeouts(answers: dict[str, Result]) -> None:
    answer = answers["timeouts"]
    rows = answer.table.to_pylist()
    chart = answer.plot("cut_off", "en")
    line = [row for row in chart.rows if row[0] == "cut off"]
    assert [row[2] for row in line] == [Words("en").numbers.share(row["share"]) for row in rows]
    best = next(row for row in rows if row["recommended"])
    assert best["timeout_days"] == answer.totals["recommended_days"]
    assert f"After {best['timeout_days']} days of silence" in chart.title
    assert [row[0] for row in chart.rows if row[0].startswith("recommended")] == [
        f"recommended: {best['timeout_days']} days"
    ]
    outcomes = answer.plot("outcomes", "en").rows
    assert [sum(map(int, row[1:])) for row in outcomes] == [row["journeys"] for row in rows]


def test_segment(answers: dict[str, Result]) -> None:
    answer = answers["segment"]
    mine, everybody = answer.table.to_pylist()
    tiles = {row[0]: row[1] for row in answer.plot("size", "it").rows}
    assert tiles["Valore"] == shown(int(mine["value"] * 100), EUR)
    assert tiles["Quota di tutti gli ordini"] == shown(mine["orders"] / everybody["orders"], SHARE)
    assert "«loyal»" in answer.plot("traits", "it").title
    traits = answer.tables["traits"].to_pylist()
    most = max(traits, key=lambda row: abs(row["share"] - row["share_of_all"]))
    first = answer.plot("traits", "it").rows[0]
    assert (first[1], first[3]) == (shown(most["share"], SHARE), shown(most["share_of_all"], SHARE))


def test_quality(answers: dict[str, Result]) -> None:
    answer = answers["quality"]
    rows = {row["source"]: row for row in answer.table.to_pylist()}
    for source, value, *_ in answer.plot("sources", "it").rows:
        assert value == shown(rows[source]["events"], COUNT)
    for source, value, *_ in answer.plot("known", "it").rows:
        assert value == shown(1 - rows[source]["unidentified_share"], SHARE)
    silent = {row["source"] for row in answer.tables["findings"].to_pylist() if row["finding"] == "quiet_source"}
    assert silent
    assert answer.plot("freshness", "it").svg.count(">silenziosa<") == len(silent)
    for source, _, rejected, *_ in answer.plot("troubles", "it").rows:
        assert int(rejected) == rows[source]["rejected"]
