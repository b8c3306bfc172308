"""docs/reference/report.md and quality.md, held to the code and asked again."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from percorso.analyses.quality import QualitySpec
from percorso.analyses.quality_findings import FINDINGS
from percorso.analyses.result import Result
from percorso.cli.lazy import load
from percorso.cli.main import COMMANDS
from percorso.language.words import names_of
from percorso.reports.spec import SECTIONS, default_period, earlier_is_known
from percorso.services.quality import ask_quality
from tests.docs.test_question_examples import tables_of
from tests.docs_tables import code_spans, table
from tests.lake_builder import event
from tests.workspaces import make_workspace

QUALITY, REPORT = "reference/quality.md", "reference/report.md"
_BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Result:
    rows = []
    for source, time, name, person, order, value in tables_of(QUALITY, "An example")[0]:
        who = {} if person == "nobody" else {"user_id": person}
        agent = {"user_agent": _BOT} if person == "a robot" else {}
        bought = {"order_id": order} if order else {}
        paid: dict[str, Any] = {"value": int(value) * 100, "currency": "EUR"} if value else {}
        rows.append(event(time, name, source=source, **who, **agent, **bought, **paid))
    return ask_quality(make_workspace(tmp_path_factory.mktemp("shop"), rows), QualitySpec())


def test_worked_example_of_quality(answer: Result) -> None:
    _, sources, findings = tables_of(QUALITY, "An example")
    columns = ("source", "events", "days_since", "bots", "orders", "unvalued_orders", "unidentified_orders")
    told = [
        tuple(f"{row[name]:.1f}" if name == "days_since" else str(row[name]) for name in columns)
        for row in answer.table.to_pylist()
    ]
    assert told == sources
    shown = ("level", "finding", "source", "count", "of")
    assert [tuple(str(row[name]) for name in shown) for row in answer.tables["findings"].to_pylist()] == findings


def test_columns_findings_and_reasons_are_documented(answer: Result) -> None:
    assert [span for row in table(QUALITY, "The answer") for span in code_spans(row[0])] == answer.table.column_names
    assert sorted(code_spans(row[0])[0] for row in table(QUALITY, "Findings")) == sorted(FINDINGS)
    reasons = [code_spans(row[0])[0] for row in table("reference/rejected.md", "Reasons")]
    assert list(names_of("rejection", "it")) == reasons


@pytest.mark.parametrize(("page", "command"), [(QUALITY, "quality"), (REPORT, "report")])
def test_options_are_documented(page: str, command: str) -> None:
    loaded = load(next(entry for entry in COMMANDS if entry.name == command))
    known = {name for parameter in loaded.params for name in parameter.opts if name.startswith("--")}
    assert {span for row in table(page, "Options") for span in code_spans(row[0])} == known - {"--help"}


def test_sections_are_documented() -> None:
    assert tuple(code_spans(row[0])[0] for row in table(REPORT, "Definition")) == SECTIONS


def test_worked_example_of_the_period() -> None:
    for first, as_of, period, compared in tables_of(REPORT, "An example")[0]:
        found = default_period(date.fromisoformat(first), date.fromisoformat(as_of))
        assert f"{found.first} to {found.last}" == period
        is_known = earlier_is_known(date.fromisoformat(first), found.first, found.last)
        assert is_known == (compared == "the period before")


def test_pages_name_no_machine() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    assert all((docs / page).is_file() for page in (QUALITY, REPORT))
