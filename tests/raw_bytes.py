"""Look for values in everything a folder holds: bytes of files, and decoded columns of Parquet and Arrow files.

A value is found in any case and in any of these spellings, whichever the code under test knows: %-coded (also twice),
escaped as in JSON, as an entity of HTML, and, if it is all digits, with signs between them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["places_of"]

_CODED = re.compile(rb"%(?:25)?([0-9a-f]{2})|\\u00([0-9a-f]{2})|&#x([0-9a-f]{2});")
_ENTITY = re.compile(rb"&#(\d{2,3});")
_BETWEEN_DIGITS = re.compile(rb"(?<=\d)(?:[\s()./_-]|\xc2\xa0|\xe2\x80[\x90-\x95\xaf]){1,3}(?=\d)")


def places_of(folder: Path, values: Collection[str]) -> list[str]:
    """Where any of the values stands: "file: column", or "file" for its bytes; files in order."""
    needles = {value.lower().encode() for value in values}
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        if _holds(name.encode(), needles) or _holds(path.read_bytes(), needles):
            found.append(name)
        for column, cells in _columns(path):
            if _holds(b"\n\n\n\n".join(_as_bytes(cell) for cell in cells), needles):
                found.append(f"{name}: {column}")
    return found


def _holds(content: bytes, needles: Collection[bytes]) -> bool:
    lowered = content.lower()
    decoded = _ENTITY.sub(_of_number, _CODED.sub(_of_hex, lowered))
    views = (lowered, decoded, _BETWEEN_DIGITS.sub(b"", decoded))
    return any(needle in view for needle in needles for view in views)


def _of_hex(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(next(group for group in found.groups() if group).decode()).lower()


def _of_number(found: re.Match[bytes]) -> bytes:
    return chr(int(found[1])).encode().lower()


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
