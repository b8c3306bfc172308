"""Table `suppressions`: hashes of what was erased, so that an import does not bring it back."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import CheckConstraint, Column, Connection, String, Table, insert, select, update

from percorso.store.database.records import SuppressedWhat
from percorso.store.database.schema import HASH, TIME_US, metadata

__all__ = ["add_suppressions", "all_suppressions", "suppressions"]

suppressions = Table(
    "suppressions",
    metadata,
    Column("hash", HASH, primary_key=True),
    Column("what", String(16), CheckConstraint("what IN ('identifier', 'row')", name="what"), primary_key=True),
    Column("erased_us", TIME_US, nullable=False),
)


def add_suppressions(connection: Connection, what: SuppressedWhat, hashes: Iterable[bytes], *, erased_us: int) -> int:
    """Add hashes; those that are there already have been erased again. Returns how many are new.

    Parameters
    ----------
    connection : Connection
        Of ``Database.writing()``.
    what : "identifier" or "row"
    hashes : iterable of bytes, 16 each
        Keyed hashes alone: the database holds no raw value.
    erased_us : int
        µs UTC.
    """
    wanted, known = set(hashes), all_suppressions(connection, what)
    for one in sorted(wanted & known):
        same = (suppressions.c.hash == one) & (suppressions.c.what == what) & (suppressions.c.erased_us < erased_us)
        connection.execute(update(suppressions).where(same).values(erased_us=erased_us))
    new = sorted(wanted - known)
    if new:
        rows = [{"hash": one, "what": what, "erased_us": erased_us} for one in new]
        connection.execute(insert(suppressions), rows)
    return len(new)


def all_suppressions(connection: Connection, what: SuppressedWhat) -> frozenset[bytes]:
    """Every suppressed hash of this kind."""
    return frozenset(connection.execute(select(suppressions.c.hash).where(suppressions.c.what == what)).scalars())
