"""What the rows of others lose when a person is erased, and what people wrote about that person elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from percorso.events.event import IDENTIFIER_COLUMNS, JSON_COLUMNS
from percorso.identity.former import former_identifiers
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier, identifiers_of
from percorso.identity.mentions import Mentions
from percorso.services.erasure_job import DoneRecord, Reworded
from percorso.services.person_elsewhere import NAMING_COLUMNS, TEXT_COLUMNS
from percorso.store.database import Decision
from percorso.store.lake_erase import Cut

__all__ = ["ERASED", "cuts_of", "reworded"]

#: Stands where a reason named somebody.
ERASED = "[erased]"

_NUMBER = re.compile(r"[-+.0-9eE]+")


def cuts_of(
    rows: pa.Table, own: set[Identifier], rules: IdentifierRules, mentions: Mentions
) -> tuple[list[Cut], set[tuple[str, str]]]:
    """What rows of others lose; and the messages of those of them that lose nothing but cells of identifiers.

    Parameters
    ----------
    rows : pyarrow.Table
        `EVENT_SCHEMA`.
    own : set of Identifier
        The person's own identifiers.
    rules : IdentifierRules
    mentions : Mentions
        Of the same identifiers.
    """
    cuts: list[Cut] = []
    kept: set[tuple[str, str]] = set()
    for row in rows.to_pylist():
        whole = _cells(row, own, rules)
        found = [Cut(row["row_key"], name) for name in sorted(whole)]
        for name in TEXT_COLUMNS:
            if name not in whole and row[name] is not None:
                found += _parts(row["row_key"], name, row[name], row["id_space"], mentions)
        found += _item_parts(row, mentions)
        cuts += found
        if len(found) == len(whole):
            kept.add((row["source"], row["message_id"]))
    return cuts, kept


def reworded(decisions: Sequence[Decision], records: Sequence[DoneRecord], mentions: Mentions) -> tuple[Reworded, ...]:
    """Authors and reasons that name the person, as they are to be."""
    texts = [Reworded(one.id, "", one.author, one.reason) for one in decisions]
    texts += [Reworded(0, one.id, one.author, one.reason) for one in records]
    changed = [Reworded(one.decision, one.record, *_unnamed(one, mentions)) for one in texts]
    return tuple(new for old, new in zip(texts, changed, strict=True) if new != old)


def _unnamed(one: Reworded, mentions: Mentions) -> Iterator[str]:
    for text in (one.author, one.reason):
        left = text
        for start, end in reversed(mentions.note_spans(text)):
            left = f"{left[:start]}{ERASED}{left[end:]}"
        yield left


def _cells(row: Mapping[str, Any], own: set[Identifier], rules: IdentifierRules) -> set[str]:
    """Columns that hold one of the identifiers and nothing else."""
    mine = {one.kind for one in identifiers_of(dict(row), rules) if one in own}
    cells = {name for name in IDENTIFIER_COLUMNS if name in mine}
    if mine - cells:
        cells.add("other_ids")  # a JSON object: all of it goes
    if not former_identifiers(row["previous_id"] or "", row["id_space"], rules).isdisjoint(own):
        cells.add("previous_id")
    return cells


def _parts(key: bytes, name: str, text: str, space: str, mentions: Mentions) -> list[Cut]:
    """What a text of another's row loses."""
    spans = mentions.spans(text, of_identifier=name in NAMING_COLUMNS, space=space)
    if spans and name in (*IDENTIFIER_COLUMNS, "previous_id"):
        return [Cut(key, name)]  # part of an identifier is another one
    if name in JSON_COLUMNS:
        return list(dict.fromkeys(Cut(key, name, *_of_json(text, *span)) for span in spans))
    return [Cut(key, name, *span) for span in spans]


def _of_json(text: str, start: int, end: int) -> tuple[int, int, str]:
    """Which part of a JSON text goes, and what is put there: a number as a whole, and null for it."""
    before = re.sub(r"\\.", "", text[:start])
    if before.count('"') % 2:
        return start, end, ""
    first, last = start, end
    while first and _NUMBER.fullmatch(text[first - 1]):
        first -= 1
    while last < len(text) and _NUMBER.fullmatch(text[last]):
        last += 1
    return first, last, "null"


def _item_parts(row: Mapping[str, Any], mentions: Mentions) -> list[Cut]:
    """What the texts of order lines lose."""
    return [
        Cut(row["row_key"], f"items[{at}].{name}", *span)
        for at, line in enumerate(row["items"] or ())
        for name, text in (line or {}).items()
        if isinstance(text, str)
        for span in mentions.spans(text, space=row["id_space"])
    ]
