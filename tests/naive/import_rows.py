"""What an import derives from the whole file, in plain Python: the twin of percorso.services.import_rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.naive.hashing import row_key


@dataclass
class Row:
    """A converted event: its raw row's cells, its own id and place if it has any, time and identifiers."""

    raw: tuple[tuple[str, str | None], ...]
    nth: int  # of the events of its raw row
    own_id: str | None
    own_sequence: int | None
    at: tuple[object, ...]
    content: object  # everything else


def finished(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """Message id and sequence of each event that stays."""
    copies: dict[object, int] = {}
    seen: set[object] = set()
    places: dict[object, int] = {}
    found = []
    k = 0
    for row in rows:
        if row.own_id is not None:
            content = (row.own_id, row.own_sequence, row.at, row.content)
            if content in seen:
                continue
            seen.add(content)
            message_id = row.own_id
        else:
            if row.nth == 0:
                k = copies.get(row.raw, 0)
                copies[row.raw] = k + 1
            message_id = _hashed(row.raw, k) + (f".{row.nth}" if row.nth else "")
        sequence = row.own_sequence
        if sequence is None:
            sequence = places.get(row.at, 0)
            places[row.at] = sequence + 1
        found.append((message_id, sequence))
    return found


def _hashed(raw: tuple[tuple[str, str | None], ...], k: int) -> str:
    cells = [(name, None if text is None else text.encode()) for name, text in sorted(raw)]
    h1, h2 = row_key([*cells, ("copy", k.to_bytes(8, "little"))])
    return f"{h1:016x}{h2:016x}"
