"""From messages to the persons whose events they are."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from percorso.analyses.customer import PersonRow
from percorso.engines.buckets import map_buckets
from percorso.identity.scan import message_keys
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
    No table leads from a message to its event: the keys of all events are read, a few nanoseconds each.
    """
    told = _by_key(messages)
    wanted = pa.array(sorted(told), pa.uint64())

    def of_bucket(bucket: Bucket) -> dict[int, list[tuple[str, str]]]:
        hits = np.flatnonzero(pc.is_in(bucket.events.arrow("key"), wanted).to_numpy(zero_copy_only=False))
        persons = np.searchsorted(bucket.offsets(), hits, side="right") - 1
        of_person: dict[int, list[tuple[str, str]]] = {}
        for person, key in zip(persons.tolist(), bucket.events.values("key")[hits].tolist(), strict=True):
            of_person.setdefault(person, []).append(told[key])
        return of_person

    found = zip(log.buckets, map_buckets(log, of_bucket, threads=threads), strict=True)
    return [(PersonRow(bucket, row), theirs) for bucket, part in found for row, theirs in part.items()]


def _by_key(messages: Collection[tuple[str, str]]) -> dict[int, tuple[str, str]]:
    """Source and message id by the key that events carry."""
    by_source: dict[str, list[str]] = {}
    for source, message in messages:
        by_source.setdefault(source, []).append(message)
    return {
        key: (source, message)
        for source, ids in by_source.items()
        for key, message in zip(message_keys(source, pa.array(ids, pa.string()))[:, 0].tolist(), ids, strict=True)
    }
