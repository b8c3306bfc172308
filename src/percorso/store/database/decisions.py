"""Table `identity_decisions`: which identifiers somebody said belong to one person, or do not.

Rows are added and never changed, but where author or reason name somebody who is erased: what holds for a pair is
folded from all of them (:mod:`percorso.identity.decisions`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import CheckConstraint, Column, Connection, String, Table, Text, delete, insert, or_, select, update

from percorso.store.database.records import DECISION_COLUMNS, Decision, decision_of
from percorso.store.database.schema import HASH, ROW_ID, TIME_US, metadata

__all__ = ["add_decision", "all_decisions", "forget_decisions", "identity_decisions", "reword_decision"]

identity_decisions = Table(
    "identity_decisions",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("kind", String(8), CheckConstraint("kind IN ('link', 'unlink')", name="kind"), nullable=False),
    Column("a_hash", HASH, nullable=False),
    Column("a_kind", Text, nullable=False),
    Column("a_space", Text, nullable=False),
    Column("a_shown", Text, nullable=False),
    Column("b_hash", HASH, nullable=False),
    Column("b_kind", Text, nullable=False),
    Column("b_space", Text, nullable=False),
    Column("b_shown", Text, nullable=False),
    Column("decided_us", TIME_US, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_autoincrement=True,  # the order of decisions is that of their ids: none is given twice
)

_MANY = 500  # values of one condition; SQLite before 3.32 takes no more than 999


def add_decision(connection: Connection, decision: Decision) -> Decision:
    """Write a decision and return it with its number; the `id` it has is of no account."""
    a, b = decision.a, decision.b
    values = {
        "kind": decision.kind,
        **{f"a_{name}": getattr(a, name) for name in ("hash", "kind", "space", "shown")},
        **{f"b_{name}": getattr(b, name) for name in ("hash", "kind", "space", "shown")},
        "decided_us": decision.decided_us,
        "author": decision.author,
        "reason": decision.reason,
    }
    number = connection.execute(insert(identity_decisions).values(values)).inserted_primary_key
    assert number is not None
    return replace(decision, id=int(number[0]))


def all_decisions(connection: Connection) -> list[Decision]:
    """All decisions in the order in which they were made."""
    columns = [identity_decisions.c[name] for name in DECISION_COLUMNS]
    return [decision_of(row) for row in connection.execute(select(*columns).order_by(identity_decisions.c.id))]


def forget_decisions(connection: Connection, hashes: Collection[bytes]) -> int:
    """Remove every decision about one of the identifiers, by their alias hashes; returns how many went."""
    wanted = sorted(hashes)
    gone = 0
    for start in range(0, len(wanted), _MANY):
        some = wanted[start : start + _MANY]
        table = identity_decisions.c
        found = connection.execute(
            delete(identity_decisions).where(or_(table.a_hash.in_(some), table.b_hash.in_(some)))
        )
        gone += found.rowcount
    return gone


def reword_decision(connection: Connection, number: int, *, author: str, reason: str) -> None:
    """Write another author and reason into a decision, where it is there still."""
    table = identity_decisions
    connection.execute(update(table).where(table.c.id == number).values(author=author, reason=reason))
