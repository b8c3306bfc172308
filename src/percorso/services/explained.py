"""What `percorso identity explain` answers, as frozen values and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from percorso.analyses.result import time_text
from percorso.identity.decisions import Decision
from percorso.identity.resolution import SHARED_BETTER, SHARED_LARGE, SHARED_REFUSED, SHARED_WORSE
from percorso.services.decide import decision_json
from percorso.services.identity_state import ShownIdentifier

__all__ = [
    "SHARING_REASONS",
    "Connection",
    "EventExplanation",
    "Explanation",
    "JoinedBy",
    "PersonIdentifier",
    "PersonSeen",
    "PlacedBy",
    "Refusal",
    "RefusalEffect",
    "Sharing",
    "SharingReason",
    "ShownEvent",
    "Standing",
]

#: Whose an identifier is: this person's; nobody's alone; another person's; a browser or device.
Standing = Literal["own", "shared", "another", "device"]

#: What made an edge: events, a decision by hand, an alias message from a trusted source.
JoinedBy = Literal["events", "link", "alias"]

#: What a refused edge does: nothing; it made its charged end shared; a decision keeps its ends apart.
RefusalEffect = Literal["none", "shared", "apart"]

SharingReason = Literal["too_many_better", "too_many_worse", "contradictions", "too_large"]

#: What the resolution's codes of shared identifiers mean.
SHARING_REASONS: Mapping[int, SharingReason] = {
    SHARED_BETTER: "too_many_better",
    SHARED_WORSE: "too_many_worse",
    SHARED_REFUSED: "contradictions",
    SHARED_LARGE: "too_large",
}


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """An event to point at.

    Parameters
    ----------
    message_id, source, name : str
        The name as the source wrote it; "" if it has none.
    time_us : int
        µs UTC.
    person : str, optional
        Whose it is.
    """

    message_id: str
    source: str
    name: str
    time_us: int
    person: str | None

    def as_json(self) -> dict[str, Any]:
        return {
            "message_id": self.message_id,
            "source": self.source,
            "name": self.name,
            "time": time_text(self.time_us),
            "person": self.person,
        }


@dataclass(frozen=True, slots=True)
class Connection:
    """An edge that joins two identifiers of a person.

    Parameters
    ----------
    a, b : ShownIdentifier
    by : JoinedBy
    events : int
        That carry both.
    trusted : bool
        At least one of them comes from neither a site nor an app.
    first_us : int, optional
        Of the earliest of them.
    example : ShownEvent, optional
        The one with the smallest message id; of an alias, the alias message.
    decision : Decision, optional
    """

    a: ShownIdentifier
    b: ShownIdentifier
    by: JoinedBy
    events: int
    trusted: bool
    first_us: int | None
    example: ShownEvent | None
    decision: Decision | None

    def as_json(self) -> dict[str, Any]:
        return {
            "a": self.a.as_json(),
            "b": self.b.as_json(),
            "by": self.by,
            "events": self.events,
            "trusted": self.trusted,
            "first_seen": None if self.first_us is None else time_text(self.first_us),
            "example": None if self.example is None else self.example.as_json(),
            "decision": None if self.decision is None else decision_json(self.decision),
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """An edge that joined nothing.

    Parameters
    ----------
    a, b : ShownIdentifier
    events : int
        That carry both.
    effect : RefusalEffect
    charged : ShownIdentifier, optional
        The end that is blamed; none of an unlink, nor of two of one type that a site alone says are one.
    limit_type : str, optional
        The type of which one person would have had too many; None also where it cannot be told any more.
    limit : int, optional
    decision : Decision, optional
        The unlink.
    """

    a: ShownIdentifier
    b: ShownIdentifier
    events: int
    effect: RefusalEffect
    charged: ShownIdentifier | None
    limit_type: str | None
    limit: int | None
    decision: Decision | None

    def as_json(self) -> dict[str, Any]:
        return {
            "a": self.a.as_json(),
            "b": self.b.as_json(),
            "events": self.events,
            "effect": self.effect,
            "charged": None if self.charged is None else self.charged.as_json(),
            "limit_type": self.limit_type,
            "limit": self.limit,
            "decision": None if self.decision is None else decision_json(self.decision),
        }


@dataclass(frozen=True, slots=True)
class Sharing:
    """Why an identifier is nobody's name.

    Parameters
    ----------
    reason : SharingReason
    type : str, optional
        Of too many partners: their type.
    space : str, optional
        And their id space.
    partners, most : int
        How many different ones were seen, and how many may be. Of a group that is too large: all identifiers beside
        it, and the largest group.
    contradicting, events : int
        Of contradictions: events on which it was refused, of those beside identifiers of the same or a better type.
    """

    reason: SharingReason
    type: str | None = None
    space: str | None = None
    partners: int = 0
    most: int = 0
    contradicting: int = 0
    events: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "reason": self.reason,
            "type": self.type,
            "space": self.space,
            "partners": self.partners,
            "most": self.most,
            "contradicting": self.contradicting,
            "events": self.events,
        }


@dataclass(frozen=True, slots=True)
class PersonSeen:
    """A person on whose events an identifier stands."""

    person: str
    identified: bool
    events: int
    logins: int

    def as_json(self) -> dict[str, Any]:
        kind = "identified" if self.identified else "anonymous"
        return {"person": self.person, "kind": kind, "events": self.events, "logins": self.logins}


@dataclass(frozen=True, slots=True)
class PersonIdentifier:
    """An identifier on a person's events."""

    identifier: ShownIdentifier
    standing: Standing
    events: int

    def as_json(self) -> dict[str, Any]:
        return {**self.identifier.as_json(), "standing": self.standing, "events": self.events}


