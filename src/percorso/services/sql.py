"""A user's own SELECT over events, sessions, journeys and persons."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from percorso.engines.sql import SqlLimits, run_select
from percorso.errors import SpecError
from percorso.identity.scan import message_keys
from percorso.services.build import fresh_log
from percorso.services.sql_views import IDENTIFIERS, PERSONAL_COLUMNS, Identifiers, log_views
from percorso.services.workspace import Workspace
from percorso.store.columns import as_strings
from percorso.store.journey_log import Bucket, JourneyLog
from percorso.store.lake import Lake, LakeFile
from percorso.store.mapped import open_parquet

__all__ = ["TIME_LIMIT_S", "run_sql"]

#: Default limit of a query.
TIME_LIMIT_S = 300.0


def run_sql(
    workspace: Workspace,
    query: str,
    *,
    personal: bool = False,
    timezone: str = "",
    time_limit_s: float = TIME_LIMIT_S,
    log: JourneyLog | None = None,
    threads: int | None = None,
) -> pa.Table:
    """Answer one SELECT.

    Parameters
    ----------
    workspace : Workspace
    query : str
    personal : bool
        Show raw identifiers, traits and what sources sent; reads the lake too, if the answer may hold identifiers.
    timezone : str
        Of days and of times without offset; "" is the workspace's.
    time_limit_s : float
        A query that takes longer is stopped.
    log : JourneyLog, optional
        A log that the caller has opened; by default the workspace's, built first where it is stale.
    threads : int, optional
        Default: the cores this process may use.

    Raises
    ------
    SqlRefused, SpecError, OperationError
        See :func:`percorso.engines.sql.run_select`.
    """
    log = fresh_log(workspace) if log is None else log
    views = log_views(log, identifiers=_identifiers(workspace, log, query) if personal else None)
    timezone = timezone or workspace.settings.workspace.timezone
    try:
        return run_select(
            query, views, timezone=timezone, limits=SqlLimits(workspace.memory_bytes, time_limit_s, threads)
        )
    except SpecError as error:
        names = [name for columns in PERSONAL_COLUMNS.values() for name in columns]
        if personal or not any(f'"{name}"' in error.message for name in names):
            raise
        raise SpecError(error.message, hint="Personal data are shown with --personal (personal=True) only.") from error


def _identifiers(workspace: Workspace, log: JourneyLog, query: str) -> Identifiers:
    """Identifiers of persons, read when first asked for; not at all where the query cannot show them."""
    text = query.lower()
    if "*" not in text and "columns" not in text and not any(name in text for name in IDENTIFIERS):
        return lambda bucket: {name: pa.nulls(bucket.n_persons, pa.list_(pa.string())) for name in IDENTIFIERS}

    @functools.cache
    def found() -> Mapping[str, pa.Table]:
        return _read_identifiers(Lake(workspace.lake).live_files(), log)

    def of_bucket(bucket: Bucket) -> Mapping[str, pa.Array]:
        first = _first_persons(log)[bucket.index]
        return {name: _lists(found()[name], first, bucket.n_persons) for name in IDENTIFIERS}

    return of_bucket


def _read_identifiers(files: Sequence[LakeFile], log: JourneyLog) -> dict[str, pa.Table]:
    """For each kind of identifier the distinct pairs of person and value, sorted; persons counted over all buckets."""
    first = _first_persons(log)
    events = pa.concat_tables([_keys(bucket, first[bucket.index]) for bucket in log.buckets])
    rows = pa.concat_tables([_lake_rows(file) for file in files])
    joined = rows.join(events, "key", join_type="inner")
    pairs = {}
    for name in IDENTIFIERS:
        valid = joined.select(["person", name]).filter(pc.is_valid(joined.column(name)))
        pairs[name] = (
            valid.group_by(["person", name]).aggregate([]).sort_by([("person", "ascending"), (name, "ascending")])
        )
    return pairs


def _first_persons(log: JourneyLog) -> dict[int, int]:
    """Number of each bucket's first person, by the bucket's index."""
    every = (*log.buckets, log.unidentified)
    before = np.cumsum([0, *(bucket.n_persons for bucket in every)])
    return {bucket.index: int(n) for bucket, n in zip(every, before[:-1], strict=True)}


def _keys(bucket: Bucket, first: int) -> pa.Table:
    """What joins the events of a bucket to the lake, and their persons."""
    person = np.repeat(np.arange(bucket.n_persons, dtype=np.int64), np.diff(bucket.offsets()))
    return pa.table({"key": bucket.events.arrow("key"), "person": person + first})


def _lake_rows(file: LakeFile) -> pa.Table:
    with open_parquet(file.path, in_memory=False) as parquet:
        table = parquet.read(columns=["message_id", *IDENTIFIERS])
    table = table.cast(pa.schema([(name, pa.string()) for name in table.column_names]))
    keys = message_keys(file.source, as_strings(table.column("message_id")))
    return table.select(list(IDENTIFIERS)).append_column("key", pa.array(keys[:, 0]))


def _lists(pairs: pa.Table, first: int, n_persons: int) -> pa.Array:
    """A list of values for each of the persons from `first` on; null where there is none."""
    ends = np.searchsorted(pairs.column("person").to_numpy(), first + np.arange(n_persons + 1))
    values = pairs.column(1).combine_chunks().slice(int(ends[0]), int(ends[-1] - ends[0]))
    offsets = (ends - ends[0]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets, mask=np.append(np.diff(offsets) == 0, False)), values)
