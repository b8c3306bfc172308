"""What people decided by hand about identifiers, as each build applies it. Taking a decision: `services/decide.py`.

Every question asks whether the decisions have changed since the build, so nothing here loads a database library.
"""

from __future__ import annotations

from dataclasses import dataclass

from percorso.identity.decisions import Decision, Folded, fold, standing_decisions
from percorso.services.workspace import Workspace
from percorso.store import database

__all__ = ["ListedDecision", "folded_decisions", "list_decisions"]


@dataclass(frozen=True, slots=True)
class ListedDecision:
    """A decision, and whether it stands: it is neither cancelled nor a repetition."""

    decision: Decision
    stands: bool


def folded_decisions(workspace: Workspace) -> Folded:
    """What holds by hand, as pairs of alias hashes.

    Raises
    ------
    FormatTooNew
        A newer Percorso wrote the database.
    Busy, Corrupt, OperationError
        It cannot be read.
    """
    return fold(database.read_decisions(workspace.database))


def list_decisions(workspace: Workspace) -> tuple[ListedDecision, ...]:
    """All decisions in the order in which they were taken. Raises as :func:`folded_decisions`."""
    decisions = database.read_decisions(workspace.database)
    standing = {decision.id for decision in standing_decisions(decisions).values()}
    return tuple(ListedDecision(decision, decision.id in standing) for decision in decisions)
