"""Placed rows on their way: to the part of the lake that they come from, and what they say of order and ticket numbers.

An event that carries nothing but such a number is its owner's; of several records of one order one counts. Both are
answered where all rows with the number meet (identity rules, section 3; percorso.kernels.orders).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.engines.exchange import Piece, joined, split_rows
from percorso.identity.placement import RULE_REFERENCE
from percorso.identity.rows import OWNING_REFERENCES
from percorso.identity.spread.rows import (
    HASH,
    PLACED_SCHEMA,
    codes_of_keys,
    key_words,
    message_texts,
    numbers,
    part_of_keys,
    with_columns,
)
from percorso.kernels.orders import offer_owners, order_copies
from percorso.kernels.placing import RULE_STRONG
from percorso.store.columns import whole

__all__ = ["ANSWERS", "COPIES", "PLACED", "PlacedPieces", "finished_rows"]

PLACED = "placed"
ANSWERS = "answers"
COPIES = "copies"
_CARRYING = "carrying"

_ORDER_ID = OWNING_REFERENCES.index("order_id")

#: A row that carries a number, once for each; `kind` counts into OWNING_REFERENCES.
_CARRYING_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("time", pa.int64()),
        ("source", pa.int16()),
        ("sequence", pa.int64()),
        ("message_id", pa.string()),
        ("is_order", pa.uint8()),
        ("trust", pa.int8()),
        ("kind", pa.int8()),
        ("number", HASH),
        ("strong", pa.uint8()),
        ("weak", pa.uint8()),
        ("person", HASH),
        ("identified", pa.uint8()),
    ]
)
_ANSWER_SCHEMA = pa.schema([("row", pa.int64()), ("kind", pa.int8()), ("person", HASH), ("identified", pa.uint8())])
_COPY_SCHEMA = pa.schema([("row", pa.int64())])


@dataclass(frozen=True, slots=True)
class PlacedPieces:
    """Where rows go once they have their person.

    Attributes
    ----------
    starts : int64, shape (n_tasks,)
        First row of each task that reads the lake once more.
    n_parts : int
        Parts of numbers.
    """

    starts: npt.NDArray[np.int64]
    n_parts: int

    def pieces(
        self, rows: pa.Table, person: pa.Array, rule: npt.NDArray[np.uint8], identified: npt.NDArray[np.uint8]
    ) -> Iterator[Piece]:
        """Rows of TIMED_SCHEMA, the id of each one's person (null: nobody's), rule, 1: by a strong identifier."""
        told = {"person": person, "rule": rule, "identified": identified}
        talk = pc.coalesce(rows.column("conversation_id"), rows.column("ticket_id"))
        device = pc.coalesce(rows.column("anonymous"), rows.column("device"))
        placed = with_columns(rows, {**told, "conversation": whole(talk), "device": whole(device)}, PLACED_SCHEMA)
        yield from split_rows(PLACED, placed, self._home(rows), len(self.starts))
        for kind, name in enumerate(OWNING_REFERENCES):
            some = pa.array(np.flatnonzero(whole(rows.column(name)).is_valid().to_numpy(zero_copy_only=False)))
            if len(some):
                yield from self._carrying(rows.take(some), kind, {key: _taken(told[key], some) for key in told})

    def _carrying(self, rows: pa.Table, kind: int, told: dict[str, pa.Array]) -> Iterator[Piece]:
        there = {name: whole(rows.column(name)).is_valid() for name in ("set", "anonymous", "device")}
        weak = pc.or_(pc.or_(there["set"], there["anonymous"]), there["device"])
        number = whole(rows.column(OWNING_REFERENCES[kind]))
        strong = pc.and_(there["set"], pc.equal(told["rule"], RULE_STRONG))
        columns = {
            "kind": np.full(rows.num_rows, kind, dtype=np.int8),
            "number": number,
            "strong": strong.cast(pa.uint8()),
            "weak": weak.cast(pa.uint8()),
            "person": told["person"],
            "identified": told["identified"],
        }
        found = with_columns(rows, columns, _CARRYING_SCHEMA)
        yield from split_rows(_CARRYING, found, part_of_keys(key_words(number)[0], self.n_parts), self.n_parts)

    def _home(self, rows: pa.Table) -> npt.NDArray[np.int64]:
        return np.searchsorted(self.starts, numbers(rows, "row"), side="right") - 1

    def ask(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Owners of numbers for rows that carry nothing else, and copies of orders; parts are of numbers."""
        rows = joined(pieces, _CARRYING, _CARRYING_SCHEMA)
        (codes,), keys = codes_of_keys([rows.column("number")])
        ref, n, every = codes + np.int32(1), rows.num_rows, np.arange(rows.num_rows)
        keep = np.ones(n, dtype=np.uint8)
        time, source, sequence = (numbers(rows, name) for name in ("time", "source", "sequence"))
        offsets, text = message_texts(rows)
        strong, weak = numbers(rows, "strong"), numbers(rows, "weak")
        by_strong, by_weak = (np.full(len(keys) + 1, -1, dtype=np.int64) for _ in range(2))
        offer_owners(every, ref, keep, strong, weak, time, source, sequence, offsets, text, by_strong, by_weak)
        owner = np.where(by_strong >= 0, by_strong, by_weak)[ref]
        asking = np.flatnonzero((strong == 0) & (weak == 0) & (owner >= 0))
        whose = rows.take(pa.array(owner[asking]))
        asked = rows.take(pa.array(asking))
        columns = [asked.column("row"), asked.column("kind"), whose.column("person"), whose.column("identified")]
        yield from self._home_pieces(ANSWERS, pa.table(columns, schema=_ANSWER_SCHEMA))
        orders = np.flatnonzero(numbers(rows, "kind") == _ORDER_ID)
        is_order, trust = numbers(rows, "is_order"), numbers(rows, "trust")
        copy = order_copies(orders, ref, is_order, keep, trust, time, source, sequence, offsets, text, len(keys))
        repeated = rows.take(pa.array(orders[copy == 1])).select(["row"])
        yield from self._home_pieces(COPIES, repeated)

    def _home_pieces(self, kind: str, rows: pa.Table) -> Iterator[Piece]:
        yield from split_rows(kind, rows, self._home(rows), len(self.starts))


