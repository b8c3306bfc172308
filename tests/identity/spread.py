"""Placing rows as a cluster does, for tests: pieces in random order between tasks that share nothing."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from percorso.identity.decisions import Folded
from percorso.identity.placement import PLACING_RULES
from percorso.identity.spread.flow import spread_rows
from percorso.identity.spread.placed import finished_rows
from percorso.identity.spread.scan import lake_parts
from percorso.settings import IdentitySettings, Settings
from tests.engines.exchanges import RandomExchange
from tests.identity.compiled import SECRET, Placed
from tests.lake_builder import lake_files

__all__ = ["persons_of_a_cluster"]


def persons_of_a_cluster(
    rows: Sequence[Mapping[str, Any]],
    settings: IdentitySettings,
    folder: Path,
    decisions: Folded | None = None,
    *,
    n_parts: int = 3,
    seed: int = 5,
) -> Placed:
    """As `tests.identity.compiled.persons_of`."""
    files = lake_files(folder / "lake", rows, files=2)
    tasks = lake_parts(files, most_rows=len(rows) // 3 + 1)
    sources = tuple(sorted({file.source for file in files}, key=str.encode))
    exchange = RandomExchange(n_parts, random.Random(seed))
    spread = spread_rows(exchange, tasks, sources, Settings(identity=settings), decisions or Folded(), SECRET)
    messages = [
        (file.source, message)
        for file in files
        for message in pq.read_table(file.path, columns=["message_id"])["message_id"].to_pylist()
    ]
    found: Placed = {}
    pieces = spread.rows.read()
    for number in range(len(tasks)):
        placed, _ = finished_rows([piece for piece in pieces if piece.part == number])
        for row, person, rule, time in zip(
            *(placed[name].to_pylist() for name in ("row", "person", "rule", "time")), strict=True
        ):
            found[messages[row]] = (person or b"", PLACING_RULES[rule], time)
    assert len(found) == spread.n_events
    return found
