"""`percorso kpis` and `percorso people kpis`."""

from __future__ import annotations

import csv
import io
import json
from html import unescape
from pathlib import Path

import pytest

from percorso.analyses.kpis import KPIS, KpisSpec
from percorso.cli.kpi_tables import kpi_sections
from percorso.cli.main import run
from percorso.language.measures import measure_of
from percorso.services.kpis import ask_kpis
from percorso.services.workspace import open_workspace
from tests.services.shop_workspace import make_shop
from tests.workspaces import change_settings

pytestmark = pytest.mark.usefixtures("both_engines")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kpis") / "shop"
    make_shop(folder)
    return folder


def test_for_people(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(shop), "kpis"]) == 0
    told = capsys.readouterr().out
    assert "Conversion rate" in told
    assert "Not to be told here" in told
    assert "no ad costs: import the ad platforms' reports" in told
    assert run(["-w", str(shop), "kpis", "--language", "it"]) == 0
    assert "Tasso di conversione" in capsys.readouterr().out


def test_every_row_is_told_once_in_either_language(shop: Path) -> None:
    answer = ask_kpis(open_workspace(shop), KpisSpec())
    for language in ("en", "it"):
        sections = kpi_sections(answer, language)
        shown = [name for one in sections[:-1] for name in one.table.column("KPI").to_pylist()]
        missing = "; ".join(sections[-1].table.column(1).to_pylist()).split("; ")
        assert len(shown) + len(missing) == len(KPIS)


def test_a_comparison_shows_what_was_before_and_says_once_what_is_left_out(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("percorso.cli.output._width", lambda output: 72)
    assert run(["-w", str(shop), "kpis", "--last", "8d", "--compare", "previous"]) == 0
    told = capsys.readouterr().out
    assert told.count("left out: ") == 1
    assert "before" not in told.split("left out: ")[1]
    assert all("before" in line for line in told.splitlines() if "  change" in line)
    assert max(map(len, told.splitlines())) < 100


TAX = {
    "unknown": ("Whether amounts hold tax is not said", "Non è detto se gli importi comprendono l'IVA"),
    "included": ("Amounts hold tax.", "Gli importi comprendono l'IVA."),
    "excluded": ("Amounts are without tax.", "Gli importi sono senza IVA."),
}


@pytest.mark.parametrize("tax", TAX)
def test_amounts_say_whether_they_hold_tax(tmp_path: Path, capsys: pytest.CaptureFixture[str], tax: str) -> None:
    make_shop(tmp_path / "shop")
    change_settings(open_workspace(tmp_path / "shop"), 'tax = "unknown"', f'tax = "{tax}"')
    command = ["-w", str(tmp_path / "shop")]
    for noun in ("kpis", "map"):
        for language, said in zip(("en", "it"), TAX[tax], strict=True):
            assert run([*command, noun, "--language", language]) == 0
            assert said in " ".join(capsys.readouterr().out.split())
        assert run([*command, noun, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["tax"] == tax
    assert run([*command, "kpis", "--kpi", "persons"]) == 0
    assert TAX[tax][0] not in capsys.readouterr().out  # no amounts, no label
    for language, said in zip(("en", "it"), TAX[tax], strict=True):
        assert run([*command, "report", "--language", language, "--html", str(tmp_path / "report.html")]) == 0
        assert said in unescape((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_a_period_without_events_is_said(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(shop), "kpis", "--from", "2030-01-01", "--to", "2030-02-01"]) == 0
    assert "Warning: No events between 2030-01-01 and 2030-02-01" in capsys.readouterr().out


def test_for_programs(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(shop), "kpis", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = {row["kpi"]: row for row in told["kpis"]}
    assert rows["orders"]["value"] == told["orders"] + told["unidentified_orders"]
    assert rows["nps"]["note"] == "no survey answers in the period"
    assert told["spec"]["analysis"] == "kpis"
    arguments = ["kpis", "--kpi", "orders", "--kpi", "persons", "--every", "month", "--format", "csv"]
    assert run(["-w", str(shop), *arguments]) == 0
    trend = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["kpi"] for row in trend} == {"orders", "persons"}
    assert set(trend[0]) == {"kpi", "period", "complete", "value", "low", "high", "n"}


def test_the_list_tells_every_kpi(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(shop), "kpis", "--list", "--json"]) == 0
    assert [row["kpi"] for row in json.loads(capsys.readouterr().out)] == [kpi.key for kpi in KPIS]


def test_people(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(shop), "kpis", "--kpi", "new_customers", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["kpis"]
    assert run(["-w", str(shop), "people", "kpis", "--kpi", "new_customers", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["count"] == row["value"]
    assert run(["-w", str(shop), "people", "kpis"]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kpi", "revenu"], "Did you mean 'revenue'?"),
        (["--compare", "previous"], "a comparison needs a period"),
        (["--language", "fr"], "is no language"),
        (["--last", "30d", "--compare", "yesterday"], "One cannot compare"),
    ],
)
def test_slips_of_the_pen(shop: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert run(["-w", str(shop), "kpis", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_measures() -> None:
    assert {kpi.unit for kpi in KPIS} <= {"count", "share", "points", "money", "duration", "ratio", "score"}
    assert all(measure_of(kpi.unit, "EUR") for kpi in KPIS)
