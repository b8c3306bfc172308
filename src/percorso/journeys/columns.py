"""Columns of a bucket's tables, from codes of the build and from short lists of names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.journeys.bucket import Array, BucketRows
from percorso.journeys.bucket_rules import BucketRules
from percorso.store.log_files import coded_column

__all__ = ["coded", "named", "record_batch", "texts_coded"]


def coded(rows: BucketRows, rules: BucketRules, name: str, at: Array | None = None) -> pa.DictionaryArray:
    """Column `name` of the rows `at` (default: all), coded within the bucket."""
    texts, rank = rules.dictionaries[name]
    codes = rows.numbers[name]
    return coded_column(rank[codes if at is None else codes[at]], texts)


def named(codes: Array, names: tuple[str, ...]) -> pa.DictionaryArray:
    """Codes into a short list of names, as a coded column."""
    ordered = sorted(set(names), key=lambda name: name.encode())
    rank = np.array([ordered.index(name) for name in names], dtype=np.int64)
    return coded_column(rank[codes], pa.array(ordered, pa.string()))


def texts_coded(column: pa.StringArray) -> pa.DictionaryArray:
    """A text column coded within the bucket, null as ""."""
    found = column.fill_null("").dictionary_encode()
    texts = found.dictionary.to_pylist()
    order = sorted(range(len(texts)), key=lambda i: texts[i].encode())
    rank = np.empty(len(texts), dtype=np.int64)
    rank[order] = np.arange(len(texts))
    return coded_column(
        rank[found.indices.to_numpy(zero_copy_only=False)], pa.array([texts[i] for i in order], pa.string())
    )


def record_batch(columns: Mapping[str, Any]) -> pa.RecordBatch:
    """A table of Arrow and numpy columns."""
    return pa.RecordBatch.from_arrays(
        [column if isinstance(column, pa.Array) else pa.array(column) for column in columns.values()],
        names=list(columns),
    )
