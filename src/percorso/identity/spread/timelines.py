"""Whose is each row: by its set of strong identifiers, else by the timelines of its weak and shared ones.

A row that carries a *w* (a weak identifier, or a shared strong one) goes to every w of its own as a copy that has no
other. There it is a login, or an end of one, or asks whose it is; of a row that could ask several, one copy is chosen.
So a timeline stands complete in one task, and is followed by the functions of one machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.engines.exchange import Piece, joined, split_rows
from percorso.identity.keyed_hashes import hashes_of_texts
from percorso.identity.placement import NO_COPY
from percorso.identity.spread.groups import NAMED, NAMED_SCHEMA
from percorso.identity.spread.placed import PlacedPieces
from percorso.identity.spread.rows import (
    HASH,
    TIMED_SCHEMA,
    codes_of_keys,
    codes_of_texts,
    hash_array,
    key_words,
    numbers,
    part_of_texts,
    row_files,
    with_columns,
)
from percorso.identity.spread.times import TIMED
from percorso.identity.timelines import TimelineRules, follow_timelines, no_carriers
from percorso.kernels.interning import KeyTable
from percorso.kernels.placing import AFFECTED, CARRIES, RULE_STRONG, PlacingInput, placing_input
from percorso.store.columns import whole

__all__ = ["TimelineSteps"]

_CARRIERS = "carriers"
_CANDIDATES = "candidates"
_CHOSEN = "chosen"

#: A copy of a row for one w: its person by its set (null: none), the w, its place among the row's, and how many.
_CARRIER_SCHEMA = pa.schema(
    [*TIMED_SCHEMA, ("owner", HASH), ("w", pa.string()), ("place", pa.int16()), ("of", pa.int16())]
)
_CANDIDATE_SCHEMA = pa.schema([("row", pa.int64()), ("place", pa.int16()), ("login", pa.uint8()), ("home", pa.int32())])
_CHOSEN_SCHEMA = pa.schema([("row", pa.int64()), ("place", pa.int16())])


@dataclass(frozen=True, slots=True)
class TimelineSteps:
    """The steps from rows at their time to rows with their person.

    Attributes
    ----------
    sources : tuple of str
        By rank.
    rules : TimelineRules
    secret : bytes
    memory_bytes : int
        For sorting, in one task.
    placed : PlacedPieces
        Where placed rows go.
    n_parts : int
    """

    sources: tuple[str, ...]
    rules: TimelineRules
    secret: bytes
    memory_bytes: int
    placed: PlacedPieces
    n_parts: int

    def name(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Rows with a person by their set, rows without anything, and copies for each w; parts are of sets."""
        pieces = list(pieces)
        rows, named = joined(pieces, TIMED, TIMED_SCHEMA), joined(pieces, NAMED, NAMED_SCHEMA)
        owner, shared = _of_sets(rows, named)
        place = _places(rows, shared)
        is_placed = owner.is_valid().to_numpy(zero_copy_only=False) | (place.of == 0)
        some = pa.array(np.flatnonzero(is_placed))
        person = owner.take(some)
        known = person.is_valid().to_numpy(zero_copy_only=False).astype(np.uint8)
        yield from self.placed.pieces(rows.take(some), person, known * np.uint8(RULE_STRONG), known)
        copies = rows.take(pa.array(place.row))
        more = {"owner": owner.take(pa.array(place.row)), "w": place.w, "place": place.place, "of": place.of[place.row]}
        copies = with_columns(copies, more, _CARRIER_SCHEMA)
        yield from split_rows(_CARRIERS, copies, part_of_texts(place.w, self.n_parts), self.n_parts)

    def logins(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Which w of a row that could ask several has a login, by row; parts are of w."""
        rows = joined(pieces, _CARRIERS, _CARRIER_SCHEMA)
        (w,), texts = codes_of_texts([rows.column("w")])
        owned = whole(rows.column("owner")).is_valid().to_numpy(zero_copy_only=False)
        login = np.zeros(len(texts), dtype=np.uint8)
        login[w[owned & (numbers(rows, "signed_out") == 0)]] = 1
        asking = np.flatnonzero(~owned & (numbers(rows, "of") > 1))
        found = rows.take(pa.array(asking)).select(["row", "place"])
        columns = [*found.columns, pa.array(login[w[asking]]), pa.array(np.full(len(asking), part, dtype=np.int32))]
        rows = pa.table(columns, schema=_CANDIDATE_SCHEMA)
        yield from split_rows(_CANDIDATES, rows, numbers(rows, "row") % self.n_parts, self.n_parts)

    def choose(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """The first w of each row that has a login, else its first one, back to that w; parts are of rows."""
        rows = joined(pieces, _CANDIDATES, _CANDIDATE_SCHEMA)
        row, login = numbers(rows, "row"), numbers(rows, "login")
        order = np.lexsort((numbers(rows, "place"), 1 - login.astype(np.int8), row))
        first = order[np.r_[True, row[order][1:] != row[order][:-1]][: len(order)]]
        chosen = rows.take(pa.array(first))
        yield from split_rows(_CHOSEN, chosen.select(["row", "place"]), numbers(chosen, "home"), self.n_parts)

    def follow(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Rows whose person a timeline tells; parts are of w."""
        pieces = list(pieces)
        rows, chosen = joined(pieces, _CARRIERS, _CARRIER_SCHEMA), joined(pieces, _CHOSEN, _CHOSEN_SCHEMA)
        (owner,), owners = codes_of_keys([rows.column("owner")])
        (w,), texts = codes_of_texts([rows.column("w")])
        asks = (owner < 0) & ((numbers(rows, "of") == 1) | _chosen(rows, chosen))
        n = rows.num_rows
        marks = np.full(n, CARRIES, dtype=np.uint8)
        marks[asks] |= AFFECTED
        unit, rule = np.full(n, NO_COPY, dtype=np.int32), np.zeros(n, dtype=np.uint8)
        inputs = self._input(rows, owner, w, len(owners))
        carriers = no_carriers(inputs, np.zeros(len(owners), np.uint8), len(texts), 0)
        carriers.weak[:] = 1  # all that carry them are here
        files = row_files(rows, self.sources)
        _, keyed, key_row = follow_timelines(
            files, inputs, marks, carriers, numbers(rows, "time"), unit, rule, self.rules, self.memory_bytes
        )
        names = _Names(rows, owners, texts, w)
        ids, identified = self._ids(names, unit, keyed, key_row)
        some = np.flatnonzero(asks)
        yield from self.placed.pieces(rows.take(pa.array(some)), hash_array(ids[some]), rule[some], identified[some])

    def _input(
        self, rows: pa.Table, owner: npt.NDArray[np.int32], w: npt.NDArray[np.int32], n_owners: int
    ) -> PlacingInput:
        """Rows as on one machine: the w of a copy is its only weak identifier, its person its whole set."""
        return placing_input(
            sset=owner,
            anonymous=w,
            device=np.full(rows.num_rows, -1, dtype=np.int32),
            signed_out=numbers(rows, "signed_out"),
            keep=np.ones(rows.num_rows, dtype=np.uint8),
            source=numbers(rows, "source"),
            client=numbers(rows, "client"),
            scope=self.rules.scopes(self.sources),
            person=np.arange(n_owners, dtype=np.int32),
            offsets=np.zeros(n_owners + 1, dtype=np.int64),
            members=np.zeros(0, dtype=np.int32),
            shared=np.zeros(0, dtype=np.uint8),
        )

    def _ids(
        self,
        names: _Names,
        unit: npt.NDArray[np.int32],
        keyed: npt.NDArray[np.int64],
        key_row: npt.NDArray[np.int64],
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
        """Ids of persons, uint64 of shape (n, 2), as percorso.identity.units tells; and 1 for those with a login."""
        ids = np.zeros((len(unit), 2), dtype=np.uint64)
        identified = (unit >= 0) & (unit & 3 == 0)
        ids[identified] = names.owners[unit[identified] >> 2]
        alone = (unit >= 0) & ~identified
        alone[keyed] = False
        identified[keyed] = False
        used = np.unique(names.w[alone])
        ids[alone] = self._hashes(names.texts.take(pa.array(used)))[np.searchsorted(used, names.w[alone])]
        if len(keyed):
            sources = pa.array(self.sources, pa.string()).take(pa.array(numbers(names.rows, "source")[key_row]))
            messages = whole(names.rows.column("message_id")).take(pa.array(key_row))
            told = pc.binary_join_element_wise(names.texts.take(pa.array(names.w[keyed])), sources, messages, "\0")
            ids[keyed] = self._hashes(whole(told))
        return ids, identified.astype(np.uint8)

    def _hashes(self, texts: pa.StringArray) -> npt.NDArray[np.uint64]:
        return hashes_of_texts(self.secret, texts).view(np.uint64).reshape(-1, 2)


def _of_sets(rows: pa.Table, named: pa.Table) -> tuple[pa.Array, pa.ListArray]:
    """Person of each row by its set, null where none; and the shared members of the set."""
    table = KeyTable()
    table.codes(*key_words(named.column("set")))
    codes = table.find(*key_words(rows.column("set")))
    at = pa.array(np.maximum(codes, 0), mask=codes < 0)
    return whole(named.column("person")).take(at), whole(named.column("shared")).take(at)


@dataclass(frozen=True, slots=True)
class _Names:
    """What rows that ask are named by: persons of sets, and the w of each row, as codes into its texts."""

    rows: pa.Table
    owners: npt.NDArray[np.uint64]
    texts: pa.StringArray
    w: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Places:
    """Every w of every row: anonymous id, shared strong identifiers by priority, device id.

    Attributes
    ----------
    row : int64, shape (n_copies,)
    place : int16, shape (n_copies,)
        Among those of the row, from 0 on.
    w : pyarrow.StringArray, shape (n_copies,)
    of : int16, shape (n_rows,)
        How many the row has.
    """

    row: npt.NDArray[np.int64]
    place: npt.NDArray[np.int16]
    w: pa.StringArray
    of: npt.NDArray[np.int16]


def _places(rows: pa.Table, shared: pa.ListArray) -> _Places:
    n = rows.num_rows
    anonymous, device = (whole(rows.column(name)) for name in ("anonymous", "device"))
    lengths = pc.fill_null(pc.list_value_length(shared), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    there = [np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False)) for column in (anonymous, device)]
    row = np.concatenate([there[0], np.repeat(np.arange(n), lengths), there[1]])
    w = pa.concat_arrays([anonymous.take(pa.array(there[0])), shared.flatten(), device.take(pa.array(there[1]))])
    order = np.argsort(row, kind="stable")
    row, w = row[order], w.take(pa.array(order))
    counts = np.bincount(row, minlength=n)
    place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return _Places(row, place.astype(np.int16), w, counts.astype(np.int16))


def _chosen(rows: pa.Table, chosen: pa.Table) -> npt.NDArray[np.bool_]:
    """Which copies were chosen."""
    mine, wanted = (
        np.stack([numbers(one, "row"), numbers(one, "place").astype(np.int64)], axis=1) for one in (rows, chosen)
    )
    table = KeyTable()
    table.codes(_spread(wanted), np.zeros(len(wanted), np.uint8))
    return table.find(_spread(mine)) >= 0


def _spread(pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Keys of pairs of numbers whose low bits differ; uint64, shape (n, 2)."""
    keys = pairs.view(np.uint64).copy()
    keys[:, 0] = (keys[:, 0] * np.uint64(64) + keys[:, 1]) * np.uint64(0x9E3779B97F4A7C15)
    keys[:, 0] ^= keys[:, 0] >> np.uint64(32)
    return keys
