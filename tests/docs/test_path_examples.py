"""The worked examples of docs/reference/flow.md and variants.md, told to the real build and asked again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from percorso.analyses.flow import FlowSpec, run_flow
from percorso.analyses.paths import NODE_UNITS
from percorso.analyses.spec import Scope
from percorso.analyses.variants import VariantsSpec, run_variants
from percorso.cli.lazy import load
from percorso.cli.main import COMMANDS
from percorso.services.build import fresh_log
from percorso.store.journey_log import JourneyLog
from tests.docs_tables import code_spans, table
from tests.lake_builder import event
from tests.workspaces import make_workspace

FLOW, VARIANTS = "reference/flow.md", "reference/variants.md"
EXAMPLE = "An example"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> JourneyLog:
    rows = []
    for person, time, name in table(FLOW, EXAMPLE):
        buys = name.startswith("Order")
        order = {"order_id": f"of {person}"} | ({"value": 5000, "currency": "EUR"} if "Completed" in name else {})
        rows.append(event(time, name, user_id=person, **(order if buys else {})))
    return fresh_log(make_workspace(tmp_path_factory.mktemp("shop"), rows))


def tables_of(page: str, heading: str) -> list[list[tuple[str, ...]]]:
    """All tables under a heading, without their heads."""
    text = (Path(__file__).resolve().parents[2] / "docs" / page).read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    return [
        [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in block.splitlines()[2:]]
        for block in found
    ]


def duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds / 3600:.0f} h" if seconds >= 7200 else f"{seconds / 60:.0f} min"


def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def test_flow(log: JourneyLog) -> None:
    _, edges, _ = tables_of(FLOW, EXAMPLE)
    result = run_flow(FlowSpec(), log)
    assert edges == [
        (
            row["from"],
            row["to"],
            str(row["count"]),
            percent(row["probability"]),
            str(row["persons"]),
            duration(row["median_s"]),
            duration(row["p90_s"]),
        )
        for row in result.table.to_pylist()
    ]
    assert result.totals["cases"] == sum(int(row[2]) for row in edges if row[0] == "(start)")


def test_flow_per_person(log: JourneyLog) -> None:
    rows = run_flow(FlowSpec(scope=Scope(per="person")), log).table.to_pylist()
    (delivery,) = [row for row in rows if row["to"] == "Order Delivered"]
    assert delivery["from"] == "Order Completed"
    assert 2.5 < delivery["median_s"] / 86_400 < 3.5


def test_steps(log: JourneyLog) -> None:
    *_, links = tables_of(FLOW, EXAMPLE)
    result = run_flow(FlowSpec(steps=2, from_node="Product Viewed"), log)
    assert links == [
        (str(row["position"]), row["from"], row["to"], str(row["count"])) for row in result.table.to_pylist()
    ]


def test_variants(log: JourneyLog) -> None:
    (shown,) = tables_of(VARIANTS, EXAMPLE)
    result = run_variants(VariantsSpec(collapse=True, top=2), log)
    rows = [row | {"path": " > ".join(row["path"])} for row in result.table.to_pylist()]
    (other,) = result.tables["other"].to_pylist()
    rows.append(other | {"path": f"(other: {other['variants']} variant)", "cumulative": None})
    assert shown == [
        (
            row["path"],
            str(row["count"]),
            percent(row["share"]),
            percent(row["conversion"]),
            duration(row["median_s"]),
            percent(row["cumulative"]),
        )
        for row in rows
    ]
    assert result.totals["total"] == 4


@pytest.mark.parametrize(("command", "heading"), [("flow", "Options"), ("variants", "Definition")])
def test_options_are_documented(command: str, heading: str) -> None:
    named = {span for row in tables_of(f"reference/{command}.md", heading)[-1] for span in code_spans(row[0])}
    common = {span for row in table("reference/conditions.md", "Which events") for span in code_spans(row[0])}
    loaded = load(next(entry for entry in COMMANDS if entry.name == command))
    options = {name for parameter in loaded.params for name in parameter.opts if name.startswith("--")}
    assert named | common | {"--format", "--json", "--output"} == options - {"--help"}


def test_options_of_sql_are_documented() -> None:
    named = {span for row in table("reference/sql.md", "percorso sql") for span in code_spans(row[0])}
    loaded = load(next(entry for entry in COMMANDS if entry.name == "sql"))
    options = {name for parameter in loaded.params for name in parameter.opts if name.startswith("--")}
    assert named == options - {"--help"}


def test_units_and_columns_are_documented(log: JourneyLog) -> None:
    units = [code_spans(row[0])[0] for row in table(FLOW, "Definition")]
    assert tuple(units) == NODE_UNITS
    for page, heading, result in (
        (FLOW, "The answer", run_flow(FlowSpec(), log)),
        (VARIANTS, "The answer", run_variants(VariantsSpec(), log)),
    ):
        named = [span for row in table(page, heading) for span in code_spans(row[0])]
        assert named == result.table.column_names
    other = run_variants(VariantsSpec(), log).tables["other"].column_names
    page = (Path(__file__).resolve().parents[2] / "docs" / VARIANTS).read_text(encoding="utf-8")
    paragraph = page.split("Table `other`")[1].split("Beside them")[0]
    assert code_spans(paragraph) == other
