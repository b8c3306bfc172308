"""Hashes of what was erased, which imports consult."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "suppressions",
        sa.Column("hash", sa.LargeBinary(16), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("erased_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("what IN ('identifier', 'row')", name="ck_suppressions_what"),
        sa.PrimaryKeyConstraint("hash", "what", name="pk_suppressions"),
    )
