"""What was erased, as keyed hashes: so that an import does not bring it back.

The list holds hashes alone. A row is compared by the hashes of what it would be known by, made of distinct values; who
it is about is not to be learned from the list, nor from what is said of an import.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.event import STRONG_COLUMNS, WEAK_COLUMNS
from percorso.identity.former import FORMER_KINDS
from percorso.identity.identifiers import WORKSPACE_WIDE, IdentifierRules
from percorso.identity.keyed_hashes import hashes_of_texts
from percorso.identity.placement import person_id
from percorso.identity.telling import is_telling, line_cells, line_words, named_values, tells_as_cell
from percorso.store.columns import as_strings, whole
from percorso.store.row_keys import KeyCounter

__all__ = ["Admission", "Suppression", "cut_text", "message_text", "rejected_text"]

#: Before any time of an event: not listed.
NEVER = np.iinfo(np.int64).min

_UNIQUE_LENGTH = 16  # of a message id: a hash or a random one, and no counter
_MOST_KNOWN = 100_000  # words of rejected rows that are remembered; a bad file may be nothing but such rows

#: Until when each of some texts is suppressed in an id space, µs UTC.
_LookUp = Callable[[pa.StringArray, str], npt.NDArray[np.int64]]


def message_text(source: str, message_id: str) -> bytes:
    """What the keyed hash of an erased event is made of.

    An id that is long enough to be no other event's says it alone: the same file may come in as another source.
    """
    return _event_text("message", source, message_id)


def cut_text(source: str, message_id: str) -> bytes:
    """What the keyed hash of an event is made of that stayed, but for an identifier that was erased."""
    return _event_text("cut", source, message_id)


def _event_text(what: str, source: str, message_id: str) -> bytes:
    return "\0".join([what, "" if len(message_id) >= _UNIQUE_LENGTH else source, message_id]).encode()


def rejected_text(raw: str) -> bytes:
    """What the keyed hash of an erased rejected row is made of."""
    return b"rejected\0" + raw.encode()


@dataclass(frozen=True, slots=True)
class Admission:
    """Which rows of an import may come in.

    Parameters
    ----------
    keep : ndarray of bool, shape (n_rows,)
    cut : dict of str to ndarray of bool, shape (n_rows,)
        Rows of which an identifier, by its column, must not come in.
    """

    keep: npt.NDArray[np.bool_]
    cut: Mapping[str, npt.NDArray[np.bool_]]


class Suppression:
    """The suppression list of a workspace.

    Parameters
    ----------
    identifiers : mapping of bytes to int
        Hash -> µs UTC of its erasure: what is later is about a person who came back.
    rows : collection of bytes
        Hashes of `message_text`, `cut_text` and `rejected_text`.
    rules : IdentifierRules
    secret : bytes
        The workspace's key.
    own_types : sequence of str
        The workspace's own types of identifier.
    """

    def __init__(
        self,
        identifiers: Mapping[bytes, int],
        rows: Collection[bytes],
        rules: IdentifierRules,
        secret: bytes,
        *,
        own_types: Sequence[str] = (),
    ) -> None:
        self._until = identifiers
        self._rows = frozenset(rows)
        self._rules = rules
        self._secret = secret
        self._own_types = tuple(own_types)
        self._identifier_keys, self._row_keys = _counter(identifiers), _counter(self._rows)
        self._kinds = (*STRONG_COLUMNS, *self._own_types, *WEAK_COLUMNS)
        self._known_tokens: dict[tuple[str, tuple[str, ...]], frozenset[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._until or self._rows)

    def admit(self, events: pa.Table) -> Admission:
        """Which events may come in: none that was erased, none that carries an erased identifier up to its erasure.

        Parameters
        ----------
        events : pyarrow.Table
            Columns of the event row.
        """
        erased = self._messages(events, "message")
        times = whole(events.column("timestamp")).cast(pa.int64()).to_numpy()
        listed = {name: times <= until for name, until in self._listed(events).items()}
        carrying = np.flatnonzero(np.logical_or.reduce([np.zeros(len(events), np.bool_), *listed.values()]))
        # Only of rows that carry something it matters, and those are few.
        cut = np.zeros(len(events), np.bool_)
        cut[carrying] = self._messages(events.take(pa.array(carrying)), "cut")
        keep = ~erased
        keep[carrying] &= cut[carrying]
        return Admission(keep, {name: found & cut & keep for name, found in listed.items() if (found & cut).any()})

    def has_rejected(self, raw: str, *, spaces: Sequence[str]) -> bool:
        """Was this row erased, or does it hold an identifier that was? When it happened nobody can tell.

        What counts is what :class:`percorso.identity.mentions.Mentions` finds for certain in a line, as far as hashes
        can tell.

        Parameters
        ----------
        raw : str
            A line of a file.
        spaces : sequence of str
            Id spaces in which its identifiers may live.
        """
        if self._rows and person_id(self._secret, rejected_text(raw)) in self._rows:
            return True
        if not self._until:
            return False
        there, cells = tuple(spaces), line_cells(raw)
        for token in line_words(raw) | cells:
            kinds = self._listed_as(token, there)
            if kinds and (is_telling(token) or not kinds.isdisjoint(WORKSPACE_WIDE)):
                return True
        alone = [cell for cell in cells if self._listed_as(cell, there)]
        if len(alone) > 1 or any(tells_as_cell(cell) for cell in alone):
            return True
        return any(one.kind in self._listed_as(one.value, there) for one in named_values(raw, self._kinds))

    def _listed_as(self, token: str, spaces: tuple[str, ...]) -> frozenset[str]:
        """Types of identifier that were erased with this value."""
        known = self._known_tokens.get((token, spaces))
        if known is None:
            normal = {kind: self._rules.normalise(kind, token) for kind in self._kinds}
            known = frozenset(
                kind
                for kind, value in normal.items()
                if value is not None
                for space in (("",) if kind in WORKSPACE_WIDE else spaces)
                if person_id(self._secret, f"{kind}\0{space}\0{value}".encode()) in self._until
            )
            if len(self._known_tokens) >= _MOST_KNOWN:
                self._known_tokens.clear()
            self._known_tokens[token, spaces] = known
        return known

    def _messages(self, events: pa.Table, what: str) -> npt.NDArray[np.bool_]:
        """Rows that were erased ("message"), or that lost something ("cut"); shape (n_rows,)."""
        if not self._rows or not len(events):
            return np.zeros(len(events), np.bool_)
        source, ids = (whole(events.column(name)).cast(pa.large_string()) for name in ("source", "message_id"))
        unique = pc.greater_equal(pc.utf8_length(ids), _UNIQUE_LENGTH)
        texts = pc.binary_join_element_wise(_large(what), pc.if_else(unique, _large(""), source), ids, _large("\0"))
        return self._row_keys.contains(self._hashes(texts))

    def _listed(self, events: pa.Table) -> dict[str, npt.NDArray[np.int64]]:
        """Until when each row's identifier of a column is suppressed, µs UTC, shape (n_rows,)."""
        if not self._until:
            return {}
        spaces = whole(events.column("id_space")).dictionary_encode()
        found = {}
        kinds = {kind: (kind,) for kind in (*STRONG_COLUMNS, *WEAK_COLUMNS)} | {"previous_id": FORMER_KINDS}
        for name, every in kinds.items():
            column = whole(events.column(name))
            if column.null_count < len(column):
                until = np.maximum.reduce(
                    [self._column(column, spaces, partial(self._of_kind, kind)) for kind in every]
                )
                if (until > NEVER).any():
                    found[name] = until
        own = whole(events.column("other_ids"))
        if own.null_count < len(own):
            until = self._column(own, spaces, self._of_objects)
            if (until > NEVER).any():
                found["other_ids"] = until
        return found

    def _column(self, column: pa.Array, spaces: pa.DictionaryArray, look_up: _LookUp) -> npt.NDArray[np.int64]:
        """`look_up` of the distinct values of a column, space by space."""
        coded = column.dictionary_encode()
        indices = coded.indices.fill_null(len(coded.dictionary)).to_numpy(zero_copy_only=False)
        texts = as_strings(coded.dictionary)
        space_of = spaces.indices.to_numpy(zero_copy_only=False)
        until = np.full(len(column), NEVER, np.int64)
        for code, space in enumerate(spaces.dictionary.to_pylist()):
            of_value = np.append(look_up(texts, space), NEVER)
            if (of_value > NEVER).any():
                until = np.where(space_of == code, of_value[indices], until)
        return until

    def _of_kind(self, kind: str, texts: pa.StringArray, space: str) -> npt.NDArray[np.int64]:
        normal = self._rules.normalise_many(kind, texts)
        until = np.full(len(texts), NEVER, np.int64)
        there = np.flatnonzero(normal.is_valid().to_numpy(zero_copy_only=False))
        if not len(there):
            return until
        own_space = "" if kind in WORKSPACE_WIDE else space
        values = normal.take(pa.array(there)).cast(pa.large_string())
        hashes = self._hashes(pc.binary_join_element_wise(_large(f"{kind}\0{own_space}\0"), values, _large("")))
        for at in np.flatnonzero(self._identifier_keys.contains(hashes)):
            until[there[at]] = self._until.get(hashes[at].tobytes(), NEVER)
        return until

    def _of_objects(self, texts: pa.StringArray, space: str) -> npt.NDArray[np.int64]:
        """The same of JSON objects of own identifiers: the latest of any in it."""
        until = np.full(len(texts), NEVER, np.int64)
        rows = [msgspec.json.decode(text) for text in texts.to_pylist()]
        for kind in sorted({kind for row in rows for kind in row}):
            values = [None if row.get(kind) is None else str(row[kind]) for row in rows]
            until = np.maximum(until, self._of_kind(kind, pa.array(values, pa.string()), space))
        return until

    def _hashes(self, texts: pa.LargeStringArray) -> npt.NDArray[np.uint64]:
        """Keyed hashes as two words each, shape (n, 2)."""
        return hashes_of_texts(self._secret, texts).view(np.uint64).reshape(-1, 2)


def _large(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _counter(hashes: Iterable[bytes]) -> KeyCounter:
    every = sorted(hashes)
    counter = KeyCounter(len(every))
    if every:
        counter.add(np.frombuffer(b"".join(every), np.uint64).reshape(-1, 2))
    return counter
