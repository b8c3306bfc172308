"""Which strong identifiers are one person, component by component, by the function that one machine uses as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.exchange import Piece, joined, split_rows
from percorso.identity.decisions import Folded
from percorso.identity.resolution import (
    Identifiers,
    IdentifierSets,
    Pairs,
    ResolutionRules,
    label_components,
    resolve,
)
from percorso.identity.spread.rows import HASH, codes_of_texts, hash_array, key_words, numbers, part_of_keys
from percorso.identity.spread.sets import HUBS, HUBS_SCHEMA, KNOWN, KNOWN_SCHEMA, member_keys, ranks_of
from percorso.identity.spread.stars import LABELS, LABELS_SCHEMA, edge_pieces, part_of_nodes
from percorso.kernels.interning import KeyTable
from percorso.store.columns import string_buffers, whole

__all__ = ["ALIASES", "NAMED", "NAMED_SCHEMA", "GroupSteps"]

#: A set's person: the keyed hash of its canonical identifier, null: none. And those members that are shared.
NAMED = "named"
NAMED_SCHEMA = pa.schema([("set", HASH), ("person", HASH), ("shared", pa.list_(pa.string()))])
#: Every identifier of a person.
ALIASES = "aliases"
ALIASES_SCHEMA = pa.schema([("alias", HASH), ("person", HASH)])

_HELD = "held"
_ROOTED = "rooted"
#: A set that knows why its members are hubs (0: they are none), and the node by which its component is found.
_HELD_SCHEMA = pa.schema([*KNOWN_SCHEMA, ("hubs", pa.list_(pa.uint8())), ("node", pa.uint64())])


@dataclass(frozen=True, slots=True)
class GroupSteps:
    """The steps from sets to persons.

    Attributes
    ----------
    kinds : tuple of str
        Types of strong identifiers by falling priority.
    rules : ResolutionRules
    decisions : Folded
    n_parts : int
    """

    kinds: tuple[str, ...]
    rules: ResolutionRules
    decisions: Folded
    n_parts: int

    def forced(self, task: int) -> Iterator[Piece]:
        """Edges of what was joined by hand."""
        ends = np.frombuffer(b"".join(end for pair in self.decisions.forced for end in pair), np.uint64).reshape(
            -1, 2, 2
        )
        yield from edge_pieces(_nodes(ends[:, 0]), _nodes(ends[:, 1]), self.n_parts)

    def mark(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Edges between members that are no hubs; the sets by their first one; parts are of sets."""
        pieces = list(pieces)
        known, hubs = joined(pieces, KNOWN, KNOWN_SCHEMA), joined(pieces, HUBS, HUBS_SCHEMA)
        members, aliases = whole(known.column("members")), whole(known.column("aliases"))
        sizes = np.diff(members.offsets.to_numpy())
        of_set = np.repeat(np.arange(len(sizes)), sizes)
        words = key_words(aliases.flatten())[0]
        why = _reasons(known, hubs, of_set, words)
        free = np.flatnonzero(why == 0)
        first = _first_of(why == 0, sizes)
        node = _nodes(words)
        yield from edge_pieces(node[first[of_set[free]]], node[free], self.n_parts)
        offsets = np.append(0, np.cumsum(sizes)).astype(np.int32)
        held = known.append_column("hubs", pa.ListArray.from_arrays(pa.array(offsets), pa.array(why)))
        held = held.append_column("node", pa.array(node[first] if len(node) else first.astype(np.uint64)))
        has = first >= 0
        inside = held.filter(pa.array(has)).cast(_HELD_SCHEMA)
        yield from split_rows(_HELD, inside, part_of_nodes(node[first[has]], self.n_parts), self.n_parts)
        alone = np.flatnonzero(~has & (numbers(known, "stated") == 0))  # nothing but hubs
        rows = known.take(pa.array(alone))
        nobody = hash_array(np.zeros((len(alone), 2), np.uint64), np.zeros(len(alone), np.bool_))
        yield Piece(NAMED, part, pa.table([rows.column("set"), nobody, rows.column("members")], schema=NAMED_SCHEMA))

    def root(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Sets to the part of their component; parts are of nodes."""
        pieces = list(pieces)
        held, labels = joined(pieces, _HELD, _HELD_SCHEMA), joined(pieces, LABELS, LABELS_SCHEMA)
        node, root = (labels.column(name).to_numpy() for name in ("node", "root"))
        order = np.argsort(node)
        mine = held.column("node").to_numpy()
        at = np.minimum(np.searchsorted(node[order], mine), max(len(node) - 1, 0))
        found = mine.copy()
        if len(node):
            has = node[order][at] == mine
            found[has] = root[order][at[has]]
        yield from split_rows(_ROOTED, held, part_of_nodes(found, self.n_parts), self.n_parts)

    def resolve(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Persons of whole components: sets by set, identifiers to the first part; parts are of components."""
        held = joined(pieces, _ROOTED, _HELD_SCHEMA)
        members = whole(held.column("members"))
        (codes,), texts = codes_of_texts([members.flatten()])
        n, words = len(texts), key_words(whole(held.column("aliases")).flatten())[0]
        alias, hub = np.zeros((n, 2), dtype=np.uint64), np.zeros(n, dtype=np.uint8)
        alias[codes] = words
        hub[codes] = whole(held.column("hubs")).flatten().to_numpy()
        stated = numbers(held, "stated") == 1
        sizes = np.diff(members.offsets.to_numpy())
        ids, sets = self._identifiers(texts), _sets(held, codes, sizes, stated)
        pairs = self._pairs(alias, codes, sizes, stated)
        label = label_components(ids, sets, pairs, hub)
        found = resolve(ids, sets, pairs, self.rules, hub, label, np.ones(n, dtype=np.uint8))
        shared = _some_of(members, found.shared[codes] != 0)
        group = found.group[codes]
        first = _first_of(group >= 0, sizes)
        person = alias[group[first]] if n else np.zeros((0, 2), np.uint64)
        columns = [held.column("set"), hash_array(person, first >= 0), shared]
        rows = pa.table(columns, schema=NAMED_SCHEMA).filter(pa.array(~stated))
        yield from split_rows(NAMED, rows, part_of_keys(key_words(rows.column("set"))[0], self.n_parts), self.n_parts)
        named = np.flatnonzero(found.group >= 0)
        columns = [hash_array(alias[named]), hash_array(alias[found.group[named]])]
        yield Piece(ALIASES, 0, pa.table(columns, schema=ALIASES_SCHEMA))

    def _identifiers(self, texts: pa.StringArray) -> Identifiers:
        offsets, text = string_buffers(texts)
        rank, kind = ranks_of(texts, self.kinds)
        space = np.unique(kind, return_inverse=True)[1].astype(np.int32)  # of its type: wanted only beside it
        return Identifiers(rank, space, offsets.astype(np.int64), np.ascontiguousarray(text))

    def _pairs(
        self,
        alias: npt.NDArray[np.uint64],
        codes: npt.NDArray[np.int32],
        sizes: npt.NDArray[np.int64],
        stated: npt.NDArray[np.bool_],
    ) -> Pairs:
        """Decisions and alias messages whose two ends are here, as percorso.identity.graph takes them."""
        told = codes[np.repeat(stated, sizes)].reshape(-1, 2)
        forced, forbidden = (_codes(alias, pairs) for pairs in (self.decisions.forced, self.decisions.forbidden))
        told = np.sort(told, axis=1)
        told = told[~np.isin(_keys(told), _keys(forbidden))]
        return Pairs(np.unique(np.concatenate([forced, told]), axis=0).reshape(-1, 2), forbidden)


def _first_of(wanted: npt.NDArray[np.bool_], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The first member of each set, among all of shape (n_members,), that is wanted; -1 for none."""
    first, at = np.full(len(sizes), -1, dtype=np.int64), np.flatnonzero(wanted)[::-1]
    first[np.repeat(np.arange(len(sizes)), sizes)[at]] = at
    return first


def _some_of(members: pa.ListArray, wanted: npt.NDArray[np.bool_]) -> pa.ListArray:
    """The lists with those of their members that are wanted, bool of shape (n_members,)."""
    before = np.append(0, np.cumsum(wanted)).astype(np.int32)
    offsets = members.offsets.to_numpy()
    return pa.ListArray.from_arrays(pa.array(before[offsets - offsets[0]]), members.flatten().filter(pa.array(wanted)))


def _nodes(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The node of each keyed hash."""
    return np.ascontiguousarray(words[:, 0])


def _reasons(
    known: pa.Table, hubs: pa.Table, of_set: npt.NDArray[np.int64], words: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint8]:
    """Why each member of each set is a hub, 0 if it is none; shape (n_members,)."""
    told = member_keys(key_words(hubs.column("set"))[0], key_words(hubs.column("one"))[0])
    asked = member_keys(key_words(known.column("set"))[0][of_set], words)
    table = KeyTable()
    codes = table.codes(told, np.zeros(len(told), np.uint8))[0]
    why = np.zeros(len(table) + 1, dtype=np.uint8)
    why[codes] = numbers(hubs, "why")
    return why[table.find(asked)]


def _sets(
    held: pa.Table, codes: npt.NDArray[np.int32], sizes: npt.NDArray[np.int64], stated: npt.NDArray[np.bool_]
) -> IdentifierSets:
    return IdentifierSets(
        np.append(0, np.cumsum(sizes)).astype(np.int64),
        codes,
        np.where(stated, 0, numbers(held, "count")),
        numbers(held, "first"),
        numbers(held, "trusted"),
    )


def _codes(alias: npt.NDArray[np.uint64], pairs: Sequence[tuple[bytes, bytes]]) -> npt.NDArray[np.int32]:
    """Pairs of alias hashes as codes, the smaller first, where both ends are known."""
    ends = np.frombuffer(b"".join(end for pair in pairs for end in pair), np.uint64).reshape(-1, 2)
    codes = KeyTable.of_keys(alias).find(ends).reshape(-1, 2)
    return np.unique(np.sort(codes[(codes >= 0).all(axis=1)], axis=1), axis=0).astype(np.int32).reshape(-1, 2)


def _keys(pairs: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    return (pairs[:, 0].astype(np.int64) << 32) | pairs[:, 1].astype(np.int64)
