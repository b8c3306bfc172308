"""The revisions of the application database, oldest first: one for each file in ``migrations/versions``.

They stand here too because asking Alembic takes longer than the answer is worth; a test compares the two.
"""

from __future__ import annotations

__all__ = ["HEAD", "REVISIONS"]

REVISIONS = ("0001", "0002", "0003")

#: The revision that this Percorso reads and writes.
HEAD = REVISIONS[-1]
