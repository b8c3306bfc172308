"""Costs of advertising."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from percorso.errors import MappingError
from percorso.events.formats import FORMATS
from percorso.events.formats.ad_costs import AdCostsFormat, find_ad_columns
from percorso.events.formats.source import source_info
from percorso.events.side_rows import SideRows, side_schema
from percorso.settings import Settings
from percorso.store.lake_tables import AD_SPEND
from tests.events.formats.chunks import DATA, table_chunk, table_chunks

ADS = source_info("ads", "ads")


def read(file: str) -> tuple[SideRows, list[dict[str, Any]]]:
    (chunk,) = table_chunks(DATA / file)
    converted = AdCostsFormat(Settings(), ADS).convert(chunk)
    assert converted.rows.schema == side_schema(AD_SPEND)
    return converted, converted.rows.to_pylist()


def test_meta_in_italian() -> None:
    converted, rows = read("ad_costs_meta.csv")
    assert rows[0] == {
        "source": "ads",
        "day": date(2026, 2, 1),
        "utm_source": "facebook",
        "utm_medium": "paid_social",
        "channel": None,
        "campaign": "Scuola",
        "cost": 123450,
        "currency": "EUR",
        "impressions": 10000,
        "clicks": 250,
    }
    # "Total look" is a campaign; the line of totals at the end has no day and is left out.
    assert [row["campaign"] for row in rows] == ["Scuola", "Total look"]
    assert [(r.line, r.reason) for r in converted.rejected] == [(4, "time_unreadable"), (5, "amount_unreadable")]
    assert converted.raw_row.tolist() == [0, 1]


def test_source_and_medium_in_one_column_and_several_currencies() -> None:
    _, rows = read("ad_costs_plain.csv")
    assert [(r["utm_source"], r["utm_medium"], r["cost"], r["currency"]) for r in rows] == [
        ("google", "cpc", 1234, "EUR"),
        ("bing", "cpc", 1200, "JPY"),
    ]
    assert [(row["impressions"], row["clicks"]) for row in rows] == [(1000, 20), (500, None)]


def test_google_ads_says_neither_source_nor_medium() -> None:
    columns = {"Day": ["2026-02-01"], "Campaign": ["A"], "Cost": ["1.5"], "Impr.": ["10"], "Clicks": ["2"]}
    (row,) = AdCostsFormat(Settings(), ADS).convert(table_chunk(columns)).rows.to_pylist()
    assert (row["utm_source"], row["utm_medium"], row["cost"], row["impressions"]) == ("google", "cpc", 150, 10)


def test_a_channel_is_enough() -> None:
    columns = {"giorno": ["01.02.2026"], "canale": ["Display"], "costo": ["5"]}
    (row,) = AdCostsFormat(Settings(), ADS).convert(table_chunk(columns)).rows.to_pylist()
    assert (row["channel"], row["cost"], row["utm_source"], row["clicks"]) == ("Display", 500, None, None)


@pytest.mark.parametrize("missing", ["day", "cost", "source"])
def test_what_is_missing_is_named(missing: str) -> None:
    columns = {"day": ["2026-02-01"], "source": ["google"], "cost": ["1"], "note": ["x"]}
    del columns[missing]
    with pytest.raises(MappingError) as raised:
        AdCostsFormat(Settings(), ADS).convert(table_chunk(columns))
    assert missing in raised.value.message + raised.value.hint


def test_the_first_chunk_says_how_days_and_amounts_are_written() -> None:
    ads = AdCostsFormat(Settings(), ADS)
    first = {"day": ["02/13/2026"], "source": ["google"], "cost": ["1.234,5"]}
    ambiguous = {"day": ["03/04/2026"], "source": ["google"], "cost": ["1.234"]}
    assert ads.convert(table_chunk(first)).rows.to_pylist()[0]["cost"] == 123450
    (row,) = ads.convert(table_chunk(ambiguous)).rows.to_pylist()
    assert (row["day"], row["cost"]) == (date(2026, 3, 4), 123400)


def test_names_of_columns() -> None:
    names = ["Campagna", "Giorno", "Costo", "Impr.", "Clic", "Codice valuta"]
    assert find_ad_columns(names) == {
        "day": "Giorno",
        "campaign": "Campagna",
        "cost": "Costo",
        "impressions": "Impr.",
        "clicks": "Clic",
        "currency": "Codice valuta",
    }
    assert FORMATS["ad-costs"].table is AdCostsFormat
