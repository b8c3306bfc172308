"""The how-to page imports its own example: the export and the mapping it shows are taken from the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import percorso
from percorso.services.workspace import init_workspace

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "import-your-own-csv.md"


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def shop(tmp_path: Path) -> percorso.Percorso:
    init_workspace(tmp_path / "shop", currency="EUR", timezone="Europe/Rome", language="en")
    (tmp_path / "ordini.csv").write_text(block("csv"), encoding="utf-8")
    (tmp_path / "ordini.toml").write_text(block("toml"), encoding="utf-8")
    shop = percorso.open(tmp_path / "shop")
    shop.import_files(tmp_path / "ordini.csv", mapping=tmp_path / "ordini.toml")
    return shop


def test_the_export_comes_in_as_the_page_says(shop: percorso.Percorso) -> None:
    rows = shop.sql("select event, value from events order by time").to_pylist()
    assert [row["event"] for row in rows] == ["Order Completed"] * 4
    assert [float(row["value"]) for row in rows] == [149.0, 1049.0, 12.9, 15.9]


def test_the_row_without_address_is_nobody(shop: percorso.Percorso) -> None:
    report = shop.build()
    assert (report.events, report.persons) == (4, 3)
