"""The mapping files in examples/, each on the real data set it is written for."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
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
from percorso.services.imports import import_files
from percorso.services.workspace import Workspace, init_workspace
from percorso.store.lake import Lake
from tests.real_data import Real

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SETS = sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir() and folder.name != "demo")

Data = Callable[[str], Path]


def imported(real: Real, name: str) -> tuple[Workspace, list[tuple[int, int]]]:
    """The workspace of a set, and of each file rows and events; nothing was rejected, nothing twice."""
    found = real(name)
    assert all((report["rejected"], report["duplicates"]) == (0, 0) for report in found.reports)
    return found.workspace, [(report["rows"], report["events"]) for report in found.reports]


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


def test_simple_shop(real: Real, data: Data) -> None:
    """SOURCE.txt: 32,283 events of 3,751 users, 12 event types."""
    file = data("retentioneering_simple_shop") / "simple-onlineshop.csv.gz"
    workspace, counts = imported(real, "retentioneering_simple_shop")
    assert counts == [(32_283, 32_283)]
    found = events(workspace, "user_id", "touchpoint", "timestamp")
    raw = rows_of(file)
    assert Counter(found.column("touchpoint").to_pylist()) == Counter(row["event"] for row in raw)
    assert pc.count_distinct(found.column("user_id")).as_py() == 3_751
    assert names(workspace)["Order Completed"] == sum(row["event"] == "payment_done" for row in raw)
    assert str(pc.min(found.column("timestamp")).as_py()) == f"{min(row['timestamp'] for row in raw)}+00:00"


def test_ecom(real: Real, data: Data) -> None:
    """SOURCE.txt: 31,106 events of 600 users in 3,605 sessions, 19 event types."""
    file = data("retentioneering_ecom") / "ecom.csv.gz"
    workspace, counts = imported(real, "retentioneering_ecom")
    assert counts == [(31_106, 31_106)]
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


def test_receipt(real: Real) -> None:
    """SOURCE.txt: 1,434 cases, 8,577 events, 27 activities."""
    workspace, counts = imported(real, "receipt")
    assert counts == [(8_577, 8_577)]
    assert len(names(workspace)) == 27
    found = events(workspace, "user_id", "timestamp", "sequence")
    assert pc.count_distinct(found.column("user_id")).as_py() == 1_434
    # Steps of one case at the same time keep their order in the file.
    steps = list(zip(*(found.column(name).to_pylist() for name in ("user_id", "timestamp", "sequence")), strict=True))
    assert len(set(steps)) == len(steps)


def test_olist(real: Real, data: Data) -> None:
    """SOURCE.txt: 3,584 orders, all with a review; 3,467 of them were delivered."""
    file = data("olist_classified_reviews") / "olist_classified_public_dataset.csv"
    workspace, counts = imported(real, "olist_classified_reviews")
    assert counts == [(3_584, 3_584 + 3_467 + 3_584)]
    assert names(workspace) == {"Order Completed": 3_584, "Order Delivered": 3_467, "Product Reviewed": 3_584}
    with open(file, encoding="utf-8", newline="") as stream:
        raw = list(csv.DictReader(stream))
    found = events(workspace, "name", "value", "currency", "score", "text")
    assert total(found, "Order Completed") == sum(round(float(row["order_products_value"]) * 100) for row in raw)
    reviews = found.filter(pc.equal(found.column("name"), "Product Reviewed"))
    assert pc.sum(reviews.column("score")).as_py() == sum(int(row["review_score"]) for row in raw)
    assert reviews.column("text").null_count == 0


def test_online_retail(real: Real, data: Data) -> None:
    """SOURCE.txt: 525,461 lines, 28,816 invoices, 4,383 customers."""
    file = data("uci_online_retail_II_2009_2010") / "online_retail.parquet"
    workspace, counts = imported(real, "uci_online_retail_II_2009_2010")
    assert counts == [(525_461, 28_816)]
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


def test_complete_journey_is_one_journey_of_three_files(real: Real, data: Data) -> None:
    """SOURCE.txt: 1,469,307 till lines of 2,469 households, 6,589 campaigns sent, 2,102 coupons redeemed."""
    folder = data("completejourney")
    workspace, (till, mail, coupons) = imported(real, "completejourney")
    assert (till[0], mail, coupons) == (1_469_307, (6_589, 6_589), (2_102, 2_102))
    lines = pq.read_table(folder / "transactions.parquet", columns=["basket_id", "sales_value", "household_id"])
    assert till[1] == pc.count_distinct(lines.column("basket_id")).as_py()
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


def test_pathdata(real: Real) -> None:
    """SOURCE.txt: 10,000 paths; 19,785 conversions, 68,602 nulls."""
    workspace, counts = imported(real, "channelattribution_pathdata")
    assert counts == [(10_000, 397_994)]
    assert names(workspace)["Order Completed"] == 19_785
    assert pc.count_distinct(events(workspace, "anonymous_id").column("anonymous_id")).as_py() == 19_785 + 68_602


def test_flow_by_channel_of_the_paths_is_that_of_the_path_strings(real: Real, data: Data) -> None:
    file = data("channelattribution_pathdata") / "mta_data.csv.gz"
    workspace, _ = imported(real, "channelattribution_pathdata")
    edges = percorso.open(workspace.folder).flow(unit="channel", per="person").table
    found = {(row["from"], row["to"]): row["count"] for row in edges.to_pylist()}
    expected: Counter[tuple[str, str]] = Counter()
    for row in rows_of(file):
        steps = ["(start)", *(step.strip() for step in row["path"].split(">")), "(end)"]
        persons = int(row["total_conversions"]) + int(row["total_null"])
        for edge in pairwise(steps):
            expected[edge] += persons
    assert found == expected


def test_importing_again_adds_nothing(tmp_path: Path, data: Data) -> None:
    workspace = init_workspace(tmp_path / "shop", currency="EUR", timezone="Europe/Rome", language="en")
    file = data("retentioneering_ecom") / "ecom.csv.gz"
    request = ImportRequest(files=(str(file),), mapping=EXAMPLES / "retentioneering_ecom/mapping.toml")
    assert import_files(workspace, request).events == 31_106
    assert import_files(workspace, request).events == 0


def test_cdnow(real: Real, data: Data) -> None:
    """SOURCE.txt: 69,659 transactions of 23,570 customers."""
    workspace, counts = imported(real, "cdnow")
    assert counts == [(69_659, 69_659)]
    found = events(workspace, "user_id", "value", "name")
    assert pc.count_distinct(found.column("user_id")).as_py() == 23_570
    lines = (data("cdnow") / "CDNOW_master.txt").read_text(encoding="ascii").splitlines()[1:]
    assert total(found, "Order Completed") == sum(round(float(line.split()[3]) * 100) for line in lines if line.strip())


def test_cdnow_repeat_purchases_are_the_published_ones(real: Real, data: Data) -> None:
    """Fader, Hardie and Lee (2005), doi:10.1287/mksc.1040.0098: repeat days of a sample of one in ten in 39 weeks."""
    workspace, _ = imported(real, "cdnow")
    days = percorso.open(workspace.folder).sql(
        """
        select user_id[1] as customer, count(distinct time::date) filter (time < '1997-10-01') - 1 as again
        from orders join persons using (person) group by all
        """,
        personal=True,
    )
    again = {row["customer"]: row["again"] for row in days.to_pylist()}
    lines = (data("cdnow") / "CDNOW_sample.txt").read_text(encoding="ascii").splitlines()
    sample = {line.split()[0] for line in lines if line.strip()}
    counted = Counter(min(again[customer], 7) for customer in sample)
    assert [counted[n] for n in range(8)] == [1_411, 439, 214, 100, 62, 38, 29, 64]


def test_cdnow_repeat_rates_are_plain_shares_where_all_were_watched(real: Real, data: Data) -> None:
    workspace, _ = imported(real, "cdnow")
    days: dict[str, set[date]] = {}
    for line in (data("cdnow") / "CDNOW_master.txt").read_text(encoding="ascii").splitlines()[1:]:
        if line.strip():
            days.setdefault(line.split()[0], set()).add(datetime.strptime(line.split()[1], "%Y%m%d").date())
    firsts = [sorted(each) for each in days.values()]
    repeat = percorso.open(workspace.folder).retention(periods=1).tables["repeat"].to_pylist()
    rates = {row["within_days"]: row["rate"] for row in repeat if not row["cohort"]}
    for within in (90, 180, 365):
        came = sum(len(each) > 1 and (each[1] - each[0]).days <= within for each in firsts)
        assert rates[within] == pytest.approx(came / len(firsts), abs=1e-9)


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
