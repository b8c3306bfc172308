"""Tables `segments` and `segment_rules`: sets of persons by name, and every rule that each has had.

A segment's newest rule is the one that holds; older ones stay with their times until the segment is removed.
"""

from __future__ import annotations

import json

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)

from percorso.store.database.records import SEGMENT_COLUMNS, SEGMENT_RULE_COLUMNS, Segment, SegmentRule, segment_of
from percorso.store.database.schema import ROW_ID, TIME_US, metadata

__all__ = ["all_segments", "forget_segment", "save_segment", "segment_rules", "segments"]

segments = Table(
    "segments",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("kind", String(8), CheckConstraint("kind IN ('segment', 'persona')", name="kind"), nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("traits", Text, nullable=False),
    Column("colour", String(7), nullable=False),
    Column("author", Text, nullable=False),
    Column("created_us", TIME_US, nullable=False),
    Column("changed_us", TIME_US, nullable=False),
    UniqueConstraint("name_key"),
    sqlite_autoincrement=True,
)

segment_rules = Table(
    "segment_rules",
    metadata,
    Column("segment", ROW_ID, ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("rule", Text, nullable=False),
    Column("rule_format", Integer, nullable=False),
    Column("author", Text, nullable=False),
    Column("defined_us", TIME_US, nullable=False),
)


def save_segment(connection: Connection, segment: Segment) -> None:
    """Write a segment under its name: a new one, or what has changed of the one that is there.

    Parameters
    ----------
    connection : Connection
        Of ``Database.writing()``.
    segment : Segment
        Its rules are those that stand and at most one more, the last.
    """
    table = segments
    values = {
        "name": segment.name,
        "name_key": segment.name.casefold(),
        "kind": segment.kind,
        "title": segment.title,
        "description": segment.description,
        "traits": json.dumps(dict(segment.traits), ensure_ascii=False),
        "colour": segment.colour,
        "author": segment.author,
        "created_us": segment.created_us,
        "changed_us": segment.changed_us,
    }
    found = connection.execute(select(table.c.id).where(table.c.name_key == values["name_key"])).scalar()
    if found is None:
        key = connection.execute(insert(table).values(values)).inserted_primary_key
        assert key is not None
        number = int(key[0])
    else:
        number = int(found)
        connection.execute(update(table).where(table.c.id == number).values(values))
    known = connection.execute(select(segment_rules.c.version).where(segment_rules.c.segment == number)).scalars()
    there = set(known)
    for rule in segment.rules:
        if rule.version not in there:
            columns = {name: getattr(rule, name) for name in ("version", "rule", "rule_format", "author", "defined_us")}
            connection.execute(insert(segment_rules).values(segment=number, **columns))


def all_segments(connection: Connection) -> list[Segment]:
    """All segments by name."""
    rules: dict[int, list[SegmentRule]] = {}
    columns = [segment_rules.c[name] for name in SEGMENT_RULE_COLUMNS]
    for number, *rest in connection.execute(select(*columns).order_by(segment_rules.c.version)):
        rules.setdefault(number, []).append(SegmentRule(*rest))
    found = connection.execute(select(*(segments.c[name] for name in SEGMENT_COLUMNS)).order_by(segments.c.name_key))
    return [segment_of(row, rules.get(row[0], ())) for row in found]


def forget_segment(connection: Connection, name: str) -> bool:
    """Remove a segment and all its rules; False where there is none of this name."""
    table = segments
    wanted = select(table.c.id).where(table.c.name_key == name.casefold())
    connection.execute(delete(segment_rules).where(segment_rules.c.segment.in_(wanted)))
    return connection.execute(delete(table).where(table.c.name_key == name.casefold())).rowcount > 0
