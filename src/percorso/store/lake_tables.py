"""What the lake's tables are: names, columns, format number."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

__all__ = [
    "AD_SPEND",
    "CATALOGUE",
    "EVENTS",
    "IMPORTS",
    "LAKE_FORMAT",
    "REJECTED",
    "SIDE_TABLES",
    "STOCK",
    "LakeTable",
    "import_id",
    "incomplete_id",
]

#: Format number of the lake tables; a newer one is refused, an older one gains nullable columns.
LAKE_FORMAT = 1

_utc = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A Delta table of the lake.

    Parameters
    ----------
    name : str
        Its folder.
    partition : str
        The column that stands in folder names and in the Delta log instead of in the files; "" for none.
    statistics : tuple of str
        Columns whose least and greatest values are kept: times and batch numbers, so that no identifier
        stands in the Delta log.
    schema : pyarrow.Schema, optional
        Columns, where the store itself says what they are; the events table takes them from the writer.
    """

    name: str
    partition: str
    statistics: tuple[str, ...]
    schema: pa.Schema | None = None

    @property
    def partitions(self) -> list[str]:
        return [self.partition] if self.partition else []


EVENTS = LakeTable("events", "source", ("batch", "timestamp", "original_timestamp", "received_at", "sent_at"))

#: Rows that could not become events, as they stood in their file.
REJECTED = LakeTable(
    "rejected",
    "",
    ("batch",),
    pa.schema(
        [
            pa.field("batch", pa.int64(), nullable=False),
            pa.field("file", pa.string(), nullable=False),
            pa.field("line", pa.int64(), nullable=False),
            pa.field("reason", pa.string(), nullable=False),
            pa.field("detail", pa.string()),
            pa.field("raw", pa.string()),
        ]
    ),
)

#: What advertising cost and brought, by day. `cost` is integer minor units of `currency`.
AD_SPEND = LakeTable(
    "ad_spend",
    "",
    ("batch", "day"),
    pa.schema(
        [
            pa.field("batch", pa.int64(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("day", pa.date32(), nullable=False),
            pa.field("utm_source", pa.string()),
            pa.field("utm_medium", pa.string()),
            pa.field("channel", pa.string()),
            pa.field("campaign", pa.string()),
            pa.field("cost", pa.int64(), nullable=False),
            pa.field("currency", pa.string(), nullable=False),
            pa.field("impressions", pa.int64()),
            pa.field("clicks", pa.int64()),
        ]
    ),
)

#: Products as shop or ERP describe them. `price` and `cost` are integer minor units of `currency`, one piece each.
CATALOGUE = LakeTable(
    "catalogue",
    "",
    ("batch",),
    pa.schema(
        [
            pa.field("batch", pa.int64(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("product_id", pa.string(), nullable=False),
            pa.field("sku", pa.string()),
            pa.field("name", pa.string()),
            pa.field("category", pa.string()),
            pa.field("brand", pa.string()),
            pa.field("price", pa.int64()),
            pa.field("cost", pa.int64()),
            pa.field("currency", pa.string(), nullable=False),
        ]
    ),
)

#: How much of a product there was at the end of a day, by store; without store: in all.
STOCK = LakeTable(
    "stock",
    "",
    ("batch", "day"),
    pa.schema(
        [
            pa.field("batch", pa.int64(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("day", pa.date32(), nullable=False),
            pa.field("store", pa.string()),
            pa.field("product_id", pa.string(), nullable=False),
            pa.field("quantity", pa.float64(), nullable=False),
        ]
    ),
)

#: One row an import; it counts once the events table carries its transaction.
IMPORTS = LakeTable(
    "imports",
    "",
    ("batch", "imported_at"),
    pa.schema(
        [
            pa.field("batch", pa.int64(), nullable=False),
            pa.field("file", pa.string(), nullable=False),
            pa.field("content_hash", pa.string(), nullable=False),
            pa.field("mapping_hash", pa.string(), nullable=False),
            pa.field("format", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("rows", pa.int64(), nullable=False),
            pa.field("events", pa.int64(), nullable=False),
            pa.field("duplicates", pa.int64(), nullable=False),
            pa.field("rejected", pa.int64(), nullable=False),
            pa.field("imported_at", _utc, nullable=False),
        ]
    ),
)

#: Tables beside the events, in the order in which an import commits them.
SIDE_TABLES = (REJECTED, AD_SPEND, CATALOGUE, STOCK, IMPORTS)


def import_id(source: str, content_hash: str) -> str:
    """Name of the Delta app transaction that makes an import count; its version is the batch."""
    return f"import:{source}:{content_hash}"


def incomplete_id(source: str, content_hash: str) -> str:
    """Name of the app transaction that marks an import as incomplete: its version is that import's batch."""
    return f"incomplete:{source}:{content_hash}"
