"""The how-to page imports its own example: the export and the mapping it shows are taken from the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import percorso
from percorso.events.formats.auto_mapping import propose_mapping
from percorso.services.workspace import init_workspace, open_workspace
from tests.events.formats.chunks import table_chunks

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


def test_the_mapping_of_the_page_is_the_one_that_is_proposed(shop: percorso.Percorso, tmp_path: Path) -> None:
    (chunk,) = table_chunks(tmp_path / "ordini.csv")
    settings = open_workspace(tmp_path / "shop").settings
    assert propose_mapping(chunk, "ordini.csv", settings).toml == block("toml")


def test_the_page_s_questions_have_answers(shop: percorso.Percorso) -> None:
    question = re.search(r'^percorso -w shop sql "(.*)"$', PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert question is not None
    rows = shop.sql(question[1]).to_pylist()
    assert [(row["product"], row["orders"], float(row["value"])) for row in rows] == [
        ("Pianoforte digitale", 1, 1049.0),
        ("Chitarra classica", 1, 149.0),
        ("Accordatore", 1, 15.9),
        ("Corde", 1, 12.9),
    ]
    assert "percorso -w shop customer anna.rossi@posta.example" in PAGE.read_text(encoding="utf-8")
    assert len(shop.customer("anna.rossi@posta.example").history.orders) == 1
