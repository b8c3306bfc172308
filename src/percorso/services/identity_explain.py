"""Why an identifier is whose it is: the chain of evidence, what was refused, and the rules that placed its events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from percorso.errors import NotFound, SpecError
from percorso.identity.decisions import standing_decisions
from percorso.identity.event_evidence import first_row, rows_of_message, rows_with_strong, rows_with_weak
from percorso.identity.evidence import joints_of, way_between
from percorso.identity.placement import PLACING_RULES
from percorso.kernels.arrays import I64
from percorso.services.event_explain import EventTeller
from percorso.services.explained import (
    EventExplanation,
    Explanation,
    PersonIdentifier,
    PersonSeen,
    PlacedBy,
    Standing,
)
from percorso.services.identity_asked import Asked, what_is_meant
from percorso.services.identity_edges import EdgeTeller, chained
from percorso.services.identity_state import KnownIdentity, ShownIdentifier, answer_of
from percorso.services.workspace import Workspace
from percorso.store import database
from percorso.store.journey_log import JourneyLog

__all__ = ["explain_event", "explain_identity"]

_MOST_PERSONS = 20  # of those on whose events a shared identifier stands


def explain_identity(
    workspace: Workspace,
    text: str,
    *,
    kind: str = "",
    space: str = "",
    personal: bool = False,
    log: JourneyLog | None = None,
) -> Explanation:
    """Why an identifier, or a person, is what it is.

    Parameters
    ----------
    workspace : Workspace
    text : str
        An identifier as the sources write it, alone or as ``type:value`` or ``type:space:value``; or a person's id, or
        at least its first 6 digits.
    kind, space : str
        Only this type of identifier ("person": ids of persons), only identifiers of this id space.
    personal : bool
        Show identifiers as they are.
    log : JourneyLog, optional
        Default: the workspace's, built first where it is stale.

    Raises
    ------
    NotFound
        No event carries it.
    SpecError
        It means several identifiers or persons, which `fields` list; or there is no such type or space.
    """

    def explained(known: KnownIdentity) -> Explanation:
        asked = what_is_meant(known, text, kind, space)
        teller = EventTeller(known)
        decisions = standing_decisions(database.read_decisions(workspace.database))
        return _Explainer(known, teller, EdgeTeller(known, teller, decisions)).explanation(asked)

    return answer_of(workspace, explained, personal=personal, log=log)


def explain_event(
    workspace: Workspace, message: str, *, source: str = "", personal: bool = False, log: JourneyLog | None = None
) -> EventExplanation:
    """Why one event is whose it is.

    Parameters
    ----------
    workspace, personal, log
        As of :func:`explain_identity`.
    message : str
        Id of the message.
    source : str
        The source that sent it, where several sent one with this id.

    Raises
    ------
    NotFound
        There is no such event.
    SpecError
        Several sources sent one; `fields` list them.
    """

    def explained(known: KnownIdentity) -> EventExplanation:
        return EventTeller(known).explained([_row_of(known, message, source)])[0]

    return answer_of(workspace, explained, personal=personal, log=log)


def _row_of(known: KnownIdentity, message: str, source: str) -> int:
    found = {name: row for name, row in rows_of_message(known.state, message).items() if source in ("", name)}
    if not found:
        raise NotFound(
            "There is no event with this message id.",
            hint=f"Sources: {', '.join(sorted(known.state.rows.sources))}. `percorso sql --personal` has the ids.",
        )
    if len(found) > 1:
        names = sorted(found)
        raise SpecError(
            "Several sources sent a message with this id.",
            hint=f"Say which one with --source: {', '.join(names)}.",
            fields={"sources": names},
        )
    return next(iter(found.values()))


@dataclass(frozen=True, slots=True)
class _Explainer:
    known: KnownIdentity
    teller: EventTeller
    edges: EdgeTeller

    def explanation(self, asked: Asked) -> Explanation:
        graph, state = self.known.graph, self.known.state
        if asked.weak is not None:
            return self._nobody_s(self.known.shown(asked.weak, weak=True), "device", rows_with_weak(state, asked.weak))
        if asked.strong is not None and graph.shared[asked.strong]:
            rows = rows_with_strong(state, graph, asked.strong)
            return self._nobody_s(self.known.shown(asked.strong), "shared", rows, code=asked.strong)
        unit = 4 * int(graph.group[asked.strong]) if asked.strong is not None else asked.unit
        assert unit is not None
        return self._person_s(unit, asked.strong)

    def _person_s(self, unit: int, code: int | None) -> Explanation:
        """Of a person, or of an identifier that is a person's."""
        known, graph = self.known, self.known.graph
        rows = np.flatnonzero(known.state.arrays["unit"] == unit)
        canonical = unit >> 2 if unit & 3 == 0 else None
        joints = [] if canonical is None else joints_of(graph, graph.people_of(canonical))
        told = dict(zip(joints, self.edges.connections(joints), strict=True))
        start = canonical if code is None else code
        way = [] if canonical is None or start is None else way_between(joints, start, canonical)
        first, last = self._span(rows)
        return Explanation(
            identifier=None if code is None else known.shown(code),
            standing="own",
            person=known.persons([unit])[0],
            identified=canonical is not None,
            events=len(rows),
            first_us=first,
            last_us=last,
            canonical=None if canonical is None else known.shown(canonical),
            chain=chained(told, way, start),
            connections=tuple(told.values()),
            identifiers=self._identifiers(rows, canonical),
            sharing=None,
            persons=(),
            persons_total=1,
            refused=() if canonical is None else self.edges.refusals(canonical, graph.people_of(canonical)),
            placed_by=self._placed_by(rows),
            data_version=known.log.data_version,
        )

    def _nobody_s(
        self, identifier: ShownIdentifier, standing: Standing, rows: I64, code: int | None = None
    ) -> Explanation:
        """Of a device, or of a strong identifier that is shared."""
        persons, total = self._persons(rows)
        first, last = self._span(rows)
        return Explanation(
            identifier=identifier,
            standing=standing,
            person=None,
            identified=False,
            events=len(rows),
            first_us=first,
            last_us=last,
            canonical=None,
            chain=(),
            connections=(),
            identifiers=(),
            sharing=None if code is None else self.edges.sharing(code),
            persons=persons,
            persons_total=total,
            refused=() if code is None else self.edges.refusals(code, [code]),
            placed_by=self._placed_by(rows),
            data_version=self.known.log.data_version,
        )

    def _span(self, rows: I64) -> tuple[int | None, int | None]:
        time = self.known.state.arrays["time"][rows]
        return (int(time.min()), int(time.max())) if len(rows) else (None, None)

    def _identifiers(self, rows: I64, canonical: int | None) -> tuple[PersonIdentifier, ...]:
        """What stands on a person's events: their own first, then by number of events."""
        known, graph, files = self.known, self.known.graph, self.known.state.rows
        events: Counter[int] = Counter()
        sets, counts = np.unique(files.column("sset")[rows], return_counts=True)
        for number, count in zip(sets.tolist(), counts.tolist(), strict=True):
            if number >= 0:
                events.update(dict.fromkeys(graph.members(number), count))
        own = [] if canonical is None else graph.people_of(canonical)
        others = sorted(events.keys() - set(own), key=lambda code: (-events[code], graph.text(code)))
        weak: Counter[int] = Counter()
        for name in ("anonymous", "device"):
            weak.update(files.column(name)[rows].tolist())
        weak.pop(-1, None)
        told: list[PersonIdentifier] = [PersonIdentifier(known.shown(code), "own", events[code]) for code in own]
        for code in others:
            standing: Standing = "shared" if graph.shared[code] else "another"
            told.append(PersonIdentifier(known.shown(code), standing, events[code]))
        devices = sorted((-count, known.identifier(code, weak=True), code) for code, count in weak.items())
        told += [PersonIdentifier(known.shown(code, weak=True), "device", -count) for count, _, code in devices]
        return tuple(told)

    def _persons(self, rows: I64) -> tuple[tuple[PersonSeen, ...], int]:
        """The persons whose events some rows are, those with most of them first; and how many there are."""
        state = self.known.state
        unit = state.arrays["unit"][rows]
        named = np.append(state.arrays["set_person"], np.int32(-1))[state.rows.column("sset")[rows]] >= 0
        login = named & (state.rows.column("signed_out")[rows] == 0)
        units, inverse = np.unique(unit, return_inverse=True)
        events = np.bincount(inverse, minlength=len(units))
        logins = np.bincount(inverse, weights=login, minlength=len(units)).astype(np.int64)
        real = np.flatnonzero(units >= 0)
        most = real[np.argsort(-events[real], kind="stable")][:_MOST_PERSONS]
        told = [
            PersonSeen(person, int(units[at]) & 3 == 0, int(events[at]), int(logins[at]))
            for person, at in zip(self.known.persons(units[most]), most.tolist(), strict=True)
        ]
        return tuple(sorted(told, key=lambda one: (-one.events, one.person))), len(real)

    def _placed_by(self, rows: I64) -> tuple[PlacedBy, ...]:
        rule = self.known.state.arrays["rule"][rows]
        counts = np.bincount(rule, minlength=len(PLACING_RULES))
        used = [code for code in np.argsort(-counts, kind="stable").tolist() if counts[code]]
        examples = self.teller.explained([first_row(self.known.state, rows[rule == code]) for code in used])
        return tuple(
            PlacedBy(PLACING_RULES[code], int(counts[code]), example)
            for code, example in zip(used, examples, strict=True)
        )
