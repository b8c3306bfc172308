"""Formats that Percorso reads by itself, by the name that `--format` takes.

`table` and `paths` are made from a mapping; the others need the source alone and are listed in `FORMATS`.
Chunks of a file may be converted in several threads, but the first is finished before others begin:
`ad-costs`, `catalogue` and `stock` learn from it how days and amounts are written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from percorso.events.conversion import LineFormat, TableChunk, TableFormat
from percorso.events.formats.ad_costs import AdCostsFormat
from percorso.events.formats.catalogue import CatalogueFormat, StockFormat
from percorso.events.formats.ga4 import Ga4LineFormat, Ga4TableFormat
from percorso.events.formats.paths import PathsFormat
from percorso.events.formats.segment import SegmentFormat
from percorso.events.formats.shopify_orders import ShopifyOrdersFormat
from percorso.events.formats.source import SourceInfo, source_info
from percorso.events.side_rows import SideRows
from percorso.settings import Settings

__all__ = ["FORMATS", "FORMAT_NAMES", "FormatEntry", "PathsFormat", "SideFormat", "SourceInfo", "source_info"]

#: Every name that `--format` takes beside "auto".
FORMAT_NAMES = ("segment", "ga4", "shopify-orders", "ad-costs", "catalogue", "stock", "table", "paths")


class SideFormat(Protocol):
    """A format whose rows are no events but of a table beside them."""

    name: str

    def convert(self, chunk: TableChunk) -> SideRows: ...


LineFactory = Callable[[Settings, SourceInfo], LineFormat]
TableFactory = Callable[[Settings, SourceInfo], TableFormat | SideFormat]


@dataclass(frozen=True, slots=True)
class FormatEntry:
    """How a format is made: for NDJSON lines, for tables (CSV, Parquet), or for both.

    Parameters
    ----------
    name : str
    default_kind : str
        Kind of the source; its name, where nobody gives one, is the format's.
    group_by : tuple of str
        Rows of equal cells in these columns belong together: no chunk may cut such a group.
    """

    name: str
    default_kind: str
    lines: LineFactory | None = None
    table: TableFactory | None = None
    group_by: tuple[str, ...] = ()


FORMATS: dict[str, FormatEntry] = {
    "segment": FormatEntry("segment", "web", lines=SegmentFormat),
    "ga4": FormatEntry("ga4", "web", lines=Ga4LineFormat, table=Ga4TableFormat),
    "shopify-orders": FormatEntry("shopify-orders", "server", table=ShopifyOrdersFormat, group_by=("Name",)),
    "ad-costs": FormatEntry("ad-costs", "ads", table=AdCostsFormat),
    "catalogue": FormatEntry("catalogue", "other", table=CatalogueFormat),
    "stock": FormatEntry("stock", "other", table=StockFormat),
}
