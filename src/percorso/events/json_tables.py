"""Lines of NDJSON as rows of a table, for mappings: nested objects become columns such as ``user.id``."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec
import numpy as np
import pyarrow as pa

from percorso.events.conversion import LineChunk, Reject, TableChunk

__all__ = ["lines_as_table"]

RAW_CHARACTERS = 65_536
_decode = msgspec.json.Decoder().decode


def lines_as_table(chunk: LineChunk) -> tuple[TableChunk, list[Reject]]:
    """Rows of the lines that hold a JSON object, as columns of text, and rejects of the others."""
    rows: list[Mapping[str, str | None]] = []
    kept: list[int] = []
    rejected: list[Reject] = []
    for i, text in enumerate(chunk.texts):
        try:
            value = _decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            value = None
        if isinstance(value, dict):
            rows.append(_flat(value))
            kept.append(i)
        else:
            rejected.append(Reject(int(chunk.lines[i]), "json_invalid", "The line is no JSON object.", _raw(chunk, i)))
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})
    lines = chunk.lines[np.array(kept, np.int64)]
    return TableChunk(table, lines, lambda i: _raw(chunk, kept[i])), rejected


def _raw(chunk: LineChunk, i: int) -> str:
    return chunk.texts[i].decode("utf-8", "replace")[:RAW_CHARACTERS]


def _flat(value: Mapping[str, object], prefix: str = "") -> dict[str, str | None]:
    row: dict[str, str | None] = {}
    for key, member in value.items():
        if isinstance(member, dict):
            row |= _flat(member, f"{prefix}{key}.")
        else:
            row[f"{prefix}{key}"] = _text(member)
    return row


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