def finished_rows(pieces: Iterable[Piece]) -> tuple[pa.Table, npt.NDArray[np.uint8]]:
    """Rows of one task of the lake with their last word, in the order of the lake; and 1 on copies of orders.

    Returns
    -------
    rows : pyarrow.Table
        Of PLACED_SCHEMA.
    copy : uint8, shape (n_rows,)
    """
    pieces = list(pieces)
    rows = joined(pieces, PLACED, PLACED_SCHEMA)
    rows = rows.take(pa.array(np.argsort(numbers(rows, "row"))))
    row, answers = numbers(rows, "row"), joined(pieces, ANSWERS, _ANSWER_SCHEMA)
    order = np.lexsort((numbers(answers, "kind"), numbers(answers, "row")))
    answers = answers.take(pa.array(order))
    asked, first = np.unique(numbers(answers, "row"), return_index=True)
    at = np.searchsorted(row, asked)
    some = np.arange(rows.num_rows)
    some[at] = rows.num_rows + first  # into the rows, and behind them the answers
    take = pa.array(some)
    columns = {
        name: pa.concat_arrays([whole(rows.column(name)), whole(answers.column(name))]).take(take)
        for name in ("person", "identified")
    }
    rule = numbers(rows, "rule").copy()
    rule[at] = RULE_REFERENCE
    copy = np.zeros(rows.num_rows, dtype=np.uint8)
    copy[np.searchsorted(row, numbers(joined(pieces, COPIES, _COPY_SCHEMA), "row"))] = 1
    return with_columns(rows, {**columns, "rule": rule}, PLACED_SCHEMA), copy


def _taken(column: object, at: pa.Array) -> pa.Array:
    return (column if isinstance(column, pa.Array) else pa.array(column)).take(at)
