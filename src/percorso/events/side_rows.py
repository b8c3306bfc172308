"""Rows that are no events: of tables that lie beside them in the lake, such as ad spend, catalogue and stock."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.events.conversion import Reject
from percorso.store.lake_tables import AD_SPEND, CATALOGUE, STOCK, LakeTable

__all__ = ["SIDE_FORMATS", "SideRows", "side_schema"]

#: Format -> the table that its rows go to.
SIDE_FORMATS = {"ad-costs": AD_SPEND, "catalogue": CATALOGUE, "stock": STOCK}


def side_schema(table: LakeTable) -> pa.Schema:
    """The lake's table without the batch, which the import adds."""
    assert table.schema is not None
    return pa.schema([one for one in table.schema if one.name != "batch"])


@dataclass(frozen=True, slots=True)
class SideRows:
    """Rows of one chunk, in file order.

    Parameters
    ----------
    table : LakeTable
        Where they go.
    rows : pyarrow.Table
        `side_schema` of the table.
    raw_row : int64, shape (n_rows,)
        The row of the chunk that each came from.
    rejected : list of Reject
    """

    table: LakeTable
    rows: pa.Table
    raw_row: npt.NDArray[np.int64]
    rejected: list[Reject] = field(default_factory=list)
