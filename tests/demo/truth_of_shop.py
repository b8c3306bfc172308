"""Whose each event of the built demo workspace truly is, by truth.json: to measure who was found to be one person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from percorso.facade import Percorso
from percorso.services.workspace import Workspace
from percorso.store.lake import Lake

__all__ = ["Rows", "rows_of"]

I64 = npt.NDArray[np.int64]

STRONG = ("user_id", "email", "loyalty_id", "phone")
REFERENCES = ("order_id", "ticket_id", "conversation_id", "coupon")
COLUMNS = ("source", "message_id", *STRONG, "anonymous_id", *REFERENCES)
BLOCKED = {"null", "guest", "undefined"}

Row = Mapping[str, Any]


class Rows:
    """Events with a true person.

    Attributes
    ----------
    predicted, person, connected : int64, shape (n_events,)
        As of `tests.identity.pair_metrics.pair_metrics`.
    left_out : int
        Events of which the truth says nothing: receipts of nobody, reviews on sites of others.
    """

    def __init__(self, rows: list[Row], predicted: list[str | None], truth: Mapping[str, Any]) -> None:
        owners = _Owners(truth, rows)
        found = [owners.person_of(row) for row in rows]
        kept = [number for number, person in enumerate(found) if person is not None]
        self.left_out = len(rows) - len(kept)
        self.person = _numbers(found[number] for number in kept)
        self.predicted = _numbers(predicted[number] for number in kept)
        self.predicted[[predicted[number] is None for number in kept]] = -1
        self.connected = _connected([rows[number] for number in kept], self.person)


class _Owners:
    """Who owns each identifier and number."""

    def __init__(self, truth: Mapping[str, Any], rows: Iterable[Row]) -> None:
        self.visits = truth["visits_on_shared_devices"]
        self.by: dict[tuple[str, str], str] = {}
        shared: set[tuple[str, str]] = set()
        for person in truth["persons"]:
            name = f"p{person['person']}"
            own = [("anonymous_id", text) for text in person["anonymous_ids"]]
            own += [("order_id", text) for text in person["orders"]]
            own += [(kind, person[kind]) for kind in STRONG if kind in person]
            for key in own:
                if self.by.setdefault(key, name) != name:
                    shared.add(key)
        for key in shared:
            del self.by[key]
        for row in rows:  # tickets, codes: whose the row is that names somebody
            person = self._named(row)
            if person is not None:
                for kind in REFERENCES:
                    if row[kind]:
                        self.by.setdefault((kind, row[kind]), person)

    def person_of(self, row: Row) -> str | None:
        return self._named(row) or next(
            (self.by[kind, row[kind]] for kind in REFERENCES if (kind, row[kind]) in self.by), None
        )

    def _named(self, row: Row) -> str | None:
        prefix = row["message_id"][:15]
        if prefix in self.visits:
            return f"p{self.visits[prefix]}"
        for kind in STRONG:
            if (kind, row[kind]) in self.by:
                return self.by[kind, row[kind]]
        if row["anonymous_id"]:
            # A device that is nobody's we know is a stranger of its own.
            return self.by.get(("anonymous_id", row["anonymous_id"]), f"a{row['anonymous_id']}")
        return None


def rows_of(shop: Percorso, workspace: Workspace, truth: Path) -> Rows:
    """All events of the log, with what their sources sent of identifiers."""
    log = shop.sql("select source, message_id, person from events", personal=True).to_pylist()
    people = {(row["source"], row["message_id"]): row["person"] for row in log}
    lake = pa.concat_tables(
        pq.read_table(file.path, columns=[name for name in COLUMNS if name != "source"]).append_column(
            "source", pa.repeat(pa.scalar(file.source), file.rows)
        )
        for file in Lake(workspace.lake).live_files()
    )
    rows: dict[tuple[str, str], Row] = {(row["source"], row["message_id"]): row for row in lake.to_pylist()}
    order = sorted(rows)
    content = json.loads(truth.read_text(encoding="utf-8"))
    return Rows([rows[key] for key in order], [people.get(key) for key in order], content)


def _numbers(texts: Iterable[str | None]) -> I64:
    codes: dict[str | None, int] = {}
    return np.array([codes.setdefault(text, len(codes)) for text in texts], dtype=np.int64)


def _connected(rows: list[Row], person: I64) -> I64:
    """Components of rows and identifiers inside each person, as the smallest row of each."""
    at: list[int] = []
    keys: list[str | None] = []
    for number, row in enumerate(rows):
        for kind in (*STRONG, "anonymous_id", *REFERENCES):
            if row[kind] and row[kind] not in BLOCKED:
                at.append(number)
                keys.append(f"{person[number]} {kind} {row[kind]}")
    row_of, node = np.array(at, dtype=np.int64), _numbers(keys)
    label, before = np.arange(len(rows)), np.full(len(rows), -1)
    while not np.array_equal(label, before):
        before = label
        least = np.full(int(node.max(initial=0)) + 1, len(rows))
        np.minimum.at(least, node, label[row_of])
        label = label.copy()
        np.minimum.at(label, row_of, least[node])
        label = label[label]
    return label
