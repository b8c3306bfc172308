"""What advertising cost, by day and campaign: rows of the lake's own table, not events."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.events.conversion import Reject
from percorso.store.lake_tables import AD_SPEND

__all__ = ["AD_SPEND_SCHEMA", "ConvertedSpend"]

assert AD_SPEND.schema is not None

#: The lake's table without the batch, which the import adds. `cost` is minor units of `currency`.
AD_SPEND_SCHEMA = pa.schema([f for f in AD_SPEND.schema if f.name != "batch"])


@dataclass(frozen=True, slots=True)
class ConvertedSpend:
    """Spend rows of one chunk, in file order."""

    spend: pa.Table  # AD_SPEND_SCHEMA
    raw_row: npt.NDArray[np.int64]  # shape (n_rows,): the row of the chunk each came from
    rejected: list[Reject] = field(default_factory=list)
