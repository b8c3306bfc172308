"""What all tables of the application database share."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, LargeBinary, MetaData

__all__ = ["HASH", "ROW_ID", "TIME_US", "metadata"]

#: Every constraint has a name, so that a later migration can drop it on any database.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: A keyed hash of 16 bytes.
HASH = LargeBinary(16)

#: µs UTC, as everywhere in Percorso; no two databases agree on what a time with a zone is.
TIME_US = BigInteger()

#: SQLite numbers rows by itself in an INTEGER key and in no other.
ROW_ID = BigInteger().with_variant(Integer(), "sqlite")