@dataclass(frozen=True, slots=True)
class EventExplanation:
    """Why an event is whose it is.

    Parameters
    ----------
    event : ShownEvent
    rule : str
        One of percorso.identity.placement.PLACING_RULES.
    identifiers : tuple of ShownIdentifier
        On the event.
    decided_by : ShownIdentifier, optional
        The strong identifier that names the person, or the device or shared identifier whose logins were asked.
    login, sign_out, next_login : ShownEvent, optional
        The last login before the event, the sign-out after that, and the next login after the event.
    reference, reference_value : str, optional
        Type of the number that tells whose it is, and the number.
    owner : ShownEvent, optional
        The event that owns the number.
    """

    event: ShownEvent
    rule: str
    identifiers: tuple[ShownIdentifier, ...]
    decided_by: ShownIdentifier | None
    login: ShownEvent | None
    sign_out: ShownEvent | None
    next_login: ShownEvent | None
    reference: str | None
    reference_value: str | None
    owner: ShownEvent | None

    def as_json(self) -> dict[str, Any]:
        events = {name: getattr(self, name) for name in ("login", "sign_out", "next_login", "owner")}
        return {
            "event": self.event.as_json(),
            "rule": self.rule,
            "identifiers": [one.as_json() for one in self.identifiers],
            "decided_by": None if self.decided_by is None else self.decided_by.as_json(),
            **{name: None if event is None else event.as_json() for name, event in events.items()},
            "reference": None if self.reference is None else {"type": self.reference, "value": self.reference_value},
        }


@dataclass(frozen=True, slots=True)
class PlacedBy:
    """Events that one rule placed, and the first of them."""

    rule: str
    events: int
    example: EventExplanation

    def as_json(self) -> dict[str, Any]:
        return {"rule": self.rule, "events": self.events, "example": self.example.as_json()}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is known of why an identifier or a person is what it is.

    Parameters
    ----------
    identifier : ShownIdentifier, optional
        What was asked for; None: a person.
    standing : Standing
        "own": it is one person's, and so is a person's id.
    person : str, optional
        Id, 32 hex digits; None for what is nobody's alone.
    identified : bool
        The person is known by a strong identifier.
    events : int
        Of the person; else those that carry the identifier.
    first_us, last_us : int, optional
    canonical : ShownIdentifier, optional
        The identifier that the person's id is made of.
    chain : tuple of Connection
        From the identifier to the canonical one.
    connections : tuple of Connection
        All that joins the person's identifiers, in the order in which it was made.
    identifiers : tuple of PersonIdentifier
    sharing : Sharing, optional
    persons : tuple of PersonSeen
        On whose events it stands, most events first; of what is nobody's alone.
    persons_total : int
    refused : tuple of Refusal
        In its component; those of its own come first.
    placed_by : tuple of PlacedBy
        Most events first.
    data_version : str
    """

    identifier: ShownIdentifier | None
    standing: Standing
    person: str | None
    identified: bool
    events: int
    first_us: int | None
    last_us: int | None
    canonical: ShownIdentifier | None
    chain: tuple[Connection, ...]
    connections: tuple[Connection, ...]
    identifiers: tuple[PersonIdentifier, ...]
    sharing: Sharing | None
    persons: tuple[PersonSeen, ...]
    persons_total: int
    refused: tuple[Refusal, ...]
    placed_by: tuple[PlacedBy, ...]
    data_version: str

    def as_json(self) -> dict[str, Any]:
        lists = ("chain", "connections", "identifiers", "persons", "refused", "placed_by")
        return {
            "identifier": None if self.identifier is None else self.identifier.as_json(),
            "standing": self.standing,
            "person": self.person,
            "kind": None if self.person is None else "identified" if self.identified else "anonymous",
            "events": self.events,
            "first_seen": None if self.first_us is None else time_text(self.first_us),
            "last_seen": None if self.last_us is None else time_text(self.last_us),
            "canonical": None if self.canonical is None else self.canonical.as_json(),
            "sharing": None if self.sharing is None else self.sharing.as_json(),
            **{name: [one.as_json() for one in getattr(self, name)] for name in lists},
            "persons_total": self.persons_total,
            "data_version": self.data_version,
        }
