"""Rows of the application database as the rest of Percorso sees them. No raw identifier is among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["DECISION_COLUMNS", "Decision", "DecisionKind", "MaskedIdentifier", "SuppressedWhat", "decision_of"]

DecisionKind = Literal["link", "unlink"]

#: What a suppressed hash was made of: an identifier's text, or a row of the lake.
SuppressedWhat = Literal["identifier", "row"]


@dataclass(frozen=True, slots=True)
class MaskedIdentifier:
    """An identifier that can be recognised and compared, and not be read.

    Parameters
    ----------
    hash : bytes, length 16
        Its alias hash: keyed, so that without the workspace's key nothing can be tried against it.
    kind, space : str
        Type and id space; the space of an e-mail or a phone is "".
    shown : str
        The value as :func:`percorso.identity.masking.mask` shows it.
    """

    hash: bytes
    kind: str
    space: str
    shown: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Somebody said that two identifiers are one person, or are not.

    Parameters
    ----------
    id : int
        Grows with each decision; their order.
    kind : "link" or "unlink"
    a, b : MaskedIdentifier
        In the order in which they were typed; the pair has none.
    decided_us : int
        µs UTC, for showing alone.
    author, reason : str
    """

    id: int
    kind: DecisionKind
    a: MaskedIdentifier
    b: MaskedIdentifier
    decided_us: int
    author: str
    reason: str


#: Columns of the table `identity_decisions` in the order that :func:`decision_of` takes.
DECISION_COLUMNS = (
    "id",
    "kind",
    "a_hash",
    "a_kind",
    "a_space",
    "a_shown",
    "b_hash",
    "b_kind",
    "b_space",
    "b_shown",
    "decided_us",
    "author",
    "reason",
)


def decision_of(row: Sequence[Any]) -> Decision:
    """The decision that a row of `DECISION_COLUMNS` holds."""
    number, kind, *parties, decided_us, author, reason = row
    return Decision(
        number, kind, MaskedIdentifier(*parties[:4]), MaskedIdentifier(*parties[4:]), decided_us, author, reason
    )
