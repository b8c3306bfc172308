"""Details of batches of lake rows: read once for each distinct combination of what they are made of.

Rows whose event can bear none, page views above all, are told apart by the code of their event alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.events.aliases import CANONICAL_EVENTS
from percorso.events.consent import consents_of_json
from percorso.events.details import CONSENT_BY_NAME, DETAIL_EVENTS, DETAIL_TYPE, NO_DETAIL, DetailSource, detail_of
from percorso.kernels.interning import TupleTable
from percorso.store.columns import whole

__all__ = ["DETAILS_TYPE", "DetailReader"]

#: A list of one detail or none, as products are lists: rows without one cost no more than an offset.
DETAILS_TYPE = pa.list_(DETAIL_TYPE)

_BY_PROPERTIES, _BY_NAME, _BY_CARD, _BY_TRAITS = 1, 2, 4, 8
_ORDER = "Order Completed"

Codes = npt.NDArray[np.int32]


class DetailReader:
    """Reads the details of rows.

    Parameters
    ----------
    timezone : str
        Of days that are promised without a time.
    event_name : callable
        Canonical name of an event by its code.
    """

    def __init__(self, timezone: str, event_name: Callable[[int], str]) -> None:
        self._timezone = timezone
        self._event_name = event_name
        self._bearers = np.zeros(0, dtype=np.uint8)

    def column(self, batch: pa.RecordBatch, event: Codes) -> pa.ListArray:
        """Details of the rows, DETAILS_TYPE; null where there are none.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
        event : int32, shape (n_rows,)
            Codes of the canonical names.
        """
        rows = self._candidates(batch, event)
        if not len(rows):
            return pa.nulls(batch.num_rows, DETAILS_TYPE)
        codes, details = self._read(batch, event, rows)
        has = codes >= 0
        rows, codes = rows[has], codes[has]
        if not len(rows):
            return pa.nulls(batch.num_rows, DETAILS_TYPE)
        of_row = np.zeros(batch.num_rows, dtype=np.int32)
        of_row[rows] = 1
        every = pa.array([{**NO_DETAIL, **one} for one in details], DETAIL_TYPE).take(pa.array(codes))
        offsets = np.append(np.int32(0), np.cumsum(of_row, dtype=np.int32))
        return pa.ListArray.from_arrays(pa.array(offsets), every, type=DETAILS_TYPE, mask=pa.array(of_row == 0))

    def _candidates(self, batch: pa.RecordBatch, event: Codes) -> npt.NDArray[np.int64]:
        """Rows that may have details."""
        by = self._bears(int(event.max(initial=-1)) + 1)[event]
        found = (by & _BY_NAME) != 0
        for name, bit in (("properties", _BY_PROPERTIES), ("loyalty_id", _BY_CARD), ("traits", _BY_TRAITS)):
            column = batch.column(name)
            if column.null_count < len(column):
                found |= ((by & bit) != 0) & column.is_valid().to_numpy(zero_copy_only=False)
        consent = batch.column("consent")
        if consent.null_count < len(consent):
            found |= _says_consent(consent)
        return np.flatnonzero(found)

    def _bears(self, n_events: int) -> npt.NDArray[np.uint8]:
        """Of what each event's details can be made, by its code."""
        if len(self._bearers) < n_events:
            more = [self._bits(self._event_name(code)) for code in range(len(self._bearers), n_events)]
            self._bearers = np.append(self._bearers, np.array(more, dtype=np.uint8))
        return self._bearers

    @staticmethod
    def _bits(name: str) -> int:
        if name not in CANONICAL_EVENTS:
            return _BY_PROPERTIES | _BY_TRAITS
        bits = _BY_PROPERTIES if name in DETAIL_EVENTS else 0
        return bits | (_BY_NAME if name in CONSENT_BY_NAME else 0) | (_BY_CARD if name == _ORDER else 0)

    def _read(
        self, batch: pa.RecordBatch, event: Codes, rows: npt.NDArray[np.int64]
    ) -> tuple[Codes, list[dict[str, object]]]:
        """For each of the rows the place of its detail in the list, -1 for none."""
        at = pa.array(rows)
        names = ("name", "source_kind", "properties", "traits", "consent", "channel")
        texts, codes = zip(*(_coded(batch.column(name), at) for name in names), strict=True)
        card = batch.column("loyalty_id").take(at).is_valid().to_numpy(zero_copy_only=False)
        events = event[rows]
        card = card & ((self._bearers[events] & _BY_CARD) != 0)
        distinct, firsts = TupleTable().codes((events, *codes, card.astype(np.int32)))
        place = np.full(len(firsts), -1, dtype=np.int32)
        details: list[dict[str, object]] = []
        for number, first in enumerate(firsts.tolist()):
            said = [text[code[first]] for text, code in zip(texts, codes, strict=True)]
            name, kind, properties, traits, consent, channel = said
            event_name, member = self._event_name(int(events[first])), bool(card[first])
            source = DetailSource(event_name, name, kind, properties, traits, consent, member, channel)
            found = detail_of(source, timezone=self._timezone)
            if found is not None:
                place[number] = len(details)
                details.append(found)
        return place[distinct], details


def _says_consent(column: pa.Array) -> npt.NDArray[np.bool_]:
    """Which rows' `consent` speaks of a channel: trackers send that of cookies with every page."""
    coded = whole(column)
    if not pa.types.is_dictionary(coded.type):
        coded = coded.dictionary_encode()
    says = [bool(text and consents_of_json(text)) for text in coded.dictionary.to_pylist()]
    found: npt.NDArray[np.bool_] = np.array([*says, False])[coded.indices.fill_null(len(says)).to_numpy()]
    return found


def _coded(column: pa.Array, rows: pa.Array) -> tuple[list[str], Codes]:
    """Distinct texts of some rows and a code for each row; null is ""."""
    found = whole(column).take(rows)
    if found.null_count == len(found):
        return [""], np.zeros(len(found), dtype=np.int32)
    if not pa.types.is_dictionary(found.type):
        found = found.dictionary_encode()
    texts = [text or "" for text in found.dictionary.to_pylist()] + [""]
    codes = found.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False)
    return texts, codes.astype(np.int32)
