"""Catalogue and stock come in with the guarantees of events: once, rejected rows kept, replaced in one step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from percorso.errors import ImportConflict
from percorso.services.imports import FileReport, ImportRequest, import_files, rejected_rows
from percorso.services.workspace import Workspace
from percorso.store.lake import Lake
from tests.workspaces import make_workspace

CATALOGUE = "sku,name,brand,price\na,Chitarra,Alba,10.00\nb,Corde,Alba,1.50\n,Niente,Alba,1.00\n"
STOCK = "day,store,sku,stock\n2026-01-01,Milano,a,3\n2026-01-01,Roma,a,0\n2026-01-01,Roma,b,x\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


def bring(workspace: Workspace, folder: Path, text: str, name: str = "file.csv", **options: Any) -> FileReport:
    (folder / name).write_text(text, encoding="utf-8")
    (report,) = import_files(workspace, ImportRequest((str(folder / name),), **options)).files
    return report


def products(workspace: Workspace) -> list[tuple[str, str, int]]:
    rows = Lake(workspace.lake).catalogue().to_pylist()
    return [(row["product_id"], row["name"], row["price"]) for row in rows]


def test_the_same_file_adds_nothing(workspace: Workspace, tmp_path: Path) -> None:
    report = bring(workspace, tmp_path, CATALOGUE)
    assert (report.format, report.source, report.events) == ("catalogue", "catalogue", 0)
    assert (report.rows, report.catalogue_rows, report.rejected) == (3, 2, 1)
    assert bring(workspace, tmp_path, CATALOGUE, "again.csv").unchanged
    assert products(workspace) == [("a", "Chitarra", 1000), ("b", "Corde", 150)]
    assert rejected_rows(workspace).column("reason").to_pylist() == ["product_missing"]


def test_the_newest_row_of_a_product_counts(workspace: Workspace, tmp_path: Path) -> None:
    bring(workspace, tmp_path, CATALOGUE)
    bring(workspace, tmp_path, "sku,name,price\na,Chitarra,11\nc,Capotasto,5\na,Chitarra classica,12\n", source="erp")
    assert products(workspace) == [("a", "Chitarra classica", 1200), ("b", "Corde", 150), ("c", "Capotasto", 500)]


def test_a_replacement_takes_back_what_the_import_brought(workspace: Workspace, tmp_path: Path) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text('source = "erp"\nkind = "other"\n[catalogue]\nsku = "sku"\nname = "brand"\nprice = "price"\n')
    bring(workspace, tmp_path, CATALOGUE, source="erp")
    with pytest.raises(ImportConflict):
        bring(workspace, tmp_path, CATALOGUE, mapping=mapping)
    report = bring(workspace, tmp_path, CATALOGUE, mapping=mapping, replace=True)
    assert (report.format, report.source, report.catalogue_rows) == ("catalogue", "erp", 2)
    assert products(workspace) == [("a", "Alba", 1000), ("b", "Alba", 150)]
    assert rejected_rows(workspace).num_rows == 1


def test_stock_by_day_and_store(workspace: Workspace, tmp_path: Path) -> None:
    report = bring(workspace, tmp_path, STOCK)
    assert (report.format, report.stock_rows, report.rejected) == ("stock", 2, 1)
    bring(workspace, tmp_path, "day,store,sku,stock\n2026-01-01,Roma,a,2\n2026-01-02,Roma,a,1\n", "later.csv")
    rows = Lake(workspace.lake).stock().to_pylist()
    assert [(row["day"].day, row["store"], row["quantity"]) for row in rows] == [
        (1, "Milano", 3.0),
        (1, "Roma", 2.0),
        (2, "Roma", 1.0),
    ]


def test_nothing_was_imported(workspace: Workspace) -> None:
    lake = Lake(workspace.lake)
    assert lake.catalogue().num_rows == lake.stock().num_rows == 0


def test_properties_that_a_mapping_names_become_details(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        """source = "erp"
kind = "server"
event = { value = "Order Completed" }
timestamp = { column = "Il", format = "%d/%m/%Y %H:%M" }
[columns]
order_id = "N"
[properties]
keep = "*"
promised_at = { column = "Consegna", format = "%d/%m/%Y" }
email_consent = { column = "News", values = { S = "yes", N = "no" } }
ready_at = { column = "Pronto", format = "%d/%m/%Y %H:%M" }
"""
    )
    text = "Il,N,Consegna,News,Pronto,Altro\n01/03/2024 10:00,1,04/03/2024,S,02/03/2024 09:00,x\n"
    text += "01/03/2024 10:00,2,presto,N,,\n"
    bring(workspace, tmp_path, text, mapping=tmp_path / "m.toml")
    table = Lake(workspace.lake).live_files()[0].path
    rows = pq.ParquetFile(table).read(columns=["properties", "notes"]).to_pylist()
    assert rows[0]["properties"] == (
        '{"Altro":"x","email_consent":"yes","promised_at":"2024-03-04","ready_at":"2024-03-02T08:00:00Z"}'
    )
    assert (rows[1]["properties"], rows[1]["notes"]) == ('{"email_consent":"no"}', "property_unreadable")
