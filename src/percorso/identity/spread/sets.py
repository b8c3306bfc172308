"""Sets of strong identifiers: what is known of each, and which members are hubs (identity rules, section 2, step 0).

A hub is found by counting: pairs of partners, each once, then partners of a kind, then those that are too many.
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
from percorso.identity.resolution import ResolutionRules
from percorso.identity.rows import MISSING
from percorso.identity.spread.rows import HASH, codes_of_texts, hash_array, key_words, numbers, part_of_keys
from percorso.identity.spread.times import SET_SCHEMA, SETS
from percorso.kernels.interning import KeyTable
from percorso.kernels.resolving import SHARED_BETTER, SHARED_WORSE
from percorso.store.columns import hash_column, whole

__all__ = ["HUBS", "KNOWN", "KNOWN_SCHEMA", "SetSteps", "member_keys", "ranks_of"]

KNOWN = "known"
HUBS = "hubs"
_PARTNERS = "partners"
_MANY = "many"
_HELD = "held"

#: A set, and the keyed hash of each member.
KNOWN_SCHEMA = pa.schema(
    [
        ("set", HASH),
        ("members", pa.list_(pa.string())),
        ("aliases", pa.list_(HASH)),
        ("count", pa.int64()),
        ("first", pa.int64()),
        ("trusted", pa.uint8()),
        ("stated", pa.uint8()),
    ]
)
_PARTNERS_SCHEMA = pa.schema(
    [("one", HASH), ("other", HASH), ("kind", pa.int64()), ("better", pa.uint8()), ("most", pa.int64())]
)
_MANY_SCHEMA = pa.schema(
    [("one", HASH), ("kind", pa.int64()), ("better", pa.uint8()), ("most", pa.int64()), ("n", pa.int64())]
)
_HELD_SCHEMA = pa.schema([("one", HASH), ("set", HASH)])
#: A member of a set that is a hub, and why.
HUBS_SCHEMA = pa.schema([("set", HASH), ("one", HASH), ("why", pa.uint8())])


@dataclass(frozen=True, slots=True)
class SetSteps:
    """The steps from what rows say of sets to sets that know which members are hubs.

    Attributes
    ----------
    kinds : tuple of str
        Types of strong identifiers by falling priority.
    rules : ResolutionRules
    secret : bytes
    n_parts : int
    """

    kinds: tuple[str, ...]
    rules: ResolutionRules
    secret: bytes
    n_parts: int

    def combine(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """What all rows say of a set, once; parts are of sets and stay so."""
        found = joined(pieces, SETS, SET_SCHEMA)
        codes, firsts = KeyTable().codes(*key_words(found.column("set")))
        m = len(firsts)
        count, first, trusted = np.zeros(m, np.int64), np.full(m, MISSING, np.int64), np.zeros(m, np.uint8)
        np.add.at(count, codes, numbers(found, "count"))
        np.minimum.at(first, codes, numbers(found, "first"))
        np.maximum.at(trusted, codes, numbers(found, "trusted"))
        every = found.take(pa.array(firsts))
        members = whole(every.column("members"))
        aliases = self._aliases(members)
        columns = [
            every.column("set"),
            members,
            aliases,
            *map(pa.array, (count, first, trusted)),
            every.column("stated"),
        ]
        known = pa.table(columns, schema=KNOWN_SCHEMA)
        yield Piece(KNOWN, part, known)

    def _aliases(self, members: pa.ListArray) -> pa.ListArray:
        (codes,), texts = codes_of_texts([members.flatten()])
        hashes = hashes_of_texts(self.secret, texts)
        return pa.ListArray.from_arrays(_offsets(members), hash_array(hashes[codes] if len(codes) else hashes))

    def partners(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Pairs of members of live sets that differ in type, by pair; and which sets hold an identifier, by it.

        A hub is found by live sets alone, and told to all: what two alias messages say of one joins nobody.
        """
        known = joined(pieces, KNOWN, KNOWN_SCHEMA)
        words, place = key_words(whole(known.column("aliases")).flatten())[0], _places(known)
        held = pa.table([hash_array(words), known.column("set").take(pa.array(place))], schema=_HELD_SCHEMA)
        yield from split_rows(_HELD, held, part_of_keys(words, self.n_parts), self.n_parts)
        known = known.filter(pa.array(numbers(known, "count") > 0))
        members, aliases = whole(known.column("members")), whole(known.column("aliases"))
        words = key_words(aliases.flatten())[0]
        rank, kind = ranks_of(members.flatten(), self.kinds)
        sizes = np.diff(_offsets(members).to_numpy())
        one, other = _pairs(sizes)
        differ = rank[one] != rank[other]
        one, other = one[differ], other[differ]
        once = np.zeros(len(one), dtype=np.bool_)
        once[KeyTable().codes(member_keys(words[one], words[other]), np.zeros(len(one), np.uint8))[1]] = True
        one, other = one[once], other[once]
        better = rank[other] < rank[one]
        most = np.where(better, self.rules.hub_better, 2 * self.rules.limits[rank[other]].astype(np.int64))
        columns = [hash_array(words[one]), hash_array(words[other]), kind[other], better.astype(np.uint8), most]
        rows = pa.table([_array(column) for column in columns], schema=_PARTNERS_SCHEMA)
        to = part_of_keys(member_keys(words[one], words[other]), self.n_parts)
        yield from split_rows(_PARTNERS, rows, to, self.n_parts)

    def count(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Different partners of a kind, by identifier; parts are of pairs."""
        pieces = list(pieces)
        for piece in pieces:
            if piece.kind == _HELD:
                yield piece
        rows = joined(pieces, _PARTNERS, _PARTNERS_SCHEMA)
        one, other = key_words(rows.column("one"))[0], key_words(rows.column("other"))[0]
        rows = rows.take(pa.array(KeyTable().codes(member_keys(one, other), np.zeros(len(one), np.uint8))[1]))
        one = key_words(rows.column("one"))[0]
        kind = numbers(rows, "kind")
        groups = np.stack([one[:, 0] ^ (one[:, 1] * np.uint64(31)), kind.view(np.uint64)], axis=1)
        codes, firsts = KeyTable().codes(groups, np.zeros(len(one), np.uint8))
        many = rows.take(pa.array(firsts)).drop_columns(["other"])
        many = many.append_column("n", pa.array(np.bincount(codes, minlength=len(firsts)).astype(np.int64)))
        yield from split_rows(_MANY, many, part_of_keys(one[firsts], self.n_parts), self.n_parts)

    def hubs(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Members that are hubs, by their sets; parts are of identifiers."""
        pieces = list(pieces)
        many, held = joined(pieces, _MANY, _MANY_SCHEMA), joined(pieces, _HELD, _HELD_SCHEMA)
        table = KeyTable()
        codes, firsts = table.codes(*key_words(many.column("one")))
        why = np.zeros(len(firsts) + 1, dtype=np.uint8)
        kind = numbers(many, "kind")
        groups, heads = KeyTable().codes(
            np.stack([codes.astype(np.uint64) + np.uint64(1), kind.view(np.uint64)], axis=1),
            np.zeros(len(codes), np.uint8),
        )
        n = np.bincount(groups, numbers(many, "n"), len(heads)).astype(np.int64)
        over = heads[n > numbers(many, "most")[heads]]
        better = numbers(many, "better")[over] == 1
        why[codes[over[~better]]] = SHARED_WORSE
        why[codes[over[better]]] = SHARED_BETTER
        of_held = table.find(*key_words(held.column("one")))
        hub = np.flatnonzero(why[of_held])
        rows = held.take(pa.array(hub)).select(["set", "one"]).append_column("why", pa.array(why[of_held[hub]]))
        to = part_of_keys(key_words(rows.column("set"))[0], self.n_parts)
        yield from split_rows(HUBS, rows, to, self.n_parts)


def ranks_of(texts: pa.Array, kinds: tuple[str, ...]) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    """Rank of each identifier's type, and a number for its type and space that is the same everywhere."""
    distinct = texts.dictionary_encode()
    cut = pc.split_pattern(distinct.dictionary, "\0", max_splits=2)
    kind, space = pc.list_element(cut, 0), pc.list_element(cut, 1)
    rank = np.array([kinds.index(name) for name in kind.to_pylist()] or [0], dtype=np.int16)
    hashed = hash_column(space, tag=2)[:, 0].view(np.int64)
    number = np.append((hashed & ~np.int64(0xFFFF)) | rank[: len(hashed)], 0)
    at = distinct.indices.to_numpy(zero_copy_only=False)
    return rank[at] if len(at) else rank[:0], number[at] if len(at) else number[:0]


def _places(known: pa.Table) -> npt.NDArray[np.int64]:
    """The row of each member of each set, one set after the other."""
    sizes = np.diff(_offsets(whole(known.column("members"))).to_numpy())
    return np.repeat(np.arange(len(sizes)), sizes)


def _pairs(sizes: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Places of the two of every ordered pair of different members of a set, all sets one after the other."""
    starts = np.cumsum(sizes) - sizes
    squares = sizes * sizes
    of_set = np.repeat(np.arange(len(sizes)), squares)
    within = np.arange(int(squares.sum())) - np.repeat(np.cumsum(squares) - squares, squares)
    first, second = within // sizes[of_set], within % sizes[of_set]
    differ = first != second
    return (starts[of_set] + first)[differ], (starts[of_set] + second)[differ]


def member_keys(one: npt.NDArray[np.uint64], other: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A key of each ordered pair of hashes; uint64, shape (n, 2)."""
    mixed = other * np.uint64(0x9E3779B97F4A7C15)
    return one ^ (mixed ^ (mixed >> np.uint64(32)))


def _offsets(lists: pa.ListArray) -> pa.Array:
    """Offsets of lists from 0 on."""
    offsets = lists.offsets.to_numpy()
    return pa.array(offsets - offsets[0] if len(offsets) else np.zeros(1, np.int32))


def _array(column: object) -> pa.Array:
    return column if isinstance(column, pa.Array) else pa.array(column)
