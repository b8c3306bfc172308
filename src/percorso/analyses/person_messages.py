"""From messages to the persons whose events they are."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from percorso.analyses.customer import PersonRow
from percorso.engines.local import map_buckets
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["persons_of_messages"]


def persons_of_messages(
    log: JourneyLog, messages: Collection[tuple[str, str]], *, threads: int | None = None
) -> list[tuple[PersonRow, list[tuple[str, str]]]]:
    """The persons who have one of the messages, by id, each with those of them that are theirs.

    Parameters
    ----------
    log : JourneyLog
    messages : collection of (str, str)
        Source and message id; best a set or dict, each event's is looked up in it.
    threads : int, optional
        Default: the cores this process may use.

    Returns
    -------
    list of tuple
        A person and (source, message id) of its events. Messages that belong to nobody are left out.

    Notes
    -----
    No table leads from a message to its event: the ids of all events are read, about 0.1 µs each.
    """
    every = pa.array({message for _, message in messages}, pa.string())

    def of_bucket(bucket: Bucket) -> list[tuple[PersonRow, list[tuple[str, str]]]]:
        ids = bucket.cold("message_id")
        hits = np.flatnonzero(pc.is_in(ids, every.cast(ids.type)).to_numpy(zero_copy_only=False))
        if not len(hits):
            return []
        sources, codes = bucket.events.dictionary("source"), bucket.events.values("source")[hits]
        persons = np.searchsorted(bucket.offsets(), hits, side="right") - 1
        of_person: dict[int, list[tuple[str, str]]] = {}
        found = ids.take(pa.array(hits)).to_pylist()
        for person, code, message in zip(persons.tolist(), codes.tolist(), found, strict=True):
            if (sources[code], message) in messages:
                of_person.setdefault(person, []).append((sources[code], message))
        return [(PersonRow(bucket, row), theirs) for row, theirs in of_person.items()]

    return [found for part in map_buckets(log, of_bucket, threads=threads) for found in part]
