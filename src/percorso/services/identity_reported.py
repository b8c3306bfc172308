"""What `percorso identity report` answers, as frozen values and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from percorso.analyses.result import time_text
from percorso.identity.decisions import Decision
from percorso.services.decide import decision_json
from percorso.services.dropped_values import DroppedType
from percorso.services.explained import SharingReason
from percorso.services.identity_state import ShownIdentifier

__all__ = [
    "SIZES",
    "DecisionEffect",
    "DeviceType",
    "Hub",
    "IdentityReport",
    "LargePerson",
    "LimitFired",
    "PersonSize",
    "RefusedPair",
    "ReusedIdentifier",
    "SourceRules",
    "StandingDecision",
    "StrongType",
    "SuspectedDevice",
]

#: Classes of persons by their number of strong identifiers: name, least and greatest.
SIZES = (("1", 1, 1), ("2", 2, 2), ("3", 3, 3), ("4-5", 4, 5), ("6-10", 6, 10), ("over 10", 11, None))

#: What a decision that stands does: it holds; an end of it is on no event; an end is shared; other decisions are
#: in its way.
DecisionEffect = Literal["applied", "not_seen", "shared", "refused"]


@dataclass(frozen=True, slots=True)
class PersonSize:
    """Persons with so many strong identifiers, and their events."""

    identifiers: str
    persons: int
    events: int


@dataclass(frozen=True, slots=True)
class LargePerson:
    """A person with many identifiers."""

    person: str
    canonical: ShownIdentifier
    identifiers: int
    events: int


@dataclass(frozen=True, slots=True)
class StrongType:
    """Identifiers of a type: on events, in persons, and shared by reason."""

    type: str
    limit: int
    seen: int
    in_persons: int
    shared: Mapping[SharingReason, int]


@dataclass(frozen=True, slots=True)
class Hub:
    """An identifier that stands beside too many others."""

    identifier: ShownIdentifier
    events: int
    reason: SharingReason
    type: str
    partners: int
    most: int


@dataclass(frozen=True, slots=True)
class RefusedPair:
    """Two identifiers that were not joined."""

    a: ShownIdentifier
    b: ShownIdentifier
    events: int


@dataclass(frozen=True, slots=True)
class LimitFired:
    """What a limit refused; the type is None where it cannot be told any more which one did."""

    type: str | None
    limit: int | None
    refused: int
    events: int
    made_shared: int
    examples: tuple[RefusedPair, ...]


@dataclass(frozen=True, slots=True)
class StandingDecision:
    """A decision by hand that holds, and what it does."""

    decision: Decision
    effect: DecisionEffect


@dataclass(frozen=True, slots=True)
class ReusedIdentifier:
    """An identifier that seems to have been given to somebody else; see percorso.identity.reuse."""

    identifier: ShownIdentifier
    last_us: int
    next_us: int
    before: ShownIdentifier
    after: ShownIdentifier

    def as_json(self) -> dict[str, Any]:
        return {
            "identifier": self.identifier.as_json(),
            "last_seen": time_text(self.last_us),
            "seen_again": time_text(self.next_us),
            "before": self.before.as_json(),
            "after": self.after.as_json(),
        }


@dataclass(frozen=True, slots=True)
class SourceRules:
    """Events of a source by the rule that placed them."""

    source: str
    events: int
    by_rule: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DeviceType:
    """Browsers or devices: seen, with a login, and with logins of more than three persons."""

    type: str
    seen: int
    with_login: int
    suspected: int


@dataclass(frozen=True, slots=True)
class SuspectedDevice:
    """A browser or device that several persons seem to use, and the source of most of its logins."""

    identifier: ShownIdentifier
    persons: int
    logins: int
    source: str


@dataclass(frozen=True, slots=True)
class IdentityReport:
    """How identity went over the whole workspace.

    Parameters
    ----------
    identified, identified_events : int
        Persons with a strong identifier, and their events.
    anonymous, anonymous_events : int
    unidentified_events : int
        Of nobody.
    sizes : tuple of PersonSize
    largest : tuple of LargePerson
        The ten with most identifiers.
    types : tuple of StrongType
        By falling priority.
    hubs : tuple of Hub
        Those on most events; `hubs_total` in all.
    dropped : tuple of DroppedType
    limits : tuple of LimitFired
    kept_apart : int
        Edges that decisions refused.
    decisions : tuple of StandingDecision
    reused : tuple of ReusedIdentifier
        The first ones; `reused_total` in all.
    placed_by : mapping of str to int
        Rule to events, in the order of PLACING_RULES; rules that placed none included.
    sources : tuple of SourceRules
        By name.
    devices : tuple of DeviceType
    suspected : tuple of SuspectedDevice
        Those with logins of most persons.
    data_version : str
    """

    identified: int
    identified_events: int
    anonymous: int
    anonymous_events: int
    unidentified_events: int
    sizes: tuple[PersonSize, ...]
    largest: tuple[LargePerson, ...]
    types: tuple[StrongType, ...]
    hubs: tuple[Hub, ...]
    hubs_total: int
    dropped: tuple[DroppedType, ...]
    limits: tuple[LimitFired, ...]
    kept_apart: int
    decisions: tuple[StandingDecision, ...]
    reused: tuple[ReusedIdentifier, ...]
    reused_total: int
    placed_by: Mapping[str, int]
    sources: tuple[SourceRules, ...]
    devices: tuple[DeviceType, ...]
    suspected: tuple[SuspectedDevice, ...]
    data_version: str

    @property
    def events(self) -> int:
        return self.identified_events + self.anonymous_events + self.unidentified_events

    def as_json(self) -> dict[str, Any]:
        rules = [
            {"rule": rule, "events": events, "share": events / self.events if self.events else None}
            for rule, events in self.placed_by.items()
        ]
        return {
            "persons": {
                "identified": self.identified,
                "anonymous": self.anonymous,
                "sizes": [asdict(one) for one in self.sizes],
                "largest": [asdict(one) for one in self.largest],
            },
            "events": {
                "total": self.events,
                "identified": self.identified_events,
                "anonymous": self.anonymous_events,
                "unidentified": self.unidentified_events,
            },
            "types": [asdict(one) for one in self.types],
            "hubs": [asdict(one) for one in self.hubs],
            "hubs_total": self.hubs_total,
            "dropped": [asdict(one) for one in self.dropped],
            "limits": [asdict(one) for one in self.limits],
            "kept_apart": self.kept_apart,
            "decisions": [{**decision_json(one.decision), "effect": one.effect} for one in self.decisions],
            "reused": [one.as_json() for one in self.reused],
            "reused_total": self.reused_total,
            "placed_by": rules,
            "sources": [asdict(one) for one in self.sources],
            "devices": [asdict(one) for one in self.devices],
            "suspected": [asdict(one) for one in self.suspected],
            "data_version": self.data_version,
        }
