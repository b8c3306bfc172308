"""Results as charts: each question's chart says what its table says, in the language asked for."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from percorso.analyses.flow import FlowSpec, run_flow
from percorso.analyses.funnel import run_funnel
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.analyses.plots import PLOTS
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.analyses.variants import VariantsSpec, run_variants
from percorso.charts.chart import Chart
from percorso.errors import SpecError
from percorso.language.words import names_of
from percorso.store.journey_log import JourneyLog
from tests.charts.drawn import assert_sound, text_boxes
from tests.docs_tables import code_spans, table
from tests.log_builder import Row, build_test_log

HOUR_US = 3_600_000_000


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> JourneyLog:
    """Four persons view; two add; one of them buys. Places site, then app."""
    paths = (("View", "Add", "Buy"), ("View", "Add"), ("View", "View"), ("View",))
    rows = [
        Row(person=f"p{who}", time=at * HOUR_US, event=name, coded={"place": "app" if at else "site"})
        for who, path in enumerate(paths)
        for at, name in enumerate(path)
    ]
    return build_test_log(tmp_path_factory.mktemp("log"), rows)


def texts(chart: Chart) -> set[str]:
    return {box.text.replace("\u00a0", " ") for box in text_boxes(chart)}


def funnel_of(log: JourneyLog, scope: Scope | None = None) -> Result:
    return run_funnel(FunnelSpec(steps=("View", "Add", "Buy"), scope=scope or Scope()), log)


def test_funnel(log: JourneyLog) -> None:
    chart = funnel_of(log).plot(language="it")
    assert_sound(chart)
    assert {"Da View a Buy", "4", "2", "1", "−2 si fermano", "50,0 % prosegue, mediana 1h"} <= texts(chart)
    assert [row[:2] for row in chart.rows] == [("View", "4"), ("Add", "2"), ("Buy", "1")]
    assert any("sotto 30" in text for text in texts(chart)) or "avviso" in chart.note
    assert funnel_of(log).plot("funnel").title == "From View to Buy"


def test_funnel_of_counts_alone(log: JourneyLog) -> None:
    spec = FunnelSpec(steps=("View", "Add", "Buy"), counts_only=True)
    chart, whole = run_funnel(spec, log).plot(language="it"), funnel_of(log).plot(language="it")
    assert_sound(chart)
    assert [row[:-1] for row in chart.rows] == [row[:-1] for row in whole.rows]
    assert "50,0 % prosegue" in texts(chart)
    paths, alone = (run_variants(VariantsSpec(counts_only=only), log).plot() for only in (False, True))
    assert alone.rows == paths.rows


def test_funnel_by_a_field(log: JourneyLog) -> None:
    chart = funnel_of(log, Scope(by="place")).plot(language="it")
    assert_sound(chart)
    assert chart.title == "Da View a Buy, per luogo"
    assert chart.rows[0][:2] == ("sito", "25,0\u00a0%")


def test_flow(log: JourneyLog) -> None:
    spec = FlowSpec(scope=Scope(per="person"))
    answer = run_flow(spec, log)
    chart = answer.plot(language="it")
    assert_sound(chart)
    assert {"inizio", "fine", "View", "4 + 1"} <= texts(chart)
    shown = {(row[0], row[1]): int(row[2]) for row in chart.rows}
    names = {"(start)": "inizio", "(end)": "fine"}
    told = {
        (names.get(row["from"], row["from"]), names.get(row["to"], row["to"])): row["count"]
        for row in answer.table.to_pylist()
    }
    assert shown == told


@pytest.mark.parametrize("ends", [{"from_node": "View"}, {"to_node": "Buy"}])
def test_steps(log: JourneyLog, ends: dict[str, str]) -> None:
    answer = run_flow(FlowSpec(steps=2, scope=Scope(per="person"), **ends), log)  # type: ignore[arg-type]
    chart = answer.plot(language="it")
    assert_sound(chart)
    assert sum(int(row[2]) for row in chart.rows) == sum(answer.table.column("count").to_pylist())
    assert any("2 passi" in text for text in texts(chart))


def test_switches(log: JourneyLog) -> None:
    answer = run_flow(FlowSpec(scope=Scope(per="person")), log)
    chart = answer.plot("matrix", "en")
    assert_sound(chart)
    cells = {(row[0], head): cell for row in chart.rows for head, cell in zip(chart.heads[1:], row[1:], strict=True)}
    assert cells["View", "Add"] == "2"
    assert cells["View", "View"] == "1"
    assert cells["Buy", "View"] == "0"
    with pytest.raises(SpecError, match="no switches"):
        run_flow(FlowSpec(steps=1, from_node="View"), log).plot("matrix")


def test_variants(log: JourneyLog) -> None:
    answer = run_variants(VariantsSpec(top=2, scope=Scope(per="person")), log)
    chart = answer.plot(language="it")
    assert_sound(chart)
    assert [row[1] for row in chart.rows] == ["1", "1"]
    assert chart.caption == "Queste sequenze coprono il 50,0\u00a0% di 4. Il resto segue altre 2 sequenze."


def test_nothing_to_draw(tmp_path: Path) -> None:
    empty = build_test_log(tmp_path, [Row(person="p", time=0, event="Other")])
    scope = Scope(per="person", where='event = "View"')
    for answer in (run_flow(FlowSpec(scope=scope), empty), run_variants(VariantsSpec(scope=scope), empty)):
        chart = answer.plot(language="it")
        assert_sound(chart)
        assert "Nessun dato" in texts(chart)


def test_what_cannot_be_drawn(log: JourneyLog) -> None:
    with pytest.raises(SpecError, match="There is no chart of a scope"):
        Result({"rows": pa.table({"a": [1]})}, Scope(), "v", 0).plot()
    with pytest.raises(SpecError, match="There is no chart 'pie'"):
        funnel_of(log).plot("pie")
    with pytest.raises(SpecError, match="is no language"):
        funnel_of(log).plot(language="de")
    with pytest.raises(SpecError, match="break-down"):
        run_flow(FlowSpec(scope=Scope(by="place")), log).plot()


def test_every_column_of_an_answer_has_a_name(log: JourneyLog) -> None:
    named = set(names_of("column", "it"))
    for answer in (funnel_of(log), run_flow(FlowSpec(), log), run_variants(VariantsSpec(), log)):
        assert {name for table in answer.tables.values() for name in table.column_names} <= named


def test_the_page_lists_every_question_and_its_charts() -> None:
    listed = {code_spans(row[0])[0]: tuple(code_spans(row[1])) for row in table("reference/charts.md", "Of a result")}
    shipped = {spec.__name__.removesuffix("Spec").lower(): tuple(plots) for spec, plots in PLOTS.items()}
    assert listed == shipped
