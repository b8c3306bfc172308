"""What joins strong identifiers, what was refused, and what made one of them shared: edges, told with evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from percorso.identity.decisions import Decision, Pair, pair_of
from percorso.identity.evidence import Joint, broken_limits, partner_counts, refusal_events
from percorso.identity.resolution import REFUSED_UNLINK, SHARED_BETTER, SHARED_LARGE, SHARED_REFUSED
from percorso.kernels.arrays import I64
from percorso.services.event_explain import EventTeller
from percorso.services.explained import SHARING_REASONS, Connection, Refusal, RefusalEffect, Sharing
from percorso.services.identity_state import KnownIdentity

__all__ = ["EdgeTeller", "chained"]


@dataclass(frozen=True, slots=True)
class EdgeTeller:
    """Tells of edges of the identity state, with the decisions that stand."""

    known: KnownIdentity
    teller: EventTeller
    decisions: Mapping[Pair, Decision]

    def connections(self, joints: Sequence[Joint]) -> list[Connection]:
        """What joins the two ends of each of some edges."""
        state = self.known.state
        wanted = np.zeros(len(state.sets) + 1, dtype=np.bool_)  # no set, -1, is the last
        wanted[[number for joint in joints for number in joint.sets]] = True
        sset = state.rows.column("sset")
        rows = np.flatnonzero(wanted[sset] & (state.arrays["keep"] == 1))
        return [self._connection(joint, rows[np.isin(sset[rows], joint.sets)]) for joint in joints]

    def _connection(self, joint: Joint, rows: I64) -> Connection:
        decision = self._decision(joint.better, joint.worse, "link") if joint.forced else None
        alias = self._alias_rows(joint) if joint.forced and decision is None else rows[:0]
        shown = alias if len(alias) else rows
        return Connection(
            a=self.known.shown(joint.better),
            b=self.known.shown(joint.worse),
            by="alias" if len(alias) else "link" if joint.forced else "events",
            events=joint.count,
            trusted=joint.trusted or len(alias) > 0,
            first_us=joint.first_us if joint.count else None,
            example=self.teller.event(self._smallest(shown)) if len(shown) else None,
            decision=decision,
        )

    def _alias_rows(self, joint: Joint) -> I64:
        """Alias messages of trusted sources that say that two user ids are one."""
        state = self.known.state
        stated = state.pairs[state.arrays["keep"][state.pairs[:, 0]] == 1]
        ends = np.sort(stated[:, 1:], axis=1)
        found: I64 = stated[(ends == sorted((joint.better, joint.worse))).all(axis=1), 0]
        return found

    def _smallest(self, rows: I64) -> int:
        """The row with the smallest message id, then source."""
        files = self.known.state.rows
        sources = [files.sources[code].encode() for code in files.column("source")[rows].tolist()]
        smallest = min(zip(files.message_ids(rows), sources, rows.tolist(), strict=True))
        return int(smallest[2])

    def _decision(self, x: int, y: int, kind: str) -> Decision | None:
        alias = self.known.state.alias
        found = self.decisions.get(pair_of(alias[x].tobytes(), alias[y].tobytes()))
        return found if found is not None and found.kind == kind else None

    def sharing(self, code: int) -> Sharing:
        """Why a shared identifier is nobody's name."""
        graph, identity = self.known.graph, self.known.workspace.settings.identity
        why, partners, rank = int(graph.shared[code]), partner_counts(graph, code), int(graph.ids.rank[code])
        reason = SHARING_REASONS[why]
        if why == SHARED_REFUSED:
            contradicting, events = refusal_events(graph, code)
            return Sharing(reason, contradicting=contradicting, events=events)
        if why == SHARED_LARGE:
            return Sharing(reason, partners=sum(partners.values()), most=identity.largest_group)
        better = why == SHARED_BETTER
        limits = self.known.limits()
        most = {kind: identity.hub_partners if better else 2 * int(limits[kind[0]]) for kind in partners}
        over = [kind for kind in partners if (kind[0] < rank) == better and partners[kind] > most[kind]]
        kind = max(over, key=lambda kind: (partners[kind], -kind[0], -kind[1]))
        space = self.known.state.strong.spaces[kind[1]]
        return Sharing(reason, self.known.kinds[kind[0]], space or None, partners[kind], most[kind])

    def refusals(self, code: int, own: Sequence[int]) -> tuple[Refusal, ...]:
        """Refused edges of a component: those of the given identifiers first, then by number of events."""
        graph = self.known.graph
        refused = graph.refused
        inside = graph.component(code)
        places = np.flatnonzero(inside[refused.better] | inside[refused.worse])
        limits = broken_limits(graph, places, self.known.limits())
        mine = set(own)

        def order(item: tuple[int, int]) -> tuple[bool, int, bytes, bytes]:
            x, y = int(refused.better[item[0]]), int(refused.worse[item[0]])
            return x not in mine and y not in mine, -int(refused.count[item[0]]), graph.text(x), graph.text(y)

        found = sorted(zip(places.tolist(), limits.tolist(), strict=True), key=order)
        return tuple(self._refusal(place, rank) for place, rank in found)

    def _refusal(self, place: int, rank: int) -> Refusal:
        graph, known = self.known.graph, self.known
        x, y, charged = (int(getattr(graph.refused, name)[place]) for name in ("better", "worse", "charged"))
        effect: RefusalEffect = "none"
        decision = None
        if graph.refused.why[place] == REFUSED_UNLINK:
            effect, decision, rank = "apart", self._unlink(x, y), -1
        elif charged >= 0 and graph.shared[charged] == SHARED_REFUSED:
            effect = "shared"
        return Refusal(
            a=known.shown(x),
            b=known.shown(y),
            events=int(graph.refused.count[place]),
            effect=effect,
            charged=known.shown(charged) if charged >= 0 else None,
            limit_type=known.kinds[rank] if rank >= 0 else None,
            limit=int(known.limits()[rank]) if rank >= 0 else None,
            decision=decision,
        )

    def _unlink(self, x: int, y: int) -> Decision | None:
        """The decision that keeps the persons of two identifiers apart."""
        graph = self.known.graph
        apart = {int(graph.group[x]), int(graph.group[y])}
        for a, b in graph.pairs.forbidden.tolist():
            if {int(graph.group[a]), int(graph.group[b])} == apart:
                return self._decision(a, b, "unlink")
        return None


def chained(told: Mapping[Joint, Connection], way: Sequence[Joint], start: int | None) -> tuple[Connection, ...]:
    """The connections of a way, each with the end first that is nearer to its start."""
    chain, here = [], start
    for joint in way:
        one = told[joint]
        chain.append(one if joint.better == here else replace(one, a=one.b, b=one.a))
        here = joint.worse if joint.better == here else joint.better
    return tuple(chain)
