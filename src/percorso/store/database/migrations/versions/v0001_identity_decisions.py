"""Decisions by hand: which identifiers belong to one person, and which do not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity_decisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("a_hash", sa.LargeBinary(16), nullable=False),
        sa.Column("a_kind", sa.Text(), nullable=False),
        sa.Column("a_space", sa.Text(), nullable=False),
        sa.Column("a_shown", sa.Text(), nullable=False),
        sa.Column("b_hash", sa.LargeBinary(16), nullable=False),
        sa.Column("b_kind", sa.Text(), nullable=False),
        sa.Column("b_space", sa.Text(), nullable=False),
        sa.Column("b_shown", sa.Text(), nullable=False),
        sa.Column("decided_us", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('link', 'unlink')", name="ck_identity_decisions_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_decisions"),
        sqlite_autoincrement=True,
    )
