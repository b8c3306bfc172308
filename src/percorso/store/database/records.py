"""Rows of the application database as the rest of Percorso sees them. No raw identifier is among them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "DECISION_COLUMNS",
    "SEGMENT_COLUMNS",
    "SEGMENT_RULE_COLUMNS",
    "Decision",
    "DecisionKind",
    "MaskedIdentifier",
    "Segment",
    "SegmentKind",
    "SegmentRule",
    "SuppressedWhat",
    "decision_of",
    "segment_of",
]

DecisionKind = Literal["link", "unlink"]

#: A persona is a segment with traits.
SegmentKind = Literal["segment", "persona"]

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


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """A rule that a segment has had.

    Parameters
    ----------
    version : int
        From 1.
    rule : str
        As docs/reference/segment.md defines it.
    rule_format : int
        Of its grammar.
    author : str
    defined_us : int
        µs UTC.
    """

    version: int
    rule: str
    rule_format: int
    author: str
    defined_us: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A set of persons given by a rule, or a persona.

    Parameters
    ----------
    name : str
    kind : "segment" or "persona"
    title, description : str
        For people; may be "".
    traits : tuple of (str, str)
        What the team says of the persona.
    colour : str
        ``#rrggbb``, or "".
    author : str
        Who made it.
    created_us, changed_us : int
        µs UTC.
    rules : tuple of SegmentRule
        All it has had, the one that holds last.
    """

    name: str
    kind: SegmentKind
    title: str
    description: str
    traits: tuple[tuple[str, str], ...]
    colour: str
    author: str
    created_us: int
    changed_us: int
    rules: tuple[SegmentRule, ...]

    @property
    def rule(self) -> str:
        """The rule that holds."""
        return self.rules[-1].rule


#: Columns of the table `segments` in the order that :func:`segment_of` takes.
SEGMENT_COLUMNS = (
    "id",
    "name",
    "kind",
    "title",
    "description",
    "traits",
    "colour",
    "author",
    "created_us",
    "changed_us",
)

#: Columns of the table `segment_rules`: the segment's id, then the fields of `SegmentRule`.
SEGMENT_RULE_COLUMNS = ("segment", "version", "rule", "rule_format", "author", "defined_us")


def segment_of(row: Sequence[Any], rules: Sequence[SegmentRule]) -> Segment:
    """The segment that a row of `SEGMENT_COLUMNS` and its rules hold."""
    _, name, kind, title, description, traits, colour, author, created_us, changed_us = row
    told = tuple(json.loads(traits).items())
    return Segment(name, kind, title, description, told, colour, author, created_us, changed_us, tuple(rules))
