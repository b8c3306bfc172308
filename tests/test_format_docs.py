"""docs/reference/formats.md and the how-to pages say what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from percorso.events.formats import FORMAT_NAMES, FORMATS
from percorso.events.formats.ad_costs import _NAMES
from percorso.events.formats.catalogue import CATALOGUE_NAMES, STOCK_NAMES
from percorso.events.formats.shopify_events import NOTE_REFUND_TIME
from percorso.events.mapping_file import parse_mapping
from tests.docs_tables import DOCS, code_spans, table

SOURCE = Path(__file__).resolve().parents[1] / "src/percorso/events/formats"


def test_every_format_is_described() -> None:
    rows = table("reference/formats.md", "Formats")
    assert sorted(code_spans(row[0])[0] for row in rows) == sorted(FORMAT_NAMES)
    for row in rows:
        entry = FORMATS.get(code_spans(row[0])[0])
        if entry is not None:
            assert row[3] == entry.default_kind
            assert ("NDJSON" in row[1], "CSV" in row[1] or "Parquet" in row[1]) == (
                entry.lines is not None,
                entry.table is not None,
            )


def test_every_reason_is_described() -> None:
    described = {code_spans(row[0])[0] for row in table("reference/formats.md", "Why rows are rejected")}
    own = [path for path in SOURCE.glob("*.py") if not path.name.startswith("table")]
    words = {word for path in own for word in re.findall(r'"([a-z]+_[a-z]+)"', path.read_text(encoding="utf-8"))}
    given = {w for w in words if re.fullmatch(r"\w+_(missing|unreadable|invalid|wrong|unknown)", w)}
    # Those of times come from the codes of events.times.
    assert given | {"time_missing", "time_unreadable"} == described
    assert [code_spans(row[0])[0] for row in table("reference/formats.md", "Notes")] == [NOTE_REFUND_TIME]


def test_names_of_columns_of_ad_costs() -> None:
    described = {row[0]: row[1] for row in table("how-to/ad-costs.md", "Import what advertising cost")}
    described["source_medium"] = described.pop("both in one")
    assert {role: _without_blanks(names.split(", ")) for role, names in described.items()} == {
        role: _without_blanks(names) for role, names in _NAMES.items()
    }


@pytest.mark.parametrize(("heading", "names"), [("Catalogue", CATALOGUE_NAMES), ("Stock", STOCK_NAMES)])
def test_names_of_columns_of_catalogue_and_stock(heading: str, names: dict[str, tuple[str, ...]]) -> None:
    described = {row[0]: tuple(row[1].split(", ")) for row in table("how-to/catalogue-and-stock.md", heading)}
    assert described == names


def _without_blanks(names: Iterable[str]) -> set[str]:
    return {name.replace(" / ", "/") for name in names}


@pytest.mark.parametrize("page", ["path-strings.md", "catalogue-and-stock.md"])
def test_mappings_of_the_pages_can_be_read(page: str) -> None:
    text = (DOCS / "how-to" / page).read_text(encoding="utf-8")
    mappings = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    assert mappings
    for mapping in mappings:
        parse_mapping(mapping, where=page)
