"""Look for values in everything a folder holds: bytes of files, and decoded columns of Parquet and Arrow files."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["places_of"]


def places_of(folder: Path, values: Collection[str]) -> list[str]:
    """Where any of the values stands, in any case: "file: column", or "file" for its bytes; files in order."""
    needles = {value.lower().encode() for value in values}
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        if _holds(name.encode(), needles) or _holds(path.read_bytes(), needles):
            found.append(name)
        for column, cells in _columns(path):
            if any(_holds(_as_bytes(cell), needles) for cell in cells):
                found.append(f"{name}: {column}")
    return found


def _holds(content: bytes, needles: Collection[bytes]) -> bool:
    lowered = content.lower()
    return any(needle in lowered for needle in needles)


def _as_bytes(cell: Any) -> bytes:
    if isinstance(cell, bytes):
        return cell
    return cell.encode() if isinstance(cell, str) else json.dumps(cell, default=str, ensure_ascii=False).encode()


def _columns(path: Path) -> Iterator[tuple[str, list[Any]]]:
    """Columns of a file, decoded; values of dictionaries that no row has are among them."""
    if path.suffix == ".parquet":
        table = pq.ParquetFile(path).read()
        yield from ((name, table.column(name).to_pylist()) for name in table.column_names)
    elif path.suffix == ".arrow":
        with pa.memory_map(str(path), "r") as source:
            reader = pa.ipc.open_file(source)
            for at in range(reader.num_record_batches):
                batch = reader.get_batch(at)
                for name in batch.schema.names:
                    yield name, batch.column(name).to_pylist()
                    if pa.types.is_dictionary(batch.column(name).type):
                        yield f"{name} (dictionary)", batch.column(name).dictionary.to_pylist()
