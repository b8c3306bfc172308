"""How identity went over the whole workspace: persons, what is shared and why, what was dropped, refused, decided."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from percorso.events.event import WEAK_COLUMNS
from percorso.identity.decisions import Decision, standing_decisions
from percorso.identity.evidence import broken_limits
from percorso.identity.overview import (
    DeviceCounts,
    PersonCounts,
    count_devices,
    count_events,
    count_persons,
    events_of_identifiers,
    partners_of,
)
from percorso.identity.placement import PLACING_RULES
from percorso.identity.resolution import (
    REFUSED_LIMIT,
    SHARED_BETTER,
    SHARED_REFUSED,
    SHARED_WORSE,
)
from percorso.identity.reuse import find_reused
from percorso.kernels.arrays import I64
from percorso.services.dropped_values import dropped_values
from percorso.services.explained import SHARING_REASONS
from percorso.services.identity_reported import (
    SIZES,
    DecisionEffect,
    DeviceType,
    Hub,
    IdentityReport,
    LargePerson,
    LimitFired,
    PersonSize,
    RefusedPair,
    ReusedIdentifier,
    SourceRules,
    StandingDecision,
    StrongType,
    SuspectedDevice,
)
from percorso.services.identity_state import KnownIdentity, answer_of
from percorso.services.workspace import Workspace
from percorso.store import database
from percorso.store.journey_log import JourneyLog

__all__ = ["report_identity"]

_LARGEST = 10
_MOST_HUBS = 50
_MOST_REUSED = 100
_MOST_DEVICES = 50
_MOST_EXAMPLES = 3


def report_identity(workspace: Workspace, *, personal: bool = False, log: JourneyLog | None = None) -> IdentityReport:
    """How identity went over the whole workspace.

    Parameters
    ----------
    workspace : Workspace
    personal : bool
        Show identifiers as they are.
    log : JourneyLog, optional
        Default: the workspace's, built first where it is stale.
    """
    return answer_of(workspace, _report, personal=personal, log=log)


def _report(known: KnownIdentity) -> IdentityReport:
    workspace, state, graph = known.workspace, known.state, known.graph
    by_rule, persons = count_events(state).by_rule, count_persons(state, graph)
    events = events_of_identifiers(graph)
    devices = count_devices(state, workspace.settings.identity.shared_sources)
    reused = find_reused(state, graph, known.kinds)
    hubs = np.flatnonzero(((graph.shared == SHARED_BETTER) | (graph.shared == SHARED_WORSE)) & (graph.live == 1))
    decisions = standing_decisions(database.read_decisions(workspace.database))
    return IdentityReport(
        identified=len(persons.group),
        identified_events=int(persons.events.sum()),
        anonymous=persons.anonymous,
        anonymous_events=persons.anonymous_events,
        unidentified_events=int(by_rule[:, PLACING_RULES.index("unidentified")].sum()),
        sizes=_sizes(persons),
        largest=_largest(known, persons),
        types=_types(known),
        hubs=_hubs(known, hubs, events),
        hubs_total=len(hubs),
        dropped=dropped_values(known),
        limits=_limits(known),
        kept_apart=int((graph.refused.why != REFUSED_LIMIT).sum()),
        decisions=tuple(StandingDecision(one, effect) for one, effect in _decided(known, decisions)),
        reused=tuple(
            ReusedIdentifier(
                known.shown(one.code), one.last_us, one.next_us, known.shown(one.before), known.shown(one.after)
            )
            for one in reused[:_MOST_REUSED]
        ),
        reused_total=len(reused),
        placed_by=dict(zip(PLACING_RULES, by_rule.sum(axis=0).tolist(), strict=True)),
        sources=_sources(known, by_rule),
        devices=_devices(devices),
        suspected=_suspected(known, devices),
        data_version=known.log.data_version,
    )


def _sizes(persons: PersonCounts) -> tuple[PersonSize, ...]:
    sizes = []
    for name, least, most in SIZES:
        inside = persons.identifiers >= least
        if most is not None:
            inside &= persons.identifiers <= most
        sizes.append(PersonSize(name, int(inside.sum()), int(persons.events[inside].sum())))
    return tuple(sizes)


def _largest(known: KnownIdentity, persons: PersonCounts) -> tuple[LargePerson, ...]:
    """Those with most identifiers; of equally many, with most events."""
    n = len(persons.group)
    likely = np.arange(n)
    if n > _LARGEST:
        least = np.partition(persons.identifiers, n - _LARGEST)[n - _LARGEST]
        likely = np.flatnonzero(persons.identifiers >= least)
    best = likely[np.lexsort((-persons.events[likely], -persons.identifiers[likely]))][: 10 * _LARGEST]
    told = [
        LargePerson(person, known.shown(code), identifiers, events)
        for person, code, identifiers, events in zip(
            known.persons(4 * persons.group[best]),
            persons.group[best].tolist(),
            persons.identifiers[best].tolist(),
            persons.events[best].tolist(),
            strict=True,
        )
    ]
    return tuple(sorted(told, key=lambda one: (-one.identifiers, -one.events, one.person))[:_LARGEST])


def _types(known: KnownIdentity) -> tuple[StrongType, ...]:
    graph, limits = known.graph, known.limits()
    n_reasons = max(SHARING_REASONS) + 1
    live = np.flatnonzero(graph.live == 1)
    cells = graph.ids.rank[live].astype(np.int64) * n_reasons + graph.shared[live]
    table = np.bincount(cells, minlength=len(known.kinds) * n_reasons).reshape(-1, n_reasons)
    return tuple(
        StrongType(
            kind,
            int(limits[rank]),
            int(table[rank].sum()),
            int(table[rank, 0]),
            {reason: int(table[rank, why]) for why, reason in SHARING_REASONS.items()},
        )
        for rank, kind in enumerate(known.kinds)
    )


def _hubs(known: KnownIdentity, hubs: I64, events: I64) -> tuple[Hub, ...]:
    """Identifiers beside too many others, those on most events first."""
    graph, identity, limits = known.graph, known.workspace.settings.identity, known.limits()
    most = hubs[np.argsort(-events[hubs], kind="stable")][:_MOST_HUBS].tolist()
    told = []
    for code, partners in zip(most, partners_of(graph, most), strict=True):
        rank, better = int(graph.ids.rank[code]), graph.shared[code] == SHARED_BETTER
        allowed = {kind: identity.hub_partners if better else 2 * int(limits[kind[0]]) for kind in partners}
        over = [kind for kind in partners if (kind[0] < rank) == better and partners[kind] > allowed[kind]]
        kind = max(over, key=lambda kind: (partners[kind], -kind[0], -kind[1]))
        reason = SHARING_REASONS[int(graph.shared[code])]
        told.append(
            Hub(known.shown(code), int(events[code]), reason, known.kinds[kind[0]], partners[kind], allowed[kind])
        )
    return tuple(told)


def _limits(known: KnownIdentity) -> tuple[LimitFired, ...]:
    """Refused edges by the limit that they would have broken."""
    graph, limits = known.graph, known.limits()
    refused = graph.refused
    places = np.flatnonzero(refused.why == REFUSED_LIMIT)
    ranks = broken_limits(graph, places, limits)
    charged = refused.charged[places]
    shared = (charged >= 0) & (graph.shared[charged] == SHARED_REFUSED)
    told = []
    for rank in sorted(set(ranks.tolist()), key=lambda rank: (rank < 0, rank)):
        mine = places[ranks == rank]
        top = np.sort(refused.count[mine])[::-1][:_MOST_EXAMPLES][-1]
        likely = mine[refused.count[mine] >= top][: 10 * _MOST_EXAMPLES].tolist()
        likely.sort(key=lambda at: (-int(refused.count[at]), graph.text(int(refused.better[at]))))
        told.append(
            LimitFired(
                type=known.kinds[rank] if rank >= 0 else None,
                limit=int(limits[rank]) if rank >= 0 else None,
                refused=len(mine),
                events=int(refused.count[mine].sum()),
                made_shared=int(shared[ranks == rank].sum()),
                examples=tuple(
                    RefusedPair(
                        known.shown(int(refused.better[at])),
                        known.shown(int(refused.worse[at])),
                        int(refused.count[at]),
                    )
                    for at in likely[:_MOST_EXAMPLES]
                ),
            )
        )
    return tuple(told)


def _decided(
    known: KnownIdentity, standing: Mapping[tuple[bytes, bytes], Decision]
) -> list[tuple[Decision, DecisionEffect]]:
    """Decisions that stand, in the order in which they were taken, with what each does."""
    return [(one, _effect(known, one)) for one in sorted(standing.values(), key=lambda one: one.id)]


def _effect(known: KnownIdentity, decision: Decision) -> DecisionEffect:
    graph, codes = known.graph, [known.state.code_of(end.hash) for end in (decision.a, decision.b)]
    if min(codes) < 0 or not all(graph.live[code] for code in codes):
        return "not_seen"
    if any(graph.shared[code] for code in codes):
        return "shared"
    together = graph.group[codes[0]] == graph.group[codes[1]]
    return "applied" if together == (decision.kind == "link") else "refused"


def _sources(known: KnownIdentity, by_rule: I64) -> tuple[SourceRules, ...]:
    told = [
        SourceRules(name, int(counts.sum()), dict(zip(PLACING_RULES, counts.tolist(), strict=True)))
        for name, counts in zip(known.state.rows.sources, by_rule, strict=True)
    ]
    return tuple(sorted((one for one in told if one.events), key=lambda one: one.source))


def _devices(counts: DeviceCounts) -> tuple[DeviceType, ...]:
    return tuple(
        DeviceType(
            kind,
            int((counts.seen & (counts.kind == place)).sum()),
            int((counts.with_login & (counts.kind == place)).sum()),
            int((counts.kind[counts.suspected] == place).sum()),
        )
        for place, kind in enumerate(WEAK_COLUMNS)
    )


def _suspected(known: KnownIdentity, counts: DeviceCounts) -> tuple[SuspectedDevice, ...]:
    parts = (counts.suspected, counts.persons, counts.events, counts.source)
    return tuple(
        SuspectedDevice(known.shown(code, weak=True), persons, events, known.state.rows.sources[source])
        for code, persons, events, source in zip(*(part[:_MOST_DEVICES].tolist() for part in parts), strict=True)
    )
