"""The mapping files in examples/, each on the real data set it is written for."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import percorso
from percorso.events.aliases import CANONICAL_EVENTS
from percorso.events.mapping_file import parse_mapping
from percorso.services.import_request import ImportRequest
from percorso.services.imports import FileReport, import_files
from percorso.services.workspace import Workspace, init_workspace
from percorso.store.lake import Lake

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SETS = sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir() and folder.name != "demo")

Data = Callable[[str], Path]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return init_workspace(tmp_path / "shop", currency="EUR", timezone="Europe/Rome", language="en")


def imported(workspace: Workspace, file: Path, mapping: str) -> FileReport:
    request = ImportRequest(files=(str(file),), mapping=EXAMPLES / mapping)
    (report,) = import_files(workspace, request).files
    assert (report.rejected, report.duplicates) == (0, 0)
    return report


def events(workspace: Workspace, *columns: str) -> pa.Table:
    return pa.concat_tables(
        pq.read_table(file.path, columns=list(columns)) for file in Lake(workspace.lake).live_files()
    )


def names(workspace: Workspace) -> Counter[str]:
    return Counter(events(workspace, "name").column("name").to_pylist())


def total(table: pa.Table, name: str) -> int:
    return int(pc.sum(table.filter(pc.equal(table.column("name"), name)).column("value")).as_py())


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("name", SETS)
def test_every_example_says_how_to_run_it(name: str) -> None:
    readme = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    mappings = sorted((EXAMPLES / name).glob("*.toml"))
    assert mappings
    for mapping in mappings:
        assert f"--mapping examples/{name}/{mapping.name}" in readme
        parsed = parse_mapping(mapping.read_text(encoding="utf-8"), where=mapping.name)
        told = {name for event in parsed.events for name in event.name.values.values()}
        assert told <= set(CANONICAL_EVENTS)


def test_simple_shop(workspace: Workspace, data: Data) -> None:
    """SOURCE.txt: 32,283 events of 3,751 users, 12 event types."""
    file = data("retentioneering_simple_shop") / "simple-onlineshop.csv.gz"
    report = imported(workspace, file, "retentioneering_simple_shop/mapping.toml")
    assert (report.rows, report.events) == (32_283, 32_283)
    found = events(workspace, "user_id", "touchpoint", "timestamp")
    raw = rows_of(file)
    assert Counter(found.column("touchpoint").to_pylist()) == Counter(row["event"] for row in raw)
    assert pc.count_distinct(found.column("user_id")).as_py() == 3_751
    assert names(workspace)["Order Completed"] == sum(row["event"] == "payment_done" for row in raw)
    assert str(pc.min(found.column("timestamp")).as_py()) == f"{min(row['timestamp'] for row in raw)}+00:00"


def test_ecom(workspace: Workspace, data: Data) -> None:
    """SOURCE.txt: 31,106 events of 600 users in 3,605 sessions, 19 event types."""
    file = data("retentioneering_ecom") / "ecom.csv.gz"
    report = imported(workspace, file, "retentioneering_ecom/mapping.toml")
    assert (report.rows, report.events) == (31_106, 31_106)
    found = events(workspace, "user_id", "session_id", "touchpoint", "channel", "device")
    assert pc.count_distinct(found.column("user_id")).as_py() == 600
    assert pc.count_distinct(found.column("session_id")).as_py() == 3_605
    assert pc.count_distinct(found.column("touchpoint")).as_py() == 19
    raw = rows_of(file)
    channels = {"direct": "Direct", "email": "Email", "organic": "Organic Search", "paid_search": "Paid Search"}
    channels |= {"social": "Organic Social"}
    assert Counter(found.column("channel").to_pylist()) == Counter(channels[row["acquisition_channel"]] for row in raw)
    unknown = {name for name in names(workspace) if name not in CANONICAL_EVENTS}
    assert unknown == {"checkout_bug"}


def test_receipt(workspace: Workspace, data: Data) -> None:
    """SOURCE.txt: 1,434 cases, 8,577 events, 27 activities."""
    report = imported(workspace, data("receipt") / "receipt.csv", "receipt/mapping.toml")
    assert (report.rows, report.events) == (8_577, 8_577)
    assert len(names(workspace)) == 27
    found = events(workspace, "user_id", "timestamp", "sequence")
    assert pc.count_distinct(found.column("user_id")).as_py() == 1_434
    # Steps of one case at the same time keep their order in the file.
    steps = list(zip(*(found.column(name).to_pylist() for name in ("user_id", "timestamp", "sequence")), strict=True))
    assert len(set(steps)) == len(steps)


def test_olist(workspace: Workspace, data: Data) -> None:
    """SOURCE.txt: 3,584 orders, all with a review; 3,467 of them were delivered."""
    file = data("olist_classified_reviews") / "olist_classified_public_dataset.csv"
    report = imported(workspace, file, "olist_classified_reviews/mapping.toml")
    assert (report.rows, report.events) == (3_584, 3_584 + 3_467 + 3_584)
    assert names(workspace) == {"Order Completed": 3_584, "Order Delivered": 3_467, "Product Reviewed": 3_584}
    with open(file, encoding="utf-8", newline="") as stream:
        raw = list(csv.DictReader(stream))
    found = events(workspace, "name", "value", "currency", "score", "text")
    assert total(found, "Order Completed") == sum(round(float(row["order_products_value"]) * 100) for row in raw)
    reviews = found.filter(pc.equal(found.column("name"), "Product Reviewed"))
    assert pc.sum(reviews.column("score")).as_py() == sum(int(row["review_score"]) for row in raw)
    assert reviews.column("text").null_count == 0


def test_online_retail(workspace: Workspace, data: Data) -> None:
    """SOURCE.txt: 525,461 lines, 28,816 invoices, 4,383 customers."""
    file = data("uci_online_retail_II_2009_2010") / "online_retail.parquet"
    report = imported(workspace, file, "uci_online_retail_II_2009_2010/mapping.toml")
    assert (report.rows, report.events) == (525_461, 28_816)
    found = events(workspace, "name", "value", "user_id", "items")
    counted = names(workspace)
    assert counted == {"Order Completed": 22_100, "Order Refunded": 4_592, "Stock Adjusted": 2_121, "Debt Adjusted": 3}
    assert pc.count_distinct(found.column("user_id")).as_py() == 4_383
    assert pc.sum(pc.list_value_length(found.column("items"))).as_py() == 525_461
    expected = invoice_pence(pq.read_table(file))
    assert total(found, "Order Completed") == expected["Order Completed"]
    assert total(found, "Order Refunded") == -expected["Order Refunded"]


def invoice_pence(lines: pa.Table) -> dict[str, int]:
    """Sums of price by quantity by the first letter of the invoice; prices have at most three decimals."""
    tenths = np.rint(lines.column("Price").to_numpy() * 1000).astype(np.int64) * lines.column("Quantity").to_numpy()
    by_invoice: Counter[str] = Counter()
    written_off = set()
    for invoice, amount, quantity in zip(
        lines.column("Invoice").to_pylist(), tenths.tolist(), lines.column("Quantity").to_pylist(), strict=True
    ):
        by_invoice[invoice] += amount
        if quantity < 0:
            written_off.add(invoice)
    sums: Counter[str] = Counter()
    for invoice, amount in by_invoice.items():
        if invoice[0] == "C":
            sums["Order Refunded"] += round(amount / 10)
        elif invoice[0] != "A" and invoice not in written_off:
            sums["Order Completed"] += round(amount / 10)
    return sums


def test_complete_journey_is_one_journey_of_three_files(workspace: Workspace, data: Data) -> None:
    """SOURCE.txt: 1,469,307 till lines of 2,469 households, 6,589 campaigns sent, 2,102 coupons redeemed."""
    folder = data("completejourney")
    till = imported(workspace, folder / "transactions.parquet", "completejourney/transactions.toml")
    mail = imported(workspace, folder / "campaigns.parquet", "completejourney/campaigns.toml")
    coupons = imported(workspace, folder / "coupon_redemptions.parquet", "completejourney/coupon_redemptions.toml")
    assert (till.rows, mail.rows, coupons.rows) == (1_469_307, 6_589, 2_102)
    assert (mail.events, coupons.events) == (6_589, 2_102)
    lines = pq.read_table(folder / "transactions.parquet", columns=["basket_id", "sales_value", "household_id"])
    assert till.events == pc.count_distinct(lines.column("basket_id")).as_py()
    found = events(workspace, "name", "value", "loyalty_id", "id_space", "items", "category")
    assert total(found, "Order Completed") == int(np.rint(lines.column("sales_value").to_numpy() * 100).sum())
    assert pc.unique(found.column("id_space")).to_pylist() == ["households"]
    receipts = found.filter(pc.equal(found.column("name"), "Order Completed"))
    assert pc.count_distinct(receipts.column("loyalty_id")).as_py() == 2_469
    items = pa.concat_arrays(receipts.column("items").chunks).flatten()
    assert len(items) == 1_469_307
    # Products are joined from another file of the set, which lacks some.
    lines = pq.read_table(folder / "transactions.parquet", columns=["product_id"])
    products = pq.read_table(folder / "products.parquet", columns=["product_id"])
    known = pc.is_in(lines.column("product_id"), value_set=products.column("product_id").combine_chunks())
    assert pc.struct_field(items, "brand").null_count == len(lines) - pc.sum(known).as_py()


def test_pathdata(workspace: Workspace, data: Data) -> None:
    """SOURCE.txt: 10,000 paths; 19,785 conversions, 68,602 nulls."""
    file = data("channelattribution_pathdata") / "mta_data.csv.gz"
    report = imported(workspace, file, "channelattribution_pathdata/mapping.toml")
    assert report.rows == 10_000
    assert names(workspace)["Order Completed"] == 19_785
    assert pc.count_distinct(events(workspace, "anonymous_id").column("anonymous_id")).as_py() == 19_785 + 68_602


def test_flow_by_channel_of_the_paths_is_that_of_the_path_strings(workspace: Workspace, data: Data) -> None:
    file = data("channelattribution_pathdata") / "mta_data.csv.gz"
    imported(workspace, file, "channelattribution_pathdata/mapping.toml")
    edges = percorso.open(workspace.folder).flow(unit="channel", per="person").table
    found = {(row["from"], row["to"]): row["count"] for row in edges.to_pylist()}
    expected: Counter[tuple[str, str]] = Counter()
    for row in rows_of(file):
        steps = ["(start)", *(step.strip() for step in row["path"].split(">")), "(end)"]
        persons = int(row["total_conversions"]) + int(row["total_null"])
        for edge in pairwise(steps):
            expected[edge] += persons
    assert found == expected


def test_importing_again_adds_nothing(workspace: Workspace, data: Data) -> None:
    file = data("retentioneering_ecom") / "ecom.csv.gz"
    imported(workspace, file, "retentioneering_ecom/mapping.toml")
    request = ImportRequest(files=(str(file),), mapping=EXAMPLES / "retentioneering_ecom/mapping.toml")
    assert import_files(workspace, request).events == 0


def test_preparing_twice_gives_the_same_rows(tmp_path: Path, data: Data) -> None:
    """Window functions shuffle rows: what is prepared is put back into the order of the file."""
    file = data("ga4_obfuscated_items_sample") / "ga4_sample.csv.gz"
    keys = []
    for name in ("first", "second"):
        made = init_workspace(tmp_path / name, currency="USD", timezone="UTC", language="en")
        (report,) = import_files(made, ImportRequest(files=(str(file),))).files
        assert (report.rows, report.rejected) == (16_003, 0)
        keys.append(events(made, "row_key").column("row_key").to_pylist())
    assert keys[0] == keys[1]
