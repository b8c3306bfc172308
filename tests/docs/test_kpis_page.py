"""docs/reference/kpis.md: its tables of KPIs are those of the code; its example is told to the real build."""

from __future__ import annotations

from pathlib import Path

import pytest

from percorso.analyses.basis import basis_of
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.kpis import KPIS, STAGES, KpisSpec, run_kpis
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.language.kpi_words import kpi_label, kpi_meaning, kpi_name, kpi_texts
from percorso.services.build import fresh_log
from percorso.services.workspace import open_workspace
from tests.docs_tables import DOCS, table
from tests.lake_builder import event
from tests.workspaces import make_workspace

PAGE = "reference/kpis.md"
EXAMPLE = "An example"
METHODS = {
    "total": "counted",
    "share": "Wilson",
    "ratio": "jackknife",
    "score": "adjusted Wald",
    "median": "order statistics",
    "p90": "none",
    "converted": "Wilson; Aalen-Johansen where some are open",
    "within": "Kaplan-Meier",
    "cost": "jackknife",
    "return": "jackknife",
    "fixed": "counted",
    "breadth": "Wilson",
    "expected": "jackknife",
}
REACHES = {"event": "any field", "person": "fields of persons", "whole": "nothing"}


def kpi_row(kpi: Kpi) -> tuple[str, ...]:
    method = "standardised" if kpi.how == "breadth" and kpi.also else METHODS[kpi.how]
    return (f"`{kpi.key}`", kpi_name(kpi.key), kpi_meaning(kpi.key), kpi.unit, method, REACHES[kpi.reach])


def stage_tables() -> str:
    """The tables as the page has them."""
    lines = []
    for stage in STAGES:
        lines += [
            f"### {kpi_label(stage)}",
            "",
            "| key | name | definition | unit | interval | by |",
            "|---|" + "---|" * 5,
        ]
        lines += ["| " + " | ".join(kpi_row(kpi)) + " |" for kpi in KPIS if kpi.stage == stage]
        lines.append("")
    return "\n".join(lines)


def test_every_kpi_is_defined_on_the_page() -> None:
    assert stage_tables() in (DOCS / PAGE).read_text(encoding="utf-8")


def test_every_kpi_and_every_reason_has_its_texts() -> None:
    texts = kpi_texts()
    assert set(texts["kpi"]) == {kpi.key for kpi in KPIS}
    used = {kpi.missing for kpi in KPIS} | {
        "no_costs",
        "no_spend",
        "too_young",
        "no_limits",
        "history_too_short",
        "not_by",
        "several_surveys",
    }
    assert set(texts["missing"]) == used
    for part in texts.values():
        for entry in part.values():
            assert all(entry.values())
            assert {"en", "it"} <= set(entry)


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return told(tmp_path_factory.mktemp("kpis"))


def told(folder: Path) -> Result:
    rows = []
    for person, time, name, order, product, category, value in table(PAGE, EXAMPLE):
        in_store = name.endswith(" in a store")
        fields: dict[str, object] = {
            "order_id": order or None,
            "product_id": product or None,
            "category": category or None,
        }
        if person != "(nobody)":
            fields["user_id"] = person
        if value:
            fields |= {"value": int(value.replace(".", "")), "currency": "EUR"}
        if in_store:
            fields |= {"source": "till", "source_kind": "pos"}
        rows.append(event(time, name.removesuffix(" in a store"), **fields))
    # Intervals go by groups of persons, and which group a person is in by the key.
    (make_workspace(folder, rows).folder / "secret.key").write_bytes(b"k" * 32)
    workspace = open_workspace(folder)
    log = fresh_log(workspace)
    spec = KpisSpec(scope=Scope(start="2024-03-01", end="2024-03-31"))
    return run_kpis(spec, log, basis_of(workspace.settings))


def shown(row: dict[str, object]) -> tuple[str, ...]:
    def text(value: object) -> str:
        return "" if value is None else f"{value:.4g}"

    return (f"`{row['kpi']}`", text(row["value"]), text(row["low"]), text(row["high"]), str(row["n"]))


def test_the_example(answer: Result) -> None:
    rows = {f"`{row['kpi']}`": shown(row) for row in answer.table.to_pylist()}
    for expected in table(PAGE, "What comes of it"):
        assert rows[expected[0]] == expected


def test_the_example_of_expected_value(tmp_path: Path) -> None:
    rows = []
    for person, time, name, value in table(PAGE, "Expected value"):
        fields: dict[str, object] = {"user_id": person}
        if value:
            fields |= {"value": int(value.replace(".", "")), "currency": "EUR", "order_id": time}
        rows.append(event(time, name, **fields))
    workspace = make_workspace(tmp_path / "shop", rows, timezone="UTC")
    spec = KpisSpec(scope=Scope(timezone="UTC"), kpis=("expected_value_12m", "lifetime_value"))
    found = run_kpis(spec, fresh_log(workspace), basis_of(workspace.settings)).table.to_pylist()
    values = {row["kpi"]: f"{row['value']:.2f}" for row in found}
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    said = f"their sum, {values['expected_value_12m']}; so far the three are worth {values['lifetime_value']} each"
    assert said in page
    shares = [row[3] for row in table(PAGE, "Day by day")]
    assert f"{sum(map(float, shares)):.2f}" == values["expected_value_12m"]
