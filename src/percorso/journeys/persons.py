"""The table of a bucket's persons."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.events.traits import merge_traits
from percorso.journeys.bucket import BucketRows, Cut
from percorso.journeys.bucket_rules import BucketRules
from percorso.journeys.columns import coded, named, record_batch
from percorso.store.journey_log import FLAG_BOT, FLAG_HEAVY
from percorso.store.log_files import coded_column, fixed_column, settled

__all__ = ["persons_table"]


def persons_table(
    rows: BucketRows,
    cut: Cut,
    rules: BucketRules,
    person_ids: npt.NDArray[np.uint8],
    identified: npt.NDArray[np.uint8],
) -> pa.RecordBatch:
    n, numbers = len(person_ids), rows.numbers
    start = rows.offsets[:n]
    last = (rows.offsets[1 : n + 1] - 1) if n else start
    n_events = np.diff(rows.offsets)[:n]
    heavy = n_events > rules.settings.build.heavy_person_events
    flags = np.where(heavy, FLAG_HEAVY, 0)
    if n:
        bots = np.add.reduceat((rows.flags & FLAG_BOT) != 0, start).astype(np.int64)
        flags |= np.where(bots == n_events, FLAG_BOT, 0)
    order_times = _order_times(cut, n)
    return record_batch(
        {
            "person_id": fixed_column(pa.binary(16), person_ids, None),
            "start": start,
            "n_events": n_events.astype(np.int32),
            "first_time": numbers["time"][start],
            "last_time": numbers["time"][last],
            "n_sessions": np.bincount(rows.person[rows.session_first], minlength=n)[:n].astype(np.int32),
            "n_orders": np.bincount(cut.orders[:, 0], minlength=n)[:n].astype(np.int32),
            "first_order_time": order_times[0],
            "last_order_time": order_times[1],
            "kind": named(identified.astype(np.int64), ("anonymous", "identified")),
            "first_channel": coded(rows, rules, "channel", start),
            "first_place": coded(rows, rules, "place", start),
            "country": _last_known(rows, rules, "country", n),
            "device": _last_known(rows, rules, "device", n),
            "traits": _last_traits(rows, n),
            "flags": flags.astype(np.uint16),
        }
    )


def _order_times(cut: Cut, n: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Times of each person's first and last order, -1 where there is none."""
    first, last = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    person = cut.orders[:, 0]
    time = cut.journeys[cut.orders[:, 2], 2] if len(person) else person
    first[person[::-1]] = time[::-1]
    last[person] = time
    return first, last


def _last_known(rows: BucketRows, rules: BucketRules, name: str, n: int) -> pa.DictionaryArray:
    texts, rank = rules.dictionaries[name]
    codes = rows.numbers[name]
    known = np.flatnonzero(codes > 0)
    last = np.zeros(n, dtype=np.int64)
    if n:
        last[rows.person[known]] = rank[codes[known]]
    return coded_column(last, texts)


def _last_traits(rows: BucketRows, n: int) -> pa.StringArray:
    """The last value of each trait of each person, as JSON; null where there are none."""
    traits = rows.text("traits")
    known = np.flatnonzero(~traits.is_null().to_numpy(zero_copy_only=False))
    merged: list[str | None] = [None] * n
    if len(known) and n:
        texts = traits.take(pa.array(known)).to_pylist()
        persons = rows.person[known]
        starts = np.r_[0, np.flatnonzero(np.diff(persons)) + 1, len(persons)]
        for start, end in itertools.pairwise(starts):
            merged[persons[start]] = merge_traits(texts[start:end])
    return settled(pa.array(merged, pa.string()))
